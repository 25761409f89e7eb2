import pytest

import run_all
from forge_lib import ROOT
from forge_lib.files import RunError
from forge_lib.publishing.report import ABOUT, gpu_sentence, map_markdown, replace_block, results_markdown, sentence

COMPARISON = {"first": "base", "second": "SFT", "difference": 30.0, "low": 20.0, "high": 40.0, "p_value": 0.001}


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
    assert all(name in shown for name in ("base, few-shot", "nearest neighbour", "SFT + GRPO", "Q8_0", "McNemar p"))


def test_a_missing_block_is_named():
    with pytest.raises(ValueError, match="no block <!-- results -->"):
        replace_block("nothing", "results", "x")


def test_a_null_result_is_called_one():
    assert "not significant" not in sentence(COMPARISON)
    assert sentence(COMPARISON | {"low": -1.0}).endswith("not significant")


def test_a_side_that_no_card_has_run_is_called_not_measured():
    rows = [{"size": "8B", "method": "QLoRA", "engine": e} for e in ("torch", "trl")]
    assert gpu_sentence(rows).endswith("not measured: 8B QLoRA by torch, trl.")
    rows[0] |= {"tokens_per_second": 900.0, "peak_gb": 7.25, "card": "T4"}
    assert "8B QLoRA by torch 900 tokens/s, 7.2 GB on T4. not measured: 8B QLoRA by trl." in gpu_sentence(rows)


RESULTS = ("evaluation/rows.json", "evaluation/comparisons.json", "export/formats.json", "config.json")


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("text", ["", "{", "3", "[]", "{}", "[{}]", "\x00"])
def test_a_damaged_result_is_named_in_a_sentence(tmp_path, name, text):
    for other in RESULTS:
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("[]")
    (tmp_path / name).write_text(text)
    with pytest.raises(RunError, match="Run (notebook )?0"):
        results_markdown(tmp_path)


def test_a_missing_result_names_its_notebook(tmp_path):
    with pytest.raises(RunError, match="06_evaluation"):
        results_markdown(tmp_path)
