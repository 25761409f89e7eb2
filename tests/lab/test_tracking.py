import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import types

import pytest

from forge_lib import ROOT
from forge_lib.lab.runs import start
from forge_lib.lab.tracking import TrackingError, tracked

RECORDS = [{"step": n, "loss": 2.0 / n, "learning_rate": 1e-3, "tokens": 100 + n, "seconds": 0.5} for n in range(1, 8)]
RECORDS[-1] |= {"validation_loss": 0.4, "validation_accuracy": 0.25}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "my #1 home" / "runs"))
    monkeypatch.delenv("FORGE_TRACKING", raising=False)
    return start("smoke", "r", 3)


def runs_in_store(lab):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{lab.dir.parent / 'mlflow.db'}")
    return client, client.search_runs([client.get_experiment_by_name("forge").experiment_id])


@pytest.mark.slow
def test_records_become_curves_and_the_run_says_what_it_was_made_from(lab, monkeypatch):
    lab.save_json("sft/result.json", {"step": 7})
    lab.save_json("sft/adapter/adapter_config.json", {"r": 32})
    with tracked(lab, "sft", {"betas": (0.9, 0.99)}, pairs="abc123") as track:
        for record in RECORDS:
            track(record)
        track.artifact(lab.path("sft", "adapter"))
        track.artifact(lab.path("sft", "result.json"))
    client, [run] = runs_in_store(lab)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "r/sft")
    curve = client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in curve] == [(r["step"], r["loss"]) for r in RECORDS]
    assert [m.step for m in client.get_metric_history(run.info.run_id, "validation_accuracy")] == [7]
    params, tags = run.data.params, run.data.tags
    assert params["seed"] == "3" and params["profile.lora_rank"] == "32" and params["settings.betas"] == "(0.9, 0.99)"
    assert tags["run"] == "r" and tags["notebook"] == "04_sft" and tags["pairs"] == "abc123"
    assert tags["versions.torch"].startswith("2.")
    monkeypatch.chdir(lab.dir.parent.parent)  # as for `mlflow ui`, in the repository
    assert {f.path for f in client.list_artifacts(run.info.run_id)} == {"adapter", "result.json"}
    assert [f.path for f in client.list_artifacts(run.info.run_id, "adapter")] == ["adapter/adapter_config.json"]
    assert lab.config("sft")["profile"]["lora_rank"] == 32


@pytest.mark.slow
def test_the_store_names_no_folder_of_this_machine(lab, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(lab.dir.parent.parent)  # as for `mlflow ui`, in the repository
    client = MlflowClient(f"sqlite:///{lab.dir.parent / 'mlflow.db'}")  # as an older run left it
    old = client.create_experiment("forge", artifact_location=(lab.dir.parent / "mlartifacts").as_uri())
    client.log_artifact(client.create_run(old).info.run_id, lab.path("config.json"))
    with tracked(lab, "sft") as track:
        track.artifact(lab.path("config.json"))
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len([p for p in kept if p.name == "config.json" and "mlartifacts" in p.parts]) == 2
    assert [p for p in kept if str(tmp_path).encode() in p.read_bytes() or os.getcwd().encode() in p.read_bytes()] == []
    _, runs = runs_in_store(lab)
    assert all(client.list_artifacts(r.info.run_id) for r in runs) and len(runs) == 2


@pytest.mark.slow
def test_more_points_than_one_call_takes_arrive_all(lab):
    with tracked(lab, "sft") as track:
        for step in range(1, 1201):
            track({"step": step, "loss": 1.0})
    client, [run] = runs_in_store(lab)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 1200


@pytest.mark.slow
def test_a_run_that_breaks_is_marked_failed_and_keeps_its_points(lab):
    with pytest.raises(KeyboardInterrupt), tracked(lab, "sft") as track:
        track(RECORDS[0])
        raise KeyboardInterrupt
    with tracked(lab, "sft") as track:
        track(RECORDS[0])
    client, runs = runs_in_store(lab)
    assert sorted(r.info.status for r in runs) == ["FAILED", "FINISHED"]
    assert all(len(client.get_metric_history(r.info.run_id, "loss")) == 1 for r in runs)


@pytest.mark.slow
def test_an_experiment_deleted_in_the_browser_comes_back(lab):
    for _ in range(2):
        with tracked(lab, "sft"):
            pass
        client, runs = runs_in_store(lab)
        client.delete_experiment(runs[0].info.experiment_id)
    assert len(runs) == 2


def test_an_unknown_tracker_and_one_that_is_not_installed_say_what_to_do(lab, monkeypatch):
    monkeypatch.setenv("FORGE_TRACKING", "excel")
    with pytest.raises(TrackingError, match="no tracker 'excel'.*mlflow, wandb, trackio, none"), tracked(lab, "sft"):
        pass
    monkeypatch.setenv("FORGE_TRACKING", "wandb")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(TrackingError, match="pip install wandb"), tracked(lab, "sft"):
        pass


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at " * 20, None])
def test_a_store_that_cannot_be_used_is_a_sentence(lab, content):
    store = lab.dir.parent / "mlflow.db"
    store.mkdir() if content is None else store.write_bytes(content)
    with pytest.raises(TrackingError, match=r"runs/mlflow\.db.*FORGE_TRACKING=none"), tracked(lab, "sft"):
        pass


@pytest.mark.slow
def test_a_tracker_that_fails_later_ends_no_training(lab, monkeypatch):
    from mlflow import MlflowClient

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with pytest.warns(UserWarning, match="the run goes on without it: .*No space left"), tracked(lab, "sft") as track:
        monkeypatch.setattr(MlflowClient, "log_batch", full)
        monkeypatch.setattr("shutil.copyfile", full)
        track(RECORDS[0])
        track.artifact(lab.path("config.json"))
    assert lab.path("sft", "config.json").exists()


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_cannot_begin_or_fails_later_is_a_sentence_whosever_it_is(name, lab, monkeypatch):
    """Only MLflow's errors were."""
    fake = types.ModuleType(name)
    fake.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def fail(*_, **__):
        raise KeyError("no project")

    fake.init, fake.Settings, fake.finish = fail, dict, fail
    monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setenv("FORGE_TRACKING", name)
    with (
        pytest.raises(TrackingError, match=f"{name} could not begin.*no project.*FORGE_TRACKING=none"),
        tracked(lab, "sft"),
    ):
        pass
    fake.init = lambda **_: types.SimpleNamespace(log=fail, log_artifact=fail, finish=fail)
    with pytest.warns(UserWarning, match="goes on without it: .*no project"), tracked(lab, "sft") as track:
        track(RECORDS[0])
        track.artifact(lab.path("config.json"))
    assert lab.path("sft", "config.json").exists()


def test_none_writes_nothing(lab, monkeypatch):
    monkeypatch.setenv("FORGE_TRACKING", "none")
    with tracked(lab, "sft") as track:
        track(RECORDS[0])
        track.artifact(lab.path("config.json"))
    assert [p.name for p in lab.dir.parent.iterdir()] == ["r"]


SCRIPT = """
import sys, time
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith(("socket.connect", "socket.getaddrinfo",
                 "socket.gethostbyname")) else None)
from forge_lib.lab.runs import start
from forge_lib.lab.tracking import tracked
lab = start("smoke", "r", 3)
with tracked(lab, "sft") as track:
    track({"step": 1, "loss": 1.0})
    track.artifact(lab.path("config.json"))
time.sleep(1)  # a thread that reports home in the background gets its chance
print("calls:", calls)
"""


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["mlflow", "wandb", "trackio"])
def test_tracking_calls_nobody_and_chatters_little(tracker, tmp_path):
    """In a process of its own: under pytest and in CI, MLflow's telemetry is off by itself."""
    if not importlib.util.find_spec(tracker):
        pytest.skip(f"{tracker} is not installed (it is optional)")
    quiet = {"CI", "PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_LOGGING_LEVEL", "WANDB_API_KEY"}
    environment = {k: v for k, v in os.environ.items() if k not in quiet}
    environment |= {"FORGE_RUNS": str(tmp_path / "runs"), "FORGE_TRACKING": tracker, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    if tracker == "wandb":  # its own service on this machine, on loopback
        assert (tmp_path / "runs" / "wandb").is_dir()
    else:
        assert said[-1] == "calls: []"
    if tracker == "mlflow":
        assert len(said) == 2 and not done.stderr
