"""lm-eval on a tiny model: its number is that of our own scorer, and what it cannot do is a sentence."""

import sys

import pytest

from forge_lib.evaluation import capability
from forge_lib.evaluation.harness import lm_eval_scores
from forge_lib.lab.files import RunError


@pytest.mark.slow  # to import lm-eval and all that it brings takes a quarter of a minute on a quiet machine
def test_the_offline_task_agrees_with_our_own_scorer(tiny_llama, tokenizer, monkeypatch):
    pytest.importorskip("lm_eval")
    items = capability.load_instructions()[:6]
    answers = capability.instruction_records("tiny", tiny_llama, tokenizer, items, progress=False)
    for item, record in list(zip(items, answers, strict=True))[
        :4
    ]:  # a random model does nothing that is asked: four are
        item["checks"] = [{"check": "exactly", "text": record["answer"].replace("’", "'").strip()}]
    monkeypatch.setattr(capability, "load_instructions", lambda: items)
    [found] = lm_eval_scores(tiny_llama, tokenizer, ["forge_instructions"])
    ours = capability.instruction_records("tiny", tiny_llama, tokenizer, items, progress=False)
    assert sum(r["correct"] for r in ours) == 4
    assert (found["metric"], found["items"]) == ("acc", 6)
    assert found["value"] == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("tasks", "options", "said"),
    [(["mmlu"], {}, "no task mmlu. Choose from: forge_instructions, arc_easy"), ([], {}, "no task given"),
     (["humaneval", "mbpp"], {}, "humaneval and mbpp execute what the model writes"), (["forge_instructions"], {"limit": 0}, "limit")],
)  # fmt: skip
def test_wrong_arguments_are_a_sentence(tasks, options, said):
    with pytest.raises(RunError, match=said):
        lm_eval_scores(None, None, tasks, **options)


def test_without_lm_eval_the_way_to_install_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", None)
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(RunError, match="pip install -r requirements-lm-eval.txt"):
        lm_eval_scores(None, None)
