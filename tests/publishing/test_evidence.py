"""What a card says beside its results is counted from the run's own files, and says what it does not know."""

import dataclasses

import pytest
from huggingface_hub import ModelCard

from forge_lib.lab.files import RunError
from forge_lib.publishing.card import model_card
from forge_lib.publishing.evidence import training_table
from forge_lib.tasks.sql.failures import tables_in_gold

GOLD = "SELECT a.name FROM a JOIN b ON a.id = b.a_id JOIN c ON c.id = b.c_id"


def record(n: int, verdict: str, gold: str, error: str = "", contender: str = "SFT") -> dict:
    return {"contender": contender, "id": f"i{n}", "context": "d", "question": f"Question {n}?", "sql": gold, "answer": "x",
            "predicted": f"SELECT {n}", "verdict": verdict, "error": error, "correct": verdict == "correct"}  # fmt: skip


@pytest.fixture
def kept(run):
    """A run that has kept the answers of two contenders, its training's result, and what 09 measured."""
    mine = [record(0, "correct", "SELECT 1 FROM a"), record(1, "error", "SELECT x FROM a", "no such column: y"),
            record(2, "error", GOLD, "no such table: z"), record(3, "wrong shape", GOLD)]  # fmt: skip
    run.save_records("evaluation/base_few.jsonl", [record(0, "refused", GOLD, contender="base, few-shot")])
    run.save_records("evaluation/sft.jsonl", mine)
    run.save_records("export/Q8_0.jsonl", [record(7, "timeout", GOLD, contender="SFT, Q8_0")])
    run.save_json("sft/result.json", {"examples": 4321, "train_seconds": 3600.0})
    run.save_json("grpo/result.json", {"ship": "grpo"})
    run.save_records("grpo/records.jsonl", [{"step_time": 1200.0}, {"step_time": 600.0}])
    probe = {"base": 43.0, "tuned": 31.0, "difference": -12.0, "low": -20.0, "high": -4.0}
    run.save_json("analysis/summary.json", {"probe": probe})
    return run


def test_the_errors_are_counted_from_the_answers_of_what_ships(kept, measured):
    card = model_card(kept, **measured, repo_id="me/x")
    assert "| invented name | 2 | 50.0 |\n| wrong shape | 1 | 25.0 |" in card
    assert "| 1 | 2 | 1 | 50.0 |\n| 3 and more | 2 | 0 | 0.0 |" in card, "by tables in the right query"
    of_the_file = model_card(kept, **measured, repo_id="me/x", gguf=True)
    assert "| other error | 1 | 100.0 |" in of_the_file and "invented name | 2" not in of_the_file


def test_one_right_and_one_wrong_answer_are_shown_but_never_of_ones_own_data(kept, measured):
    card = model_card(kept, **measured, repo_id="me/x")
    assert (
        'Right, asked "Question 0?"' in card
        and 'Wrong (error), asked "Question 1?"' in card
        and "SELECT x FROM a" in card
    )
    own = model_card(dataclasses.replace(kept, data="my:shop"), **measured, repo_id="me/x")
    assert "Question 0?" not in own and "| invented name | 2 | 50.0 |" in own


def test_the_training_has_its_time_and_an_estimate_that_says_so(kept, measured):
    card = model_card(kept, **measured, repo_id="me/x")
    assert "| time | 90.0 minutes of training steps |" in card and "| examples seen | 4,321 |" in card
    assert "about 0.15 kWh: an estimate, 100 W (assumed for the whole machine, not measured)" in card
    assert "then GRPO with the grade as reward" in card
    kept.save_json("grpo/result.json", {"ship": "sft"})
    assert "60.0 minutes" in training_table(kept) and "GRPO" not in training_table(kept)


def test_what_was_forgotten_is_said_where_it_was_measured(kept, measured):
    assert "right 43% of the time and the tuned model, in PyTorch, 31%: -12.0 points [-20.0, -4.0]" in model_card(
        kept, **measured, repo_id="me/x"
    )


def test_what_a_run_has_not_kept_is_not_made_up(run, measured):
    card = model_card(run, **measured, repo_id="me/x")
    for sentence in (
        "Not counted: this run did not keep",
        "| time | not recorded |",
        "not estimated",
        "was not measured before",
    ):
        assert sentence in card, sentence
    assert "kWh" not in card and "Right, asked" not in card


def test_damaged_answers_are_named(kept, measured):
    kept.path("evaluation", "sft.jsonl").write_text("{")
    with pytest.raises(RunError, match="06_evaluation"):
        model_card(kept, **measured, repo_id="me/x")
    kept.save_records("evaluation/sft.jsonl", [{"contender": "SFT", "correct": False}])
    with pytest.raises(RunError, match="cannot be made a card"):
        model_card(kept, **measured, repo_id="me/x")


@pytest.mark.parametrize(("gold", "label"), [("SELECT 1 FROM a", "1"), (GOLD, "3 and more"), ("SELECT (", "not counted"),
                                             ("SELECT 1 FROM a, b", "2"), ("SELECT 1 FROM a JOIN a AS b", "1")])  # fmt: skip
def test_tables_are_counted_by_name(gold, label):
    assert tables_in_gold({"sql": gold}) == label


def test_the_metadata_have_the_interval_the_data_and_the_relation(run, measured):
    relation = {}
    for kind in ({}, {"merged": True}, {"gguf": True}):
        data = ModelCard(model_card(run, **measured, repo_id="me/x", **kind)).data
        relation[data.library_name] = data["base_model_relation"]
        row = measured["formats"][0] if kind == {"gguf": True} else measured["rows"][-1]
        wanted = {"interval": [round(row["all_low"], 1), round(row["all_high"], 1)], "level": 0.95, "questions": 12}
        assert data.eval_results[0].metric_args == wanted and data.datasets == ["forge-course"]
    assert relation == {"peft": "adapter", "transformers": "finetune", "gguf": "quantized"}
    for source, datasets in (("spider:s", ["premai-io/spider"]), ("my:shop", None)):
        other = dataclasses.replace(run, data=source)
        assert ModelCard(model_card(other, **measured, repo_id="me/x")).data.datasets == datasets


def test_the_bare_adapter_warns_of_the_hubs_weights(run, measured):
    cards = {kind: model_card(run, **measured, repo_id="me/x", **options)
             for kind, options in (("adapter", {}), ("merged", {"merged": True}), ("gguf", {"gguf": True}))}  # fmt: skip
    assert "this adapter was not measured**" in cards["adapter"]
    for kind in ("merged", "gguf"):
        assert "not bit for bit these" in cards[kind] and "this adapter was not" not in cards[kind]
    assert "merged into its base." in cards["merged"] and "PeftModel" not in cards["merged"]
