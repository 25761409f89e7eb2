"""The notebooks as committed, and the whole course executed on the smoke profile."""

import re
from collections import Counter

import nbformat
import pytest

import run_all
from forge_lib import ROOT

BOOKS = run_all.find_notebooks()
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
EVERY = pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)


def code_cells(path):
    return [c for c in nbformat.read(path, 4).cells if c.cell_type == "code"]


def test_the_nine_lessons_are_there():
    assert [b.stem[:2] for b in BOOKS[:9]] == [f"{n:02d}" for n in range(1, 10)]
    assert [s.stem for s in SOLUTIONS] == [b.stem for b in BOOKS]


@EVERY
def test_one_parameters_cell_with_the_shared_names(path):
    tagged = [c for c in code_cells(path) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    values: dict = {}
    exec(tagged[0].source, values)
    shared = ("profile", "run", "seed", "task", "data")
    assert tuple(values[name] for name in shared) == ("auto", "default", 17, "sql", "course")


@EVERY
def test_committed_as_executed_on_cpu_and_not_changed_since(path):
    book = nbformat.read(path, 4)
    stamp = book.metadata.get("forge")
    assert stamp, f"{path.name} has not been executed on cpu yet: python run_all.py --profile cpu --write-back"
    assert stamp["profile"] == "cpu"
    assert stamp["code"] == run_all.code_hash(book), f"{path.name}: code changed after its outputs were made"
    assert all(c.execution_count for c in book.cells if c.cell_type == "code")


@EVERY
def test_no_branch_hides_work_and_no_path_or_token_is_shown(path):
    for cell in code_cells(path):
        assert not re.search(r"\bif\s+(False|0|SMOKE|CI)\b|profile\.name\s*==", cell.source)
        shown = str(cell.get("outputs", ""))
        assert not re.search(r"/(?:root|work|home/\w+)/|\bhf_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}", shown)


@EVERY
def test_cells_are_short_and_prose_leads(path):
    book = nbformat.read(path, 4)
    kinds = Counter(c.cell_type for c in book.cells)
    assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# ")
    assert kinds["markdown"] >= 0.5 * kinds["code"]
    assert max(len([x for x in c.source.splitlines() if x.strip()]) for c in code_cells(path)) <= 25


@pytest.mark.slow
@pytest.mark.enable_socket
def test_the_whole_course_runs_on_smoke(tmp_path, monkeypatch):
    """Every notebook through papermill, each in a fresh kernel, with the hubs switched off."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run_all.main(["--profile", "smoke", "--run", "smoke"]) == 0
    done = {p.name for p in (tmp_path / "smoke" / "notebooks").glob("*.ipynb")}
    assert done == {b.name for b in BOOKS}


@pytest.mark.slow
@pytest.mark.spider
@pytest.mark.enable_socket
def test_the_lessons_run_on_spider(tmp_path, monkeypatch, spider_dir):
    """One parameter puts Spider in the place of the course's own data."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    arguments = ["--profile", "smoke", "--run", "spider", "--data", f"spider:{spider_dir}"]
    assert run_all.main([*arguments, "--from", "02", "--to", "09"]) == 0
    answers = (tmp_path / "spider" / "evaluation" / "sft.jsonl").read_text()
    assert "train_spider-" in answers and "bakery" not in answers


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
def test_every_solution_passes_its_checker(path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(path, 4)
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    printed = "".join(o.get("text", "") for c in book.cells if c.cell_type == "code" for o in c.outputs)
    assert "correct." in printed and "not yet" not in printed and "not attempted" not in printed
