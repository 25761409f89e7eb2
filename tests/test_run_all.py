import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import run_all
from forge_lib import ROOT

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write(folder, name, *cells):
    parameters = new_code_cell('profile = "auto"\nrun = "default"\nseed = 17', metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[parameters, *[new_code_cell(c) for c in cells]], metadata=KERNEL)
    nbformat.write(book, folder / name)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of three tiny notebooks in a folder of its own."""
    books = tmp_path / "notebooks"
    books.mkdir()
    write(books, "01_first.ipynb", "print('profile', profile, 'seed', seed)")
    write(books, "02_second.ipynb", "print(run)")
    write(books, "03_third.ipynb", "1 + 1")
    monkeypatch.setattr(run_all, "NOTEBOOKS", books)
    monkeypatch.setattr(run_all.find_notebooks, "__defaults__", (books,))
    monkeypatch.setattr(run_all, "MEASURED", tmp_path / "measured.json")
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    return tmp_path


def summary(course, run="r"):
    rows = json.loads((course / "runs" / run / "summary.json").read_text())["notebooks"]
    return {r["notebook"]: r["status"] for r in rows}


@pytest.mark.enable_socket
def test_the_course_runs_in_order_with_its_parameters(course, capsys):
    assert run_all.main(["--profile", "smoke", "--run", "r", "--seed", "3"]) == 0
    assert summary(course) == {"01_first": "passed", "02_second": "passed", "03_third": "passed"}
    executed = nbformat.read(course / "runs" / "r" / "notebooks" / "01_first.ipynb", 4)
    assert executed.cells[-1].outputs[0].text == "profile smoke seed 3\n"
    assert "together" in capsys.readouterr().out


@pytest.mark.enable_socket
def test_a_failing_cell_stops_the_run_shows_its_traceback_and_can_be_continued(course, capsys):
    write(course / "notebooks", "02_second.ipynb", "x = 1", "1 / 0")
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 1
    shown = capsys.readouterr()
    assert "ZeroDivisionError" in shown.err and "--from 02" in shown.out
    assert summary(course) == {"01_first": "passed", "02_second": "failed"}
    assert not (course / "runs" / "r" / "notebooks" / "02_second.ipynb").exists()
    write(course / "notebooks", "02_second.ipynb", "x = 1")
    assert run_all.main(["--profile", "smoke", "--run", "r", "--from", "02"]) == 0
    assert set(summary(course).values()) == {"passed"}


@pytest.mark.enable_socket
def test_executed_notebooks_are_put_back_with_a_stamp_and_without_the_injected_cell(course, monkeypatch):
    monkeypatch.setattr(run_all, "COMMITTED", "smoke")
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "01", "--write-back"]) == 0
    book = nbformat.read(course / "notebooks" / "01_first.ipynb", 4)
    assert book.metadata.forge.profile == "smoke" and book.metadata.forge.code == run_all.code_hash(book)
    assert len(book.cells) == 2 and book.cells[1].outputs
    book.cells[1].source += " # edited"
    assert book.metadata.forge.code != run_all.code_hash(book)


@pytest.mark.enable_socket
def test_another_profile_than_the_committed_one_leaves_the_notebooks_and_keeps_its_minutes(course):
    before = (course / "notebooks" / "01_first.ipynb").read_bytes()
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "01", "--write-back"]) == 0
    assert (course / "notebooks" / "01_first.ipynb").read_bytes() == before
    assert "01_first" in run_all.MEASURED.read_text()


def test_listing_and_dry_run_execute_nothing(course, capsys):
    assert run_all.main(["--profile", "cpu", "--list"]) == 0
    assert run_all.main(["--profile", "cpu", "--dry-run", "--from", "02"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert sum("01_first" in x for x in lines) == 1 and sum("03_third" in x for x in lines) == 2
    assert not (course / "runs").exists()


def test_bad_arguments_are_sentences(course, capsys):
    assert run_all.main(["--profile", "quantum"]) == 2
    assert "Choose one of: smoke" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="No notebook matches. There are: 01_first"):
        run_all.main(["--profile", "smoke", "--only", "77"])


@pytest.mark.enable_socket
def test_an_interrupt_leaves_no_orphan_kernel(course):
    write(course / "notebooks", "01_first.ipynb", "import time, pathlib; pathlib.Path('{}').touch(); time.sleep(600)".format(
        course / "started"))  # fmt: skip
    code = (
        "import sys, pathlib, run_all; "
        f"run_all.find_notebooks.__defaults__ = (pathlib.Path({str(course / 'notebooks')!r}),); "
        "sys.exit(run_all.main(['--profile', 'smoke', '--run', 'r']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (course / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels, "the kernel is running"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "go on with --from" in errors
    assert psutil.wait_procs(kernels, timeout=10)[1] == []


def test_a_progress_bar_leaves_one_line():
    cell = new_code_cell("x")
    for text in ("train: 0%", "\rtrain: 50%", "\rtrain: 100%\n", "done\n"):
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
    run_all.tidy_outputs(new_notebook(cells=[cell]))
    assert [o.text for o in cell.outputs] == ["train: 100%\ndone\n"]
