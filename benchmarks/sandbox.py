"""Queries a second through the sandbox, on the course's own data: `python -m benchmarks.sandbox`."""

import time

from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import connect_readonly
from forge_lib.tasks.sql.score import score
from forge_lib.tasks.sql.sources.course import load_course


def rate(run, pairs) -> float:
    """Calls of `run` a second over `pairs`."""
    began = time.perf_counter()
    for pair in pairs:
        run(pair)
    return len(pairs) / (time.perf_counter() - began)


def main() -> None:
    """Print three rates: sqlite3 in this process (no protection), the sandbox, and the whole scorer."""
    data = load_course()
    pairs = (data.train + data.test)[:3000]
    open_files = {p.db_id: connect_readonly(data.database(p.db_id)) for p in pairs}
    with Sandbox() as sandbox:
        sandbox.run(data.database(pairs[0].db_id), "SELECT 1")
        print(f"{len(pairs)} golds of the course")
        print(
            f"sqlite3 in process, unprotected: {rate(lambda p: open_files[p.db_id].execute(p.sql).fetchall(), pairs):8.0f}/s"
        )
        print(
            f"sandbox:                         {rate(lambda p: sandbox.run(data.database(p.db_id), p.sql), pairs):8.0f}/s"
        )
        print(
            f"scorer (gold and prediction):    {rate(lambda p: score(p.sql, p.sql, data.database(p.db_id), sandbox), pairs):8.0f}/s"
        )


if __name__ == "__main__":
    main()
