"""The table of cases: read, and its databases built."""

import json
import sqlite3
from pathlib import Path

HERE = Path(__file__).parent


def cases() -> list[dict]:
    """The cases, without the line at the head that says what they are."""
    lines = (HERE / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[1:]]


def build(name: str, folder: Path) -> Path:
    """The database of `<name>.sql` in a folder of its own: Spider's script scores on all it finds in one."""
    path = folder / f"{name}.sqlite"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(path) as connection:
            connection.executescript((HERE / f"{name}.sql").read_text(encoding="utf-8"))
        connection.close()
    return path
