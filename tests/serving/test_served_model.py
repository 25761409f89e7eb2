"""A model as people use it: one answer at a time, and none once it has retired."""

import threading
import time

from forge_lib.models.generate import Completion
from forge_lib.serving.model import Model


def test_a_model_that_retires_ends_its_answer_and_begins_no_other():
    began, done = threading.Event(), []

    def complete(messages, limit, grammar):
        began.set()
        time.sleep(0.3)
        done.append(messages)
        return Completion("SELECT 1", 1, 1, 0.3, True)

    model = Model("slow", "", None, complete)
    for who in ("first", "second"):
        threading.Thread(target=model.answer, args=(who,), daemon=True).start()
        began.wait()
    model.retire()
    seen = list(done)
    assert "first" in seen and model.lock.locked()
    time.sleep(0.5)
    assert done == seen
