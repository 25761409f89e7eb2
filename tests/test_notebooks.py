"""The notebooks as committed, and the whole course executed on the smoke profile."""

import ast
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


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
def test_every_cell_of_a_solution_is_committed_as_executed(path):
    assert all(c.execution_count for c in code_cells(path))


SWITCHES = {"SMOKE", "TEST", "FAST", "CI"}


def hides_work(source: str) -> bool:
    """Whether a branch of this code depends on the machine, or on nothing: what differs is the profile's to say."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            re.search(r"(\bprofile\.name|\.device(\.type)?)$", ast.unparse(side))
            for side in (node.left, *node.comparators)
        ):
            return True
        conditions = (ast.If, ast.IfExp, ast.While)
        tests = [node.test] if isinstance(node, conditions) else getattr(node, "ifs", [])
        if any(_says_nothing(test) or _asks_the_machine(test) for test in tests):
            return True
    return False


def _says_nothing(test: ast.expr) -> bool:
    """A condition, or a part of one that decides it, without a single name: `False`, `not 1`, `0 and right`."""
    if isinstance(test, ast.Constant) and test.value is True:  # of a loop that is left by `break`
        return False
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    return any(not any(isinstance(n, ast.Name) for n in ast.walk(part)) for part in parts)


def _asks_the_machine(test: ast.expr) -> bool:
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    return bool(names & SWITCHES) or "cuda" in ast.unparse(test)


@pytest.mark.parametrize(
    "source",
    ["if False: x", "if 0: x", "if not True: x", "while 0: x", "if False and right: x", "if right or 1: x", "y = 1 if 0 else 2",
     "mixed = [r for r in rates if False]", "if SMOKE: x", "if not CI and right: x", "if torch.cuda.is_available(): x",
     "fast = profile.name == 'cpu'", "if 'cpu' != lab.profile.name: x", "x = 1 if model.device.type == 'cpu' else 2",
     "same = a.device == b"],
)  # fmt: skip
def test_a_branch_on_the_machine_or_on_nothing_is_seen(source):
    assert hides_work(source)


@pytest.mark.parametrize(
    "source",
    ["model.to(model.device)", "mixed = [r for r in rates if 0 < r < 1]", "if 0 in counts: x", "print(lab.profile.name)",
     "while True: break", "text = 'if False:'"],
)  # fmt: skip
def test_a_branch_on_what_was_measured_is_none(source):
    assert not hides_work(source)


@EVERY
def test_no_branch_hides_work_and_no_path_or_token_is_shown(path):
    for cell in code_cells(path):
        assert not hides_work(cell.source)
        shown = str(cell.get("outputs", ""))
        assert not re.search(r"/(?:root|work|home/\w+)/|\bhf_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}", shown)


@EVERY
def test_cells_are_short_and_prose_leads(path):
    book = nbformat.read(path, 4)
    kinds = Counter(c.cell_type for c in book.cells)
    assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# ")
    assert kinds["markdown"] >= 0.5 * kinds["code"]
    longest = max(len([x for x in c.source.splitlines() if x.strip()]) for c in code_cells(path))
    assert longest <= 25


SCORES = {
    "accuracy", "choose_prompting", "compare", "evaluate", "generate", "grade", "graded", "loss", "mean_loss", "pack_loss", "percent", "score", "score_items",
}  # fmt: skip
CONTENDERS = {
    "gguf_model",
    "local_model",
    "nearest_neighbour",
    "openai_endpoint",
    "prompted",
    "retrieve_and_fill",
}  # what they return answers


def scored_on_the_test(source: str) -> list[str]:
    """Calls in `source` that score something, or let a model answer it, and are handed the test: `data.test`, a record's
    "test", or a name that was made from one of them. Counting, and looking for leaks, is no scoring."""
    from_test: set[str] = set()
    contenders = {"contender"}

    def touches(node: ast.AST) -> bool:
        return any(
            (isinstance(n, ast.Attribute) and n.attr == "test")
            or (isinstance(n, ast.Constant) and n.value == "test")
            or (isinstance(n, ast.Name) and n.id in from_test)
            for n in ast.walk(node)
        )

    def name_of(called: ast.AST) -> str:
        return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")

    def is_contender(made: ast.AST) -> bool:
        return isinstance(made, ast.Call) and name_of(made.func) in CONTENDERS

    opened = []
    for statement in ast.parse(source).body:
        for node in ast.walk(statement):
            pairs = [(t, node.value) for t in node.targets] if isinstance(node, ast.Assign) else []
            if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value:
                pairs = [(node.target, node.value)]
            if isinstance(node, (ast.For, ast.comprehension)):
                pairs = [(node.target, node.iter)]
            for target, value in pairs:
                names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
                from_test = from_test | names if touches(value) else from_test - names
                contenders = contenders | names if is_contender(value) else contenders - names
        for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
            scores = name_of(call.func) in SCORES | contenders or is_contender(call.func)
            if scores and any(map(touches, [*call.args, *(k.value for k in call.keywords)])):
                opened.append(ast.unparse(call))
    return opened


@pytest.mark.parametrize("path", [b for b in BOOKS if b.name < "06"], ids=lambda p: p.stem)
def test_the_test_stays_closed_until_notebook_06(path):
    assert not scored_on_the_test("\n".join(c.source for c in code_cells(path)))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "forge_lib").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_no_module_scores_on_the_test_by_itself(path):
    """Who scores on it hands it over: a notebook from 06 on, or a person's command line (`--part test`)."""
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    assert not [call for f in functions for call in scored_on_the_test("\n".join(map(ast.unparse, f.body)))]


@pytest.mark.parametrize(
    "source",
    [
        "evaluate('SFT', contender, data, data.test)",
        "few = spread(data.test, 5)\nrecords = evaluate('SFT', contender, data, few)",
        "for pair in data.test:\n    score(answer, pair.sql, path)",
        "right = [grade('SFT', data, [p], answers) for p in load_course().test]",
        "compare(graded(alone, 'test'), graded(both, 'test'), seed)",
        "percent(row['test'])",
        "engine.loss(model, packs_of(data.test))",
        "pack_loss(model, make_packs(data, data.test, tokenizer, 8, 1024), 0, dtype)",
        "contender(data.test)",
        "answers = local_model(model, tokenizer, data, 64, 8)(data.test)",
        "ask = local_model(model, tokenizer, data, 64, 8)\nask(data.test)",
        "few: list = data.test\nscore(few[0].sql, few[0].sql, path)",
        "print(len(few := data.test[:5]))\nevaluate('SFT', contender, data, few)",
    ],
)
def test_a_look_at_the_test_is_seen(source):
    assert scored_on_the_test(source)


@pytest.mark.parametrize(
    "source", ["len(data.test)", "few = data.test\nfew = data.validation\nevaluate('a', b, data, few)"]
)
def test_counting_the_test_is_no_look_at_it(source):
    assert not scored_on_the_test(source)


@pytest.mark.slow
@pytest.mark.enable_socket
def test_the_whole_course_runs_on_smoke(tmp_path, monkeypatch, capfd, shallow_base):
    """Every notebook through papermill, each in a fresh kernel, with the hubs switched off."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, said = run_all.main(["--profile", "smoke", "--run", "smoke"]), capfd.readouterr()
    assert code == 0, f"{said.err[-3000:]}\n{said.out[-1500:]}"
    done = {p.name for p in (tmp_path / "smoke" / "notebooks").glob("*.ipynb")}
    assert done == {b.name for b in BOOKS}


@pytest.mark.slow
@pytest.mark.spider
@pytest.mark.enable_socket
def test_the_data_lesson_runs_on_spider(tmp_path, monkeypatch, spider_dir, shallow_base):
    """One parameter puts Spider in the place of the course's own data; the lessons run on a small folder in tests/tasks/sql/sources/test_own_folder.py."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert (
        run_all.main(["--profile", "smoke", "--run", "spider", "--data", f"spider:{spider_dir}", "--only", "02"]) == 0
    )


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
