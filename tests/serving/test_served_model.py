"""A model as people use it: one answer at a time, and none once it has retired."""

import threading
import time

from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import start
from forge_lib.models.generate import Completion
from forge_lib.models.opening import gguf_file
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


def test_a_file_is_shown_with_the_questions_that_its_score_is_of(tmp_path, monkeypatch):
    """One that somebody names in the Modelfile may have been asked validation questions only."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    lab = start("smoke", "early")
    tried = {"all": 25.0, "all_low": 10.0, "all_high": 40.0, "items": 183}
    rows = [{"format": "F16", "file": "model-F16.gguf", "all": 31.5, "all_low": 20.0, "all_high": 44.0, "items": 363},
            {"format": "Q4_0", "file": "model-Q4_0.gguf", "validation": tried}]  # fmt: skip
    lab.save_json("export/formats.json", rows)
    for row in rows:
        lab.path("export", row["file"]).write_bytes(b"GGUF")
    for kind, score in (
        ("F16", "31.5% [20.0, 44.0] of 363 frozen test"),
        ("Q4_0", "25.0% [10.0, 40.0] of 183 validation"),
    ):
        lab.path("export", "Modelfile").write_text(f"FROM ./model-{kind}.gguf\n")
        assert f"{score} questions" in gguf_file("run:early", PROFILES["cpu"]).about
