"""What is the matter with a file that should be a SQLite database, said so that its owner knows what to do."""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = b"SQLite format 3\0"
LOCKED = "database is locked"  # SQLite's words
IS_LOCKED = "is locked by another program. Close it there, or give a copy of the file"
_OTHERS = (  # how files begin that are met under a database's name
    (rb"version https://git-lfs", "is a pointer of Git LFS and not the file itself. Run: git lfs pull"),
    (rb"(?s:PK\x03\x04.{26}(\[Content_Types\]|_rels|mimetype))", "is a spreadsheet or another office document. Save its table as CSV"),
    (rb"PAR1", "is a Parquet file. Write its table into a SQLite file first, with pandas' to_sql for instance"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|BZh|\xfd7zXZ", "is a compressed archive. Unpack it"),
    (rb"\s*<(!doctype|html|\?xml)", "is a web page. Download the file itself"),
    (rb"\s*(--|/\*|create\s|begin\b|pragma\s|insert\s|drop\s|set\s)",
     "is a script of SQL. Build the database from it: sqlite3 NEW.sqlite < SCRIPT"),
    (rb"([\t\r\n -~]|[\xc2-\xf4][\x80-\xbf]+)+[\xc2-\xf4]?\Z", "is not a SQLite database but a text file. A table of comma-separated values becomes a database so: "
     "sqlite3 NEW.sqlite \".import --csv FILE TABLE\""),
)  # fmt: skip


def why_unreadable(path: Path) -> str:
    """What keeps the file at `path` from being a whole SQLite database, as the rest of a sentence; "" where nothing does.

    Looks at the header and the size only: what a damaged page holds comes out when a query reads it.

    >>> why_unreadable(Path("nowhere.sqlite"))
    'is missing'
    """
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            return f"is {'a folder' if path.is_dir() else 'a device'}. A SQLite file is wanted"
        with path.open("rb") as file:
            start = file.read(100)
        size = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    if not start:
        return "is empty (0 bytes). Copy it again"
    if not start.startswith(_HEADER):
        known = (what for begins, what in _OTHERS if re.match(begins, start, re.IGNORECASE))
        return next(known, "is not a SQLite database. It may be encrypted, or of another program: export it from there")
    expected = _bytes_by_header(start)
    unfinished = any(_size(path, end) for end in ("-wal", "-journal"))  # then the header may be ahead of the file
    if size < expected and not unfinished:
        return f"is cut off: {size:,} of {expected:,} bytes are there. Copy it again"
    return ""


def why_unread(error: Exception) -> str:
    """What SQLite's error at reading a whole file means, as the rest of a sentence."""
    if LOCKED in str(error):
        return IS_LOCKED
    return f"cannot be read as a SQLite database ({error})"


def _bytes_by_header(start: bytes) -> int:
    """Size of the whole file by its first 100 bytes (https://sqlite.org/fileformat.html); 512 where they do not say."""
    if len(start) < 100:
        return 512
    page = int.from_bytes(start[16:18], "big")
    counted = start[24:28] == start[92:96]  # else a version before 3.7 wrote last, which kept no count
    return (65536 if page == 1 else page) * int.from_bytes(start[28:32], "big") if counted else 512


def _size(path: Path, end: str) -> int:
    beside = path.with_name(path.name + end)
    return beside.stat().st_size if beside.exists() else 0
