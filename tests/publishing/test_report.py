import json
import re
from dataclasses import asdict

import pytest

import run_all
from forge_lib import ROOT
from forge_lib.evaluation.metrics import summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.files import RunError
from forge_lib.publishing import report
from forge_lib.publishing.report import ABOUT, gpu_sentence, map_markdown, replace_block, results_markdown


def test_the_map_names_every_lesson():
    assert list(ABOUT) == [b.stem for b in run_all.find_notebooks()]
    assert all(f"notebooks/{name}.ipynb" in map_markdown() for name in ABOUT)


def test_the_readme_has_the_blocks_that_the_report_fills():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("results", "map", "speed"):
        assert replace_block(text, name, "NEW").count("NEW") == 1


def test_the_readme_shows_a_measured_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.split("<!-- results -->")[1].split("<!-- /results -->")[0]
    named = ("base, zero-shot", "nearest neighbour", "SFT + grammar", "SFT + GRPO", "McNemar p")
    assert all(name in shown for name in named)
    assert (
        "| Q8_0 |" in shown or "were not made in this run" in shown
    )  # a score for each file, or a word that there is none


def test_a_missing_block_is_named():
    with pytest.raises(ValueError, match="no block <!-- results -->"):
        replace_block("nothing", "results", "x")


def test_a_side_that_no_card_has_run_is_called_not_measured():
    rows = [{"size": "8B", "method": "QLoRA", "engine": e} for e in ("torch", "trl")]
    assert gpu_sentence(rows).endswith("not measured: 8B QLoRA by torch, trl.")
    rows[0] |= {"tokens_per_second": 900.0, "peak_gb": 7.25, "card": "T4"}
    assert "8B QLoRA by torch 900 tokens/s, 7.2 GB on T4. not measured: 8B QLoRA by trl." in gpu_sentence(rows)


ANSWERS = [
    {"contender": name, "id": f"i{n}", "context": f"d{n}", "valid": True, "part": "seen", "correct": n < right, "correct_strict": True,
     "verdict": "correct", "prompt_tokens": 9, "completion_tokens": 9, "seconds": 0.5}
    for name, right in (("base", 3), ("SFT", 25)) for n in range(30)
]  # fmt: skip
FILE = {"format": "F16", "megabytes": 270.0, "all": 50.0, "all_low": 40.0, "all_high": 60.0, "tokens_per_second": 90.0}
SMALL = {"format": "Q4_0", "megabytes": 90.0, "tokens_per_second": 80.0, "validation": summary_row(ANSWERS[30:])}
RESULTS = {
    "evaluation/rows.json": [summary_row(ANSWERS[:30])],
    "evaluation/comparisons.json": [asdict(compare(ANSWERS[:30], ANSWERS[30:]))],
    "export/formats.json": [FILE],
    "config.json": {"profile": {"name": "cpu"}, "seed": 17},
}


@pytest.fixture
def run(tmp_path):
    for name, content in RESULTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def test_a_comparison_is_said_as_everywhere_with_what_its_interval_rests_on(run):
    found = compare(ANSWERS[:4], ANSWERS[30:34])
    (run / "evaluation" / "comparisons.json").write_text(json.dumps([asdict(found)]))
    shown = results_markdown(run)
    assert f"- {found}" in shown and "databases are few" in str(found)
    assert "95% interval, by databases" in shown


def test_a_run_without_files_for_llama_cpp_says_where_they_would_come_from(run):
    (run / "export" / "formats.json").unlink()
    shown = results_markdown(run)
    assert "| F16 |" not in shown and "not made in this run; `07_quantization` makes them" in shown


def test_what_fell_on_other_states_and_what_an_answer_is_worth_stand_below_the_table(run):
    plain = results_markdown(run)
    assert "every state" not in plain
    states = {
        "SFT": {"right": 25.0, "right on all states": 23.0, "fell": 2.0, "on all (%)": 76.67},
        "silent": {"right": 0.0},
    }
    (run / "evaluation" / "states.json").write_text(json.dumps(states))
    worth = {"right_pick": ["Stay with the base."], "for_who_pays": "Of 1,000 questions it answers 300 right."}
    (run / "evaluation" / "economics.json").write_text(json.dumps(worth))
    shown = results_markdown(run)
    assert "usual one alone: SFT 76.7% (2 of 25 fell).\n" in shown
    assert "- Stay with the base.\n\nOf 1,000 questions it answers 300 right.\n" in shown
    (run / "evaluation" / "economics.json").write_text("{}")
    with pytest.raises(RunError, match="Run 06_evaluation"):
        results_markdown(run)


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("text", ["", "{", "3", "[]", "{}", "[{}]", "\x00"])
def test_a_damaged_result_is_named_in_a_sentence(run, name, text):
    """All others were damaged too, so that an empty list of comparisons passed unseen."""
    assert "| F16 | 270 | – | – | 50.0 [40.0, 60.0] | 90 |" in results_markdown(run)
    (run / name).write_text(text)
    with pytest.raises(RunError, match="Run (notebook )?0"):
        results_markdown(run)


def test_a_number_of_validation_is_never_shown_as_one_of_the_test(run):
    """Only what ships and F16 are asked the test; the other files were compared on validation."""
    files = [FILE | {"validation": summary_row(ANSWERS[:30])}, SMALL]
    (run / "export" / "formats.json").write_text(json.dumps(files))
    shown = results_markdown(run)
    assert "| format | MB | validation (%) | difference (points) | frozen test (%) | tokens/s on this CPU |" in shown
    assert re.search(r"^\| F16 \| 270 \| 10\.0 \[\S+ \S+\] \| – \| 50\.0 \[40\.0, 60\.0\] \| 90 \|$", shown, re.M)
    assert re.search(r"^\| Q4_0 \| 90 \| 83\.3 \[\S+ \S+\] \| – \| – \| 80 \|$", shown, re.M)
    assert "- On " not in shown, "the answers were not kept"
    (run / "export" / "validation").mkdir()
    for kind, answers in (("F16", ANSWERS[:30]), ("Q4_0", ANSWERS[30:])):
        (run / "export" / "validation" / f"{kind}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in answers))
    shown = results_markdown(run)
    assert re.search(r"^\| Q4_0 \| 90 \| \S+ \[\S+ \S+\] \| \+73\.3 \[\S+ \S+\] \| – \| 80 \|$", shown, re.M)
    assert "- On the frozen test" not in shown
    (run / "export" / "formats.json").write_text(json.dumps([FILE, SMALL | {"validation": {"all": float("nan")}}]))
    with pytest.raises(RunError, match="07_quantization"):
        results_markdown(run)


def test_a_missing_result_names_its_notebook(tmp_path):
    with pytest.raises(RunError, match="06_evaluation"):
        results_markdown(tmp_path)


@pytest.mark.parametrize("name", ["no-such-run", "../elsewhere"])
def test_a_run_that_has_no_results_ends_in_a_sentence_and_leaves_the_readme(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["report", "--run", name])
    before = (ROOT / "README.md").read_bytes()
    assert report.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("report: ") and name in said and said.count("\n") == 1
    assert (ROOT / "README.md").read_bytes() == before


@pytest.mark.parametrize("name", report.BLOCKS)
def test_the_readme_says_what_the_code_generates(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert replace_block(text, name, report.BLOCKS[name]()) == text, "run python -m forge_lib.publishing.report"


def test_the_core_path_stays_small():
    assert sum(report._code_lines(ROOT / "forge_lib" / f"{name}.py") for name in report.CORE) < 600


def test_the_ablation_shows_what_each_piece_gains():
    rows = [{"name": "packs", "tokens_per_second": 100.0}, {"name": "packs, blocks", "tokens_per_second": 150.0}]
    measured = {"examples": 40, "threads": 2, "rows": rows}
    said, *table = report._ablation({"float32": measured, "bfloat16": measured})
    assert said.startswith("Piece by piece, 40 pairs in float32 on 2 threads")
    assert table[3:5] == ["| packs | 100 |  |", "| packs, blocks | 150 | 1.50 |"]
    assert "In float32 all pieces together are 1.50 times as fast as packs alone." in table
    assert any(line.startswith("Piece by piece, 40 pairs in bfloat16") for line in table)
