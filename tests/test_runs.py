import json
import shutil
from collections import namedtuple

import pytest

from forge_lib.runs import RunError, check_disk, fresh_folder, start, write_atomically


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
    with pytest.raises(RunError, match=r"04_sft makes it.*--only 04 --profile smoke --run r"):
        lab.require("sft/adapter", "04_sft")


def test_an_interrupted_stage_keeps_the_last_good_artefact():
    lab = start("smoke", "r")
    with lab.stage("sft/adapter") as folder:
        (folder / "weights").write_text("good")
    with pytest.raises(KeyboardInterrupt), lab.stage("sft/adapter") as folder:
        (folder / "weights").write_text("half")
        raise KeyboardInterrupt
    assert (lab.dir / "sft" / "adapter" / "weights").read_text() == "good"
    assert [p.name for p in (lab.dir / "sft").iterdir()] == ["adapter"]


def test_an_interrupted_write_leaves_the_old_text(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.json", "old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**28))
    with pytest.raises(RunError, match=r"1.5 GB and only 0.2 GB are free"):
        check_disk(tmp_path, 1.5)


def test_fresh_folder_replaces_the_old_one_whole(tmp_path):
    for text in ("one", "two"):
        with fresh_folder(tmp_path / "f") as work:
            (work / text).touch()
    assert [p.name for p in (tmp_path / "f").iterdir()] == ["two"]


def test_an_unknown_task_is_refused():
    with pytest.raises(RunError, match="task='sql'"):
        start("smoke", "r", task="poetry")
