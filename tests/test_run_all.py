import dataclasses
import errno
import importlib.util
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import run_all
from forge_lib import ROOT, SILENT
from forge_lib.data.items import DataError
from forge_lib.lab.files import RunError, write_atomically
from forge_lib.lab.lock import held
from forge_lib.lab.profiles import PROFILES, Devices
from forge_lib.lab.runs import Run, start

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


@pytest.mark.slow
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
    assert run_all.main(["--profile", "smoke", "--run", "r", "--from", "02", "--to", "02"]) == 0
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


def test_another_profile_than_the_committed_one_leaves_the_notebooks_and_keeps_its_minutes(course, monkeypatch):
    def executed(source, target, *_):
        write_atomically(target, source.read_text())
        return {"seconds": 90.0, "peak_gb": 1.0, "failure": None}

    monkeypatch.setattr(run_all, "execute", executed)
    before = (course / "notebooks" / "01_first.ipynb").read_bytes()
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "01", "--write-back"]) == 0
    assert (course / "notebooks" / "01_first.ipynb").read_bytes() == before
    row = json.loads(run_all.MEASURED.read_text())["smoke"]
    assert row["minutes"].keys() == row["peak_gb"].keys() == row["dates"].keys() == {"01_first"}


def test_listing_and_dry_run_execute_nothing(course, capsys):
    assert run_all.main(["--profile", "cpu", "--list"]) == 0
    assert run_all.main(["--profile", "cpu", "--dry-run", "--from", "02"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert sum("01_first" in x for x in lines) == 1 and sum("03_third" in x for x in lines) == 2
    assert not (course / "runs").exists()


@pytest.mark.parametrize("bf16", [True, False])
def test_whose_minutes_these_are_is_said_where_this_machine_is_slower(bf16, course, capsys, monkeypatch):
    monkeypatch.setattr("forge_lib.lab.profiles.cpu_has_bf16", lambda: bf16)
    monkeypatch.setattr(run_all, "measured", lambda profile: {"minutes": {"01_first": 2.0}, "peak_gb": {}})
    assert run_all.main(["--profile", "cpu", "--list"]) == 0
    assert ("in float32 training takes up to 3 times as long" in capsys.readouterr().err) is not bf16


BOOKS = ["01_setup", "02_data", "04_sft", "04_sft-Copy1", "10_own", "11_mine"]


@pytest.mark.parametrize(
    ("only", "start", "end", "chosen"),
    [
        ("1", None, None, ["01_setup"]),
        ("10", None, None, ["10_own"]),
        ("002", None, None, ["02_data"]),
        ("04_sft", None, None, ["04_sft"]),
        ("sft", None, None, ["04_sft"]),
        ("notebooks/04_sft.ipynb", None, None, ["04_sft"]),
        ("11", "2", None, ["11_mine"]),
        (None, "4", "10", ["04_sft", "04_sft-Copy1", "10_own"]),
        (None, "own", None, ["10_own", "11_mine"]),
        (None, None, "02", ["01_setup", "02_data"]),
        (None, None, None, BOOKS),
    ],
)
def test_a_notebook_is_chosen_by_number_or_name(only, start, end, chosen, tmp_path):
    books = [tmp_path / f"{name}.ipynb" for name in BOOKS]
    assert [n.stem for n in run_all.choose(books, only, start, end)] == chosen


REFUSED = [
    "",
    " ",
    "0",
    "00",
    "3",
    "12",
    "100",
    "-1",
    "+1",
    "1.0",
    "1-2",
    "01,02",
    "zz",
    "s",
    "04_sf",
    "solutions/04_sft.ipynb",
    "/etc/04_sft.ipynb",
    "../04_sft",
    "0x1",
    "٤",
    "..",
    "9" * 5000,
    "\0",
]


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ([], BOOKS),
        (["--data", "my:shop"], ["01_setup", "02_data", "04_sft", "04_sft-Copy1"]),
        (["--data", "my:shop", "--from", "2"], ["02_data", "04_sft", "04_sft-Copy1"]),
        (["--data", "my:shop", "--from", "10"], ["10_own", "11_mine"]),
        (["--data", "my:shop", "--only", "own"], ["10_own"]),
        (["--data", "my:shop", "--to", "10"], ["01_setup", "02_data", "04_sft", "04_sft-Copy1", "10_own"]),
    ],
)
def test_other_data_go_through_the_lessons_and_through_the_electives_that_are_named(
    asked, listed, tmp_path, monkeypatch, capsys
):
    for name in BOOKS:
        write(tmp_path, f"{name}.ipynb")
    monkeypatch.setattr(run_all.find_notebooks, "__defaults__", (tmp_path,))
    assert run_all.main(["--profile", "smoke", "--list", *asked]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == listed


@pytest.mark.parametrize("option", ["only", "start", "end"])
@pytest.mark.parametrize("given", REFUSED, ids=lambda g: ascii(g[:8]))
def test_what_is_no_notebook_is_refused_and_never_another(option, given, tmp_path):
    books = [tmp_path / f"{name}.ipynb" for name in BOOKS]
    with pytest.raises(SystemExit, match="No notebook matches. There are: 01_setup"):
        run_all.choose(books, **{"only": None, "start": None, "end": None, option: given})


def test_choices_that_contradict_each_other_are_refused(tmp_path):
    books = [tmp_path / f"{name}.ipynb" for name in BOOKS]
    for only, first, last, said in (("4", None, None, "names 04_sft and 04_sft-Copy1"), ("1", "2", None, "No notebook"),
                                   (None, "10", "2", "No notebook")):  # fmt: skip
        with pytest.raises(SystemExit, match=said):
            run_all.choose(books, only, first, last)
    with pytest.raises(SystemExit, match="no numbered notebooks"):
        run_all.choose([], None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile", "quantum"], "Choose one of: smoke"),
        (["--profile", "mlx"], "Apple silicon"),
        (["--run", ".."], "cannot name a run"),
        (["--run", ""], "cannot name a run"),
        (["--data", "foo"], "There is no such data"),
        (["--data", ""], "There is no such data"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_run_behind(arguments, said, course, capsys, monkeypatch):
    def refuse(source):
        raise DataError(f"There is no such data: {source}")

    monkeypatch.setattr("forge_lib.tasks.sql.sources.load.check_source", refuse, raising=False)
    monkeypatch.setattr("forge_lib.lab.profiles.probe", Devices)
    for dry in ([], ["--dry-run"]):
        assert run_all.main(["--profile", "smoke", *arguments, *dry]) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("run_all: ") and said in shown and shown.count("\n") == 1
    assert not (course / "runs").exists()


def test_a_notebook_that_is_edited_while_it_runs_keeps_the_edit_and_gets_no_outputs(course, capsys, monkeypatch):
    source = course / "notebooks" / "01_first.ipynb"

    def edited_meanwhile(source, target, *_):
        target.parent.mkdir(parents=True)
        target.write_bytes(source.read_bytes())
        write(source.parent, source.name, "print('better')")
        return {"seconds": 1.0, "peak_gb": 1.0, "failure": None}

    monkeypatch.setattr(run_all, "execute", edited_meanwhile)
    monkeypatch.setattr(run_all, "COMMITTED", "smoke")
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "01", "--write-back"]) == 1
    assert "edited while it ran" in capsys.readouterr().err
    assert "better" in source.read_text() and not (course / "measured.json").exists()


@pytest.mark.parametrize("variable", ["FORGE_ENGINE", "FORGE_TRACKING", "FORGE_PROFILE"])
def test_a_variable_that_names_nothing_is_refused_before_anything_is_written(variable, course, capsys, monkeypatch):
    monkeypatch.setenv(variable, "abacus")
    assert run_all.main([]) == 2
    assert "abacus" in capsys.readouterr().err and not (course / "runs").exists()


@pytest.mark.parametrize("seed", ["-1", "4294967296", "1e3", "1.5", "", "x", "9" * 5000])
def test_a_seed_is_a_whole_number_that_numpy_takes(seed, course, capsys):
    with pytest.raises(SystemExit):
        run_all.main([f"--seed={seed}"])
    assert "whole number from 0 to 4294967295" in capsys.readouterr().err and not (course / "runs").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": []}', '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 5}', "\udcff"])  # fmt: skip
def test_a_damaged_notebook_is_named_before_anything_is_written(text, course, capsys):
    (course / "notebooks" / "02_second.ipynb").write_bytes(text.encode(errors="surrogateescape"))
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 2
    shown = capsys.readouterr().err
    assert (
        "02_second.ipynb cannot be read as a notebook" in shown and "git checkout" in shown and shown.count("\n") == 1
    )
    assert not (course / "runs").exists()


ROW = {"notebook": "01_first", "status": "passed", "seconds": 1.0, "peak_gb": 1.0}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"notebooks": 5}', '{"notebooks": [5]}',
                                     *(json.dumps({"notebooks": rows}) for rows in (
                                         [ROW | {"seconds": "long"}], [ROW | {"seconds": float("nan")}], [ROW | {"peak_gb": True}],
                                         [ROW | {"seconds": -1}], [ROW | {"status": "?"}], [ROW, ROW]))])  # fmt: skip
def test_a_damaged_summary_is_named_and_stays(content, course, capsys):
    path = write_atomically(course / "runs" / "r" / "summary.json", content)
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "1"]) == 2
    shown = capsys.readouterr().err
    assert "r/summary.json" in shown and "Delete it" in shown and path.read_text() == content


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"smoke": 5}',
        '{"smoke": {"minutes": {"01_first": "x"}, "peak_gb": {}}}',
        '{"smoke": {"minutes": {"01_first": NaN}, "peak_gb": {}}}',
    ],
)
def test_damaged_minutes_are_named(content, course, capsys, monkeypatch):
    path = write_atomically(course / "measured.json", content)
    monkeypatch.setattr("forge_lib.lab.profiles.MEASURED", path)
    for arguments in (["--list"], ["--only", "1"]):
        assert run_all.main(["--profile", "smoke", *arguments]) == 2
        assert "measured.json" in capsys.readouterr().err
    assert not (course / "runs").exists()


@pytest.mark.parametrize("option", ["run", "profile", "data", "only", "from", "to"])
def test_two_dashes_are_no_value(option, course, capsys):
    with pytest.raises(SystemExit):
        run_all.main(["--profile", "smoke", f"--{option}=--"])
    assert "--" in capsys.readouterr().err and not (course / "runs").exists()


def test_a_tracker_that_is_not_installed_is_named_before_the_course_begins(course, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "wandb" else find(name))
    monkeypatch.setenv("FORGE_TRACKING", "wandb")
    assert run_all.main(["--profile", "smoke"]) == 2
    assert "FORGE_TRACKING=wandb needs a package" in capsys.readouterr().err and not (course / "runs").exists()


def test_a_base_that_cannot_be_fetched_is_a_sentence_where_data_are_prepared(tmp_path):
    """Its tokenizer tells which pairs are too long, and the network may be away."""
    profile = dataclasses.replace(PROFILES["smoke"], base_model="nobody/none")
    with sqlite3.connect(tmp_path / "shop.sqlite") as connection:
        connection.executescript("CREATE TABLE t (n); INSERT INTO t VALUES (1)")
    connection.close()
    rows = [{"question": f"how many over {n}?", "sql": f"SELECT COUNT(*) FROM t WHERE n > {n}"} for n in range(12)]
    rows[3]["question"] *= 500
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    lab = Run("own", profile, 17, "sql", tmp_path / "own", source=f"my:{tmp_path}")
    with pytest.raises(RunError, match="The model 'nobody/none' is neither on this disk"):
        run_all.prepare_data(lab)


def test_a_run_of_another_seed_is_refused_at_once(course, capsys, monkeypatch):
    start("smoke", "r", 3)
    monkeypatch.setattr(run_all, "execute", None)
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 2
    assert "another --run name" in capsys.readouterr().err


def test_the_same_run_twice_at_once_is_refused(course, capsys):
    with held(course / "runs" / "r"):
        assert run_all.main(["--profile", "smoke", "--run", "r"]) == 2
    assert "runs/r is in use by another process" in capsys.readouterr().err


def test_a_source_notebook_is_never_written_over(course, capsys, monkeypatch):
    (course / "runs" / "r").mkdir(parents=True)
    (course / "runs" / "r" / "notebooks").symlink_to(course / "notebooks")
    before = (course / "notebooks" / "01_first.ipynb").read_bytes()
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 2
    assert "written over 01_first.ipynb" in capsys.readouterr().err
    assert (course / "notebooks" / "01_first.ipynb").read_bytes() == before


def test_solutions_are_not_written_over_through_a_link(course, capsys):
    (course / "runs" / "r").mkdir(parents=True)
    (course / "runs" / "r" / "notebooks").symlink_to(ROOT / "notebooks" / "solutions")
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 2
    assert "course's own files" in capsys.readouterr().err


def test_the_command_that_goes_on_asks_for_the_same(course, capsys, monkeypatch):
    monkeypatch.setattr(run_all, "execute", lambda *_: {"seconds": 1.0, "peak_gb": 1.0, "failure": "cell 3: x"})
    monkeypatch.setattr(run_all, "check_data", lambda source: None)
    monkeypatch.setattr(run_all, "prepare_data", lambda lab: None)
    arguments = [
        "--profile",
        "smoke",
        "--run",
        "a run",
        "--seed",
        "5",
        "--data",
        "my:./my shop",
        "--from",
        "2",
        "--to",
        "2",
    ]
    assert run_all.main(arguments) == 1
    [line] = [
        x for x in capsys.readouterr().out.split("\n") if x.startswith("Mend it, then go on with: python run_all.py ")
    ]
    given = run_all.parser().parse_args(shlex.split(line.split("run_all.py ")[1]))
    assert (given.start, given.end, given.profile, given.run, given.seed) == ("02", "02", "smoke", "a run", 5)
    assert given.data == f"my:{Path('my shop').absolute()}"
    assert run_all.main(["--profile", "smoke", "--run", "w", "--write-back"]) == 1
    assert "--from 01 --write-back --profile smoke --run w" in capsys.readouterr().out


@pytest.mark.enable_socket
def test_a_kernel_that_dies_is_a_sentence_a_row_and_a_way_to_go_on(course, capsys):
    write(course / "notebooks", "02_second.ipynb", "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")
    assert run_all.main(["--profile", "smoke", "--run", "r", "--from", "02"]) == 1
    shown = capsys.readouterr()
    assert "02_second.ipynb failed: its kernel died" in shown.err and "memory" in shown.err
    assert "Traceback" not in shown.err and "--from 02" in shown.out
    assert summary(course) == {"02_second": "failed"}


@pytest.mark.enable_socket
def test_braces_in_a_path_are_no_parameters(course, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(course / "{run} {x}"))
    assert run_all.main(["--profile", "smoke", "--run", "r", "--only", "1"]) == 0
    assert (course / "{run} {x}" / "r" / "notebooks" / "01_first.ipynb").exists()


def test_a_full_disk_is_a_failed_row(course, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("papermill.execute_notebook", full)
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 1
    assert "(No space left on device). Free some space" in capsys.readouterr().err
    assert summary(course) == {"01_first": "failed"}


def test_an_error_of_a_kernels_program_is_not_laid_on_the_notebooks_folder(course, capsys, monkeypatch):
    def no_program(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/opt/python3.9/bin/python")

    monkeypatch.setattr("papermill.execute_notebook", no_program)
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 1
    said = capsys.readouterr().err
    assert "/opt/python3.9/bin/python" in said and "cannot be written" not in said


def test_a_notebook_that_cannot_be_written_is_called_that(course, capsys):
    (course / "runs" / "r").mkdir(parents=True)
    (course / "runs" / "r" / "notebooks").touch()
    assert run_all.main(["--profile", "smoke", "--run", "r"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_without_git_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert run_all.commit() == "unknown"


def begin(course, *arguments, **options):
    code = (
        "import sys, pathlib, run_all; "
        f"run_all.find_notebooks.__defaults__ = (pathlib.Path({str(course / 'notebooks')!r}),); "
        f"sys.exit(run_all.main(['--profile', 'smoke', '--run', 'r', *{arguments!r}]))"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 3), (signal.SIGTERM, 1)])
def test_an_interrupt_ends_with_one_sentence_and_leaves_no_orphan_kernel(number, times, course):
    write(course / "notebooks", "02_second.ipynb", f"import time, pathlib; pathlib.Path({str(course / 'started')!r}).touch(); time.sleep(600)")  # fmt: skip
    process = begin(course, "--seed", "5", "--from", "02", stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (course / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels, "the kernel is running"
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number and "Traceback" not in errors
    assert errors.endswith("go on with --from: python run_all.py --from 02 --profile smoke --run r --seed 5\n")
    assert psutil.wait_procs(kernels, timeout=30)[1] == []


@pytest.mark.parametrize("wait", [0.1, 0.6])
def test_an_interrupt_during_the_imports_is_a_sentence(wait, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "run_all.py", "--profile", "smoke", "--list"], cwd=ROOT,
        env=os.environ | {"FORGE_RUNS": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if "forge_lib.lab.interrupts" in line:
            break
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert "Traceback" not in errors and process.returncode in (0, 130)
    assert process.returncode == 0 or errors.count("Stopped") == 1


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_traceback():
    command = f"{sys.executable} run_all.py --profile cpu --list | head -1"
    done = subprocess.run(command, cwd=ROOT, shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("01_setup") and done.stderr in ("", run_all.slower(run_all.get_profile("cpu")[0]))


def test_extra_notebooks_are_listed_and_folders_are_none(course, capsys):
    write(course / "notebooks", "11_mine.ipynb", "1")
    write(course / "notebooks", "02_second-Copy1.ipynb", "1")
    (course / "notebooks" / "12_folder.ipynb").mkdir()
    assert run_all.main(["--profile", "smoke", "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.strip().split("\n")]
    assert listed == ["01_first", "02_second", "02_second-Copy1", "03_third", "11_mine"]


@pytest.mark.slow
def test_kernels_report_home_nothing(monkeypatch):
    for name in SILENT:
        monkeypatch.delenv(name, raising=False)
    code = ("import forge_lib, os, huggingface_hub.constants as c; from mlflow.telemetry.utils import is_telemetry_disabled as off;"
            "print(c.HF_HUB_DISABLE_TELEMETRY, off(), os.environ['DO_NOT_TRACK'])")  # fmt: skip
    late = "import huggingface_hub.constants as c; import forge_lib; print(c.HF_HUB_DISABLE_TELEMETRY)"
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTEST_CURRENT_TEST")}
    said = [subprocess.run([sys.executable, "-c", c], cwd=ROOT, env=environment, capture_output=True, text=True).stdout
            for c in (code, late)]  # fmt: skip
    assert said == ["True True true\n", "True\n"]


def test_a_progress_bar_leaves_one_line():
    cell = new_code_cell("x")
    for text in ("train: 0%", "\rtrain: 50%", "\rtrain: 100%\n", "done\n"):
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
    run_all.tidy_outputs(new_notebook(cells=[cell]))
    assert [o.text for o in cell.outputs] == ["train: 100%\ndone\n"]


def test_moving_a_module_makes_no_output_stale():
    """A stamp vouches for what a cell does, not for where its names are imported from."""

    def stamped(*sources: str) -> str:
        return run_all.code_hash(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources]))

    before = stamped("from forge_lib.models import load\nload(1)", "if x:\n    import a\ny = 2")
    assert before == stamped(
        "from forge_lib.models.load import (\n    load,\n)\nload(1)", "if x:\n    import b as a\ny = 2"
    )
    assert before != stamped("from forge_lib.models import load\nload(2)", "if x:\n    import a\ny = 2")
    assert before != stamped("load(1)\n", "from forge_lib.models import load\nif x:\n    import a\ny = 2")
