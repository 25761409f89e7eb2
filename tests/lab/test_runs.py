import dataclasses
import errno
import json
import os
import re
import shlex
import subprocess
import sys

import pytest

import run_all
from forge_lib import ROOT, place
from forge_lib.lab import lock
from forge_lib.lab.files import RunError, beside
from forge_lib.lab.lock import held
from forge_lib.lab.profiles import ProfileError
from forge_lib.lab.runs import run_folder, shipped_adapter, start


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))


def test_start_records_what_a_result_was_made_from(tmp_path, capsys):
    lab = start("smoke", "r", 3)
    config = json.loads((tmp_path / "runs" / "r" / "config.json").read_text())
    assert config["profile"]["name"] == "smoke" and config["seed"] == 3
    assert config["versions"]["torch"].startswith("2.")
    assert "smoke" in capsys.readouterr().out
    assert lab.dir == tmp_path / "runs" / "r"


def test_a_run_folder_belongs_to_one_profile_and_seed():
    start("smoke", "r", 3)
    start("smoke", "r", 3)
    with pytest.raises(RunError, match="another --run name"):
        start("cpu", "r", 3)
    with pytest.raises(RunError, match="seed 3"):
        start("smoke", "r", 4)
    with pytest.raises(RunError, match="data 'course'"):
        start("smoke", "r", 3, data="spider:/somewhere/else")


def test_the_run_knows_its_data_without_the_path_of_this_machine(tmp_path):
    lab = start("smoke", "r", data="my:/home/somebody/hospital")
    assert lab.data == "my:hospital"
    assert "somebody" not in (tmp_path / "runs" / "r" / "config.json").read_text()


def test_a_missing_input_names_the_notebook_that_makes_it():
    lab = start("smoke", "r")
    with pytest.raises(RunError, match=r"04_sft makes it.*--only 04 --profile smoke --run r`"):
        lab.require("sft/adapter", "04_sft")


def test_without_reinforcement_learning_the_adapter_of_sft_ships():
    lab = start("smoke", "r")
    assert shipped_adapter(lab) == "sft"
    lab.save_json("grpo/result.json", {"ship": "grpo"})
    assert shipped_adapter(lab) == "grpo"
    lab.path("grpo", "result.json").write_text("{")
    with pytest.raises(RunError, match="Run notebook 05_grpo again"):
        shipped_adapter(lab)


def test_where_the_adapter_is_missing_the_one_that_comes_with_the_course_is_offered_for_its_data_and_base_alone(
    tmp_path,
):
    offered = "or take the adapter that comes with the course: `python -m forge_lib.models.ready_made --run 'my run' --profile smoke`"
    lab = start("smoke", "my run")
    with pytest.raises(RunError, match=re.escape(offered)):
        lab.require("sft/adapter", "04_sft")
    other_base = dataclasses.replace(lab, profile=dataclasses.replace(lab.profile, base_model="Qwen/Qwen3-8B"))
    for run, file in (
        (lab, "grpo/adapter"),
        (dataclasses.replace(lab, data="my:shop"), "sft/adapter"),
        (other_base, "sft/adapter"),
    ):
        with pytest.raises(RunError) as error:
            run.require(file, "04_sft")
        assert "comes with the course" not in str(error.value)


def test_the_command_that_mends_it_runs_with_the_same_seed_data_and_engine(monkeypatch):
    monkeypatch.setenv("FORGE_ENGINE", "trl")
    lab = start("smoke", "my run", 5, data="my:/data/our shop's")
    with pytest.raises(RunError) as error:
        lab.require("sft/adapter", "04_sft")
    engine, python, script, *words = shlex.split(str(error.value).split("`")[1])
    assert (engine, python, script) == ("FORGE_ENGINE=trl", "python", "run_all.py")
    given = run_all.parser().parse_args(words)
    assert (given.only, given.profile, given.run, given.seed, given.data) == (
        "04", "smoke", "my run", 5, "my:/data/our shop's",
    )  # fmt: skip


def test_an_interrupted_stage_keeps_the_last_good_artefact():
    lab = start("smoke", "r")
    with lab.stage("sft/adapter") as folder:
        (folder / "weights").write_text("good")
    with pytest.raises(KeyboardInterrupt), lab.stage("sft/adapter") as folder:
        (folder / "weights").write_text("half")
        raise KeyboardInterrupt
    assert (lab.dir / "sft" / "adapter" / "weights").read_text() == "good"
    assert [p.name for p in (lab.dir / "sft").iterdir()] == ["adapter"]


def test_an_unknown_task_is_refused():
    with pytest.raises(RunError, match="task='sql'"):
        start("smoke", "r", task="poetry")


NAMES = ["..", ".", "", "../x", "a/b", "/tmp/x", "a\\b", "~", "~/x", "-x", ".hidden", "x.", "x ", " x", "a\nb", "a\0b", "a\u202eb",
         "x" * 65, "ж" * 120, "a:b", "a*", "{run}", "mlflow.db", "mlartifacts", "MLflow.DB", "mlflow.db-wal", "wandb", "Trackio", "CON", "nul.txt", "Com1", "lpt9 .x", "\ud800", 5, None]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_run_is_one_plain_folder(name, tmp_path):
    with pytest.raises(RunError, match="cannot name a run"):
        start("smoke", name)
    assert not any(tmp_path.rglob("config.json"))


@pytest.mark.parametrize(
    "name", ["default", "a run", "мой", "2026-11-26_a", "v1.2", "O'Brien", "console", "com10", "wandb2"]
)
def test_a_run_may_have_any_plain_name(name, tmp_path):
    assert start("smoke", name).dir == tmp_path / "runs" / name


def test_a_run_is_never_written_into_the_course_itself(monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(ROOT.parent))
    with pytest.raises(RunError, match="course's own files"):
        run_folder(ROOT.name)
    for where, name in ((".", "notebooks"), ("notebooks", "solutions"), ("forge_lib/training", "r"), (".git", "r")):
        monkeypatch.setenv("FORGE_RUNS", where)
        with pytest.raises(RunError, match="course's own files"):
            run_folder(name)


def test_links_that_run_in_a_circle_are_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "loop"))
    with pytest.raises(RunError, match="cannot be written"):
        start("smoke", "r")
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    assert start("smoke", "r", data=f"my:{tmp_path}/loop").source == f"my:{tmp_path}/loop"
    with pytest.raises(RunError, match="cannot be the path of a folder"):
        start("smoke", "r2", data="my:\0")


def test_a_file_in_the_place_of_a_run_is_named(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "r").touch()
    with pytest.raises(RunError, match="runs/r is a file"):
        start("smoke", "r")
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs" / "r"))
    with pytest.raises(RunError, match="cannot be written"):
        start("smoke", "x")


def test_data_are_called_what_a_link_or_a_dot_leads_to(tmp_path, monkeypatch):
    """The name was taken before the path was resolved, so that the command which goes on was refused."""
    (tmp_path / "hospital").mkdir()
    (tmp_path / "link").symlink_to("hospital")
    monkeypatch.chdir(tmp_path / "hospital")
    for number, given in enumerate(("my:.", "my:../link", "my:../hospital/")):
        first = start("smoke", f"r{number}", data=given)
        assert (first.data, start("smoke", f"r{number}", data=first.source).data) == ("my:hospital", "my:hospital")


def test_two_folders_of_one_name_are_not_the_same_data(tmp_path):
    for side in ("north", "south"):
        (tmp_path / side / "hospital").mkdir(parents=True)
    folder = start("smoke", "r", data=f"my:{tmp_path}/north/hospital").dir
    assert str(tmp_path) not in (folder / "config.json").read_text()
    with pytest.raises(RunError, match="another folder of the name 'hospital'.*another --run name"):
        start("smoke", "r", data=f"my:{tmp_path}/south/hospital")
    config = json.loads((folder / "config.json").read_text())
    del config["data_folder"]  # as older runs are, and one whose folder was moved
    (folder / "config.json").write_text(json.dumps(config))
    start("smoke", "r", data=f"my:{tmp_path}/south/hospital")
    assert "data_folder" not in start("smoke", "c").config()


@pytest.mark.parametrize("given", ["~nobody-here/runs", "$NOT_SET_HERE/runs", "${NOT_SET_HERE}/runs"])
def test_a_home_or_a_variable_that_is_none_makes_no_folder_of_its_name(given, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", given)
    with pytest.raises(RunError, match="FORGE_RUNS speaks of"):
        run_folder("r")


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "17", None, True])
def test_a_seed_that_numpy_would_refuse_is_refused_before_anything_is_written(seed, tmp_path):
    with pytest.raises(RunError, match="whole number from 0 to 4294967295"):
        start("smoke", "r", seed)
    assert not (tmp_path / "runs").exists()


def test_a_refused_start_leaves_no_run_behind(tmp_path, monkeypatch):
    for variable, value, name in (("FORGE_ENGINE", "abacus", "smoke"), ("FORGE_ENGINE", "", "quantum")):
        monkeypatch.setenv(variable, value)
        with pytest.raises(ProfileError, match="Choose one of"):
            start(name, "r")
    assert not (tmp_path / "runs").exists()


DAMAGED = [
    "",
    "{",
    "[]",
    "5",
    "null",
    "{}",
    '{"profile": 5, "seed": 17}',
    '{"profile": {}}',
    '{"profile": {"name": "smoke"}, "seed": "17"}',
    '{"profile": {"name": "smoke"}, "seed": true}',
    '{"profile": {"name": "smoke"}, "seed": 17, "data": null}',
    "\udcff",
    "[" * 100_000,
]


@pytest.mark.parametrize("text", DAMAGED, ids=lambda t: t[:12])
def test_a_damaged_config_is_named_and_never_taken_for_another(text, tmp_path):
    folder = start("smoke", "r").dir
    (folder / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RunError, match=r"config\.json .*(copy|begin again)"):
        start("smoke", "r")
    assert (folder / "config.json").read_bytes() == text.encode(errors="surrogateescape")


def test_damaged_results_name_the_notebook_that_makes_them_again():
    lab = start("smoke", "r")
    lab.path("a.json").write_text("{")
    lab.path("b.jsonl").write_text('{"id": 1}\n{"id"')
    with pytest.raises(RunError, match=r"r/a\.json cannot be read.*Run notebook 06_evaluation again"):
        lab.load_json("a.json", "06_evaluation")
    with pytest.raises(RunError, match=r"r/b\.jsonl, line 2, is cut off.*Run notebook 06_evaluation again"):
        lab.load_records("b.jsonl", "06_evaluation")


def test_what_a_training_was_made_with_outlives_later_starts(monkeypatch):
    lab = start("smoke", "r")
    monkeypatch.setenv("FORGE_ENGINE", "trl")
    start("smoke", "r").freeze("sft")
    monkeypatch.delenv("FORGE_ENGINE")
    start("smoke", "r")
    engines = {stage: lab.config(stage)["profile"]["engine"] for stage in ("sft", "grpo", None)}
    assert engines == {"sft": "trl", "grpo": "torch", None: "torch"}


def test_relative_empty_and_home_folders_are_one_place_each(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = []
    for where in (tmp_path, ROOT):
        monkeypatch.chdir(where)
        for given in ("", "  ", "elsewhere", "./elsewhere/", "~/elsewhere", "$HOME/elsewhere"):
            monkeypatch.setenv("FORGE_RUNS", given)
            found.append(place("FORGE_RUNS", "runs"))
    assert found[:6] == found[6:] == [ROOT / "runs"] * 2 + [ROOT / "elsewhere"] * 2 + [tmp_path / "elsewhere"] * 2


HOLD = "import sys; from pathlib import Path; from forge_lib.lab.lock import held\nwith held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_run_that_another_process_holds_is_refused_until_that_process_dies(tmp_path):
    folder = tmp_path / "runs" / "r"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=rf"runs/r is in use by another process \({other.pid}\)"), held(folder):
        pass
    with pytest.raises(RunError, match="in use by another process"):
        start("smoke", "r")
    start("smoke", "another")
    other.kill()
    other.communicate()
    with held(folder):
        start("smoke", "r")  # as a kernel does, whose runner holds the folder
        assert os.environ["FORGE_HELD"] == str(folder)
    with held(folder):
        pass


class FakeMsvcrt:
    """Windows' locks: of one byte, there where the file stands, and lifted by hand."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self):
        self.locked = {}

    def locking(self, number, mode, count):
        byte = (os.fstat(number).st_ino, os.lseek(number, 0, os.SEEK_CUR))
        if mode == self.LK_UNLCK:
            if self.locked.pop(byte, None) is None:
                raise PermissionError(errno.EACCES, "This byte is not locked")
        elif byte in self.locked:
            raise PermissionError(errno.EACCES, "This byte is locked")
        else:
            self.locked[byte] = number


def test_on_windows_a_run_is_held_by_one_process_too(tmp_path, monkeypatch):
    """msvcrt locks where the file stands, and that moved with the process id written there: nobody was excluded."""
    msvcrt, folder = FakeMsvcrt(), tmp_path / "runs" / "r"
    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(lock, "msvcrt", msvcrt, raising=False)
    for _ in range(2):  # the second time the file holds a process id
        with held(folder):
            with pytest.raises(RunError, match=rf"in use by another process \({os.getpid()}\)"), held(folder):
                pass
            monkeypatch.delenv("FORGE_HELD")  # what a process has that was not started by this one
            with pytest.raises(RunError, match=rf"in use by another process \({os.getpid()}\)"):
                lock.check_free(folder)
            [(_, at)] = msvcrt.locked
            assert at > 100, "Windows lets nobody read the locked byte, and the process id is to be read"
        lock.check_free(folder)
        with lock.in_turn(folder):
            assert len(msvcrt.locked) == 1
        assert not msvcrt.locked


def test_a_start_sweeps_what_a_killed_process_left(monkeypatch):
    lab = start("smoke", "r")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lab.path("sft").mkdir()
    with monkeypatch.context() as killed:  # under the names that are given: the test had made up its own
        killed.setattr(os, "getpid", lambda: gone.pid)
        beside(lab.path("sft", "state.pt")).write_text("half")
        for kind, text in (("new", "half"), ("old", "old")):
            path = beside(lab.path("sft", "adapter"), kind) / "weights"
            path.parent.mkdir()
            path.write_text(text)
    live = lab.path(f".x.new-{os.getpid()}-0123abcd")
    live.touch()
    start("smoke", "r")
    assert [p.name for p in lab.path("sft").iterdir()] == ["adapter"]
    assert lab.path("sft", "adapter", "weights").read_text() == "old" and live.exists()
