"""The verdicts of the official scorers on the cases of `cases.jsonl`, asked of their own code, which is not part of this repository.

    git clone https://github.com/taoyds/test-suite-sql-eval
    git clone https://github.com/bird-bench/mini_dev
    python tests/tasks/sql/scorer_cases/official.py test-suite-sql-eval mini_dev/evaluation

The table was made with commits e97acc5 and 4d970a9. Spider's script needs `sqlparse`. BIRD's needs `func_timeout` and
drivers of other databases, which take no part in a verdict: they are replaced here, and the time limit with them. Prints
every case whose verdict is another than the one in the table.
"""

import json
import pathlib
import sys
import tempfile
import types

from cases import build, cases


def verdicts(found: list[dict], folder: pathlib.Path) -> list[tuple[bool, bool]]:
    """Spider's (the defaults: values predicted, DISTINCT taken out) and BIRD's verdict on each case."""
    import evaluation_ex
    import exec_eval

    answers = []
    for case in found:
        path = str(build(case["database"], folder / case["database"]))
        try:
            spider = bool(exec_eval.eval_exec_match(path, case["answer"], case["gold"], False, False, False))
        except Exception:  # ends a run of the official script: no SQL in an answer, a gold that does not run
            spider = "fails"
        bird = evaluation_ex.execute_model(case["answer"], case["gold"], path, 0, 30.0, "SQLite")
        answers.append((spider, bool(bird["res"])))
    return answers


def main() -> None:
    sys.path[:0] = sys.argv[1:3]
    drivers = {name: types.ModuleType(name) for name in ("psycopg2", "pymysql", "func_timeout")}
    drivers["func_timeout"].func_timeout = lambda seconds, function, args: function(*args)
    drivers["func_timeout"].FunctionTimedOut = TimeoutError
    sys.modules |= drivers
    found = cases()
    with tempfile.TemporaryDirectory() as folder:
        for case, verdict in zip(found, verdicts(found, pathlib.Path(folder)), strict=True):
            if verdict != (case["spider"], case["bird"]):
                print(json.dumps(case["answer"]), "spider and bird say", verdict)
    print(len(found), "cases")


if __name__ == "__main__":
    main()
