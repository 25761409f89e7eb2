"""What keeps the house in order: which stage imports which, pins that agree, documented public names."""

import ast
import re

import pytest

from forge_lib import ROOT

ORDER = [
    {"files", "lock", "interrupts", "execution", "profiles", "runs", "tracking", "chat", "endpoint", "compiling", "attention", "blocks", "fused", "memory", "vml", "embedded", "adapter", "models"}, {"tasks"}, {"data"}, {"lora"}, {"evaluation"}, {"training"}, {"export"},
    {"publishing"}, {"analysis"}, {"figures", "exercises", "prepare"},
]  # fmt: skip
RANK = {name: n for n, names in enumerate(ORDER) for name in names}
MODULES = sorted((ROOT / "forge_lib").rglob("*.py"))


def stage(path) -> str:
    return path.relative_to(ROOT / "forge_lib").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_stage_imports_earlier_ones_only(path):
    if path.name == "__init__.py" or path.name == "worker.py":
        return
    imported = re.findall(r"^\s*from forge_lib\.(\w+)", path.read_text(), re.M)
    late = [name for name in imported if RANK[name] > RANK[stage(path)]]
    assert late == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module says what it is for"
    names = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    assert [n.name for n in names if not ast.get_docstring(n)] == []


def pins(text: str) -> set[str]:
    return {line.strip().removeprefix("- ").strip("'") for line in text.splitlines() if "==" in line}


def test_conda_and_pip_install_the_same():
    assert pins((ROOT / "environment.yml").read_text()) == pins((ROOT / "requirements.txt").read_text())


def test_every_package_is_pinned():
    lines = [x for x in (ROOT / "requirements.txt").read_text().splitlines() if x and not x.startswith("#")]
    assert [x for x in lines if "==" not in x] == []


def test_what_a_gpu_adds_builds_on_the_same_set():
    assert "-r requirements.txt" in (ROOT / "requirements-gpu.txt").read_text()
