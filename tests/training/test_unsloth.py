"""Every keyword that the engine gives to unsloth is one that the pinned unsloth takes, checked without a GPU.

unsloth cannot be imported on a machine without one, and its wheel is 31 MB (an interface for the browser, mostly), so
the parameters of what we call stand in `unsloth-<version>.json`. After a new pin in requirements-gpu.txt:
    pip download --no-deps unsloth==VERSION && python tests/training/test_unsloth.py unsloth-VERSION-*.whl
"""

import ast
import importlib.metadata
import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from forge_lib import ROOT

ENGINE = ROOT / "forge_lib/training/engines/unsloth_trainer.py"
PINNED = re.search(r"^unsloth==(\S+)", (ROOT / "requirements-gpu.txt").read_text(), re.M)[1]
WHERE = {  # what we call, and where its parameters are declared
    "FastLanguageModel.from_pretrained": ("unsloth/models/loader.py", "FastLanguageModel"),
    "FastLanguageModel.get_peft_model": ("unsloth/models/llama.py", "FastLlamaModel"),
    "FastLanguageModel.for_inference": ("unsloth/models/loader.py", "FastLanguageModel"),
    "FastLanguageModel.for_training": ("unsloth/models/loader.py", "FastLanguageModel"),
}


def parameters(read: Callable[[str], str]) -> dict[str, list[str]]:
    """Names of the parameters of every function in WHERE; `read` gives the source of a file of the package."""
    found = {}
    for call, (file, owner) in WHERE.items():
        classes = {n.name: n for n in ast.parse(read(file)).body if isinstance(n, ast.ClassDef)}
        method = next(n for n in classes[owner].body if getattr(n, "name", "") == call.split(".")[1])
        found[call] = [a.arg for a in (*method.args.args, *method.args.kwonlyargs)]
    return found


def recorded() -> dict[str, list[str]]:
    path = Path(__file__).with_name(f"unsloth-{PINNED}.json")
    assert path.exists(), f"unsloth {PINNED} is pinned and its parameters are not recorded. {__doc__.split('After')[1]}"
    return json.loads(path.read_text())


def our_calls() -> list[tuple[str, list[str]]]:
    """(function, keywords) of each call of unsloth in the engine."""
    calls = [n for n in ast.walk(ast.parse(ENGINE.read_text())) if isinstance(n, ast.Call)]
    named = [(ast.unparse(n.func), [k.arg for k in n.keywords]) for n in calls]
    return [(name, keywords) for name, keywords in named if name.startswith("FastLanguageModel.")]


def test_the_engine_passes_only_what_unsloth_takes():
    calls = our_calls()
    assert {name for name, _ in calls} == set(WHERE), "WHERE names every function that the engine calls"
    known = recorded()
    assert [(name, k) for name, keywords in calls for k in keywords if k not in known[name]] == []


def test_the_record_is_that_of_the_installed_unsloth():
    try:
        package = importlib.metadata.distribution("unsloth")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("unsloth is not installed (requirements-gpu.txt)")
    assert package.version == PINNED
    assert parameters(lambda file: Path(package.locate_file(file)).read_text(encoding="utf-8")) == recorded()


if __name__ == "__main__":
    wheel = zipfile.ZipFile(sys.argv[1])
    names = parameters(lambda file: wheel.read(file).decode("utf-8"))
    version = Path(sys.argv[1]).name.split("-")[1]
    Path(__file__).with_name(f"unsloth-{version}.json").write_text(json.dumps(names, indent=1) + "\n")
