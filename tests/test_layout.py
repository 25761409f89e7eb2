"""What keeps the house in order: which stage imports which, pins that agree, documented public names."""

import ast
import re

import pytest

import forge_lib
from forge_lib import ROOT

MODULES = sorted((ROOT / "forge_lib").rglob("*.py"))


def rooms(text: str) -> list[str]:
    """The rooms in the sentence `lab → engine → …` of a text."""
    return re.search(r"(?:\w+ (?:\([^)]*\) )?→ )+\w+", text)[0].replace("→", " ").split()


def without_lessons(text: str) -> str:
    return re.sub(r" \([\d, ]+\)", "", text)


ORDER = rooms(forge_lib.__doc__)


def imported(tree: ast.AST) -> set[str]:
    """Rooms of `forge_lib` that a module imports, wherever the import stands."""
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    parts = [n.split(".") for n in names if n.startswith("forge_lib.")]
    return {p[1] for p in parts} & {*ORDER, *(m.stem for m in MODULES)}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_room_imports_earlier_ones_only(path):
    room, *_ = path.relative_to(ROOT / "forge_lib").parts
    if room in ("__init__.py", "prepare.py"):  # what an installation makes once: it may ask every room
        return
    late = {name for name in imported(ast.parse(path.read_text())) if ORDER.index(name) > ORDER.index(room)}
    assert late == set()


def test_the_order_is_that_of_the_folders_and_of_the_readme():
    folders = {p.parent.name for p in (ROOT / "forge_lib").glob("*/__init__.py")}
    assert set(ORDER) == folders
    readme = (ROOT / "README.md").read_text()
    assert rooms(without_lessons(readme[readme.index("data flows one way") :])) == ORDER


@pytest.mark.parametrize(
    "source, rooms",
    [("from forge_lib.training.sft import train", {"training"}), ("import forge_lib.tasks.sql.score as s", {"tasks"}),
     ("def f():\n    from forge_lib import tasks", {"tasks"}), ("x = 'from forge_lib.training import y'", set())],
)  # fmt: skip
def test_an_import_is_seen_wherever_it_stands(source, rooms):
    assert imported(ast.parse(source)) == rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module says what it is for"
    names = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    assert [n.name for n in names if not ast.get_docstring(n)] == []


def names_of(module: str) -> set[str]:
    """What a module of `forge_lib` itself defines, or a package holds; for the engine's door what it hands on too."""
    folder = ROOT.joinpath(*module.split("."))
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    found = {p.stem for p in folder.iterdir()} if folder.is_dir() else set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom) and module == "forge_lib.engine":
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_name_is_imported_from_where_it_is_defined(path):
    imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    ours = [n for n in imports if n.module and n.module.partition(".")[0] == "forge_lib"]
    elsewhere = [(n.module, a.name) for n in ours for a in n.names if a.name not in names_of(n.module)]
    assert elsewhere == []


def pins(text: str) -> set[str]:
    return {line.strip().removeprefix("- ").strip("'") for line in text.splitlines() if "==" in line}


def test_conda_and_pip_install_the_same():
    assert pins((ROOT / "environment.yml").read_text()) == pins((ROOT / "requirements.txt").read_text())


def test_every_package_is_pinned():
    lines = [x for x in (ROOT / "requirements.txt").read_text().splitlines() if x and not x.startswith("#")]
    assert [x for x in lines if "==" not in x] == []


def test_what_a_gpu_adds_builds_on_the_same_set():
    assert "-r requirements.txt" in (ROOT / "requirements-gpu.txt").read_text()
