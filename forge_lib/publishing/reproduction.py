"""What a stranger needs to make a run again and to see that it is the same: commands, hashes, day and machine."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress

from forge_lib.export.gguf import file_facts
from forge_lib.lab.files import RunError
from forge_lib.lab.runs import Run, run_command
from forge_lib.tasks import COURSE


def commands(run: Run, facts: dict) -> list[str]:
    """Shell commands that make the run, and then its report; facts: of `forge_lib.publishing.stages`."""
    commit, sft = facts["costs"].commit if facts["costs"] else None, facts["sft"]
    processes = sft.result.get("processes") if sft else None
    about = [
        "--profile",
        run.profile.name,
        "--run",
        run.name,
        "--seed",
        str(run.seed),
        "--data",
        run.data,
        "--task",
        run.task,
    ]
    begin = ["accelerate", "launch", "--num_processes", str(processes)] if processes else ["python"]
    launch = shlex.join([*begin, "-m", "forge_lib.training.launch", *about])
    if run.task != COURSE:  # the functions of notebooks 05 to 08 then take its data set
        made = [launch]
    else:
        made = [launch, run_command(run, "--from", "05")] if processes else [run_command(run)]
    report = shlex.join(["python", "-m", "forge_lib.publishing.paper", "--run", run.name])
    return [*([f"git checkout {commit}"] if commit else []), "make install", *made, report]


def hashes(run: Run, facts: dict) -> list[str]:
    """SHA-256 of the answers, the adapter, the files and the test, a line each, as `sha256sum` prints it."""
    adapter = run.path(facts["evaluation"].ship, "adapter", "adapter_model.safetensors")
    found = [*sorted(run.path("evaluation").glob("*.jsonl")), *([adapter] if adapter.exists() else [])]
    lines = [f"{file_facts(file)['sha256']}  {file.relative_to(run.dir).as_posix()}" for file in found]
    lines += [f"{f['sha256']}  export/{f['file']}" for f in facts["files"].formats] if facts["files"] else []
    test = (facts["data"] or {}).get("fingerprint_test")
    return [*lines, *([f"{test}  the items of the test"] if test else [])]


def machine(config: dict, setup: dict | None) -> str:
    """What the run was made on, without the machine's name. config: of the run; setup: what 01_setup saved."""
    found = (setup or {}).get("machine", {})
    named = {"{} processor cores": "processor cores", "{} GB of memory": "memory, total (GB)", "GPU: {}": "GPU"}
    return "; ".join([config["machine"], *(form.format(found[key]) for form, key in named.items() if key in found)])


def day(run: Run) -> str:
    """The day on which `run_all.py` executed the evaluation; "" where it did not."""
    with suppress(LookupError, TypeError, RunError):
        stamp = run.load_json("notebooks/06_evaluation.ipynb", "06_evaluation")["metadata"]["forge"]["date"]
        return stamp if re.fullmatch(r"\d{4}-\d\d-\d\d", stamp) else ""
    return ""
