"""A file that somebody brings becomes a database to ask: a SQLite file copied as it is now, a CSV file as one table."""

from __future__ import annotations

import contextlib
import io
import re
import sqlite3
import warnings
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.readers import read_text, separator_of
from forge_lib.lab.files import said
from forge_lib.tasks.sql.databases import why_unreadable
from forge_lib.tasks.sql.schema import fold
from forge_lib.tasks.sql.sources.folder import take_in

MAX_MB = 100  # of an upload
_MAX_COLUMNS = 2000  # of a table, as SQLite is built by default
CSV = (".csv", ".tsv")
_ENDINGS = (".sqlite", ".sqlite3", ".db", *CSV)
# Up to 15 digits: more would be rounded as soon as a cell of the column is empty. "007" is a name, not a number.
_WHOLE = r"-?(0|[1-9]\d{0,14})"
_MISSING = r"n/?a|#n/a|null|none|nan|\\n|-+"  # R, spreadsheets, MySQL and Python write so
_UNITS = "$€£¥%"
_NAMELESS = re.compile(r"Unnamed: \d+")  # what pandas calls a column without a name
_DECIMAL = rf"({_WHOLE}|-?0?\.\d+|-?(0|[1-9]\d*)\.\d+)([eE][+-]?\d{{1,3}})?"


def take_upload(origin: Path, folder: Path, max_mb: float = MAX_MB) -> Path:
    """A SQLite file made of the file at `origin`, in `folder` and under its name; `origin` stays as it is.

    max_mb: how large it may be (MB). Raises DataError, in a sentence, for a file that is larger, no database and no
    table, or empty; RunError where the disk is too small. Then nothing is left in `folder`.
    """
    size = origin.stat().st_size / 2**20
    if size > max_mb:
        raise DataError(f"{origin.name} has {size:.0f} MB, and {max_mb:g} MB are taken. {_LARGER}")
    target = folder / f"{origin.stem}.sqlite"
    try:
        if origin.suffix.lower() in CSV:
            _csv_to_sqlite(origin, target)
        elif origin.suffix.lower() == ".sql":  # whose statements could run for ever
            raise DataError(f"{origin.name} {why_unreadable(origin) or 'is named like a script of SQL. Rename it'}.")
        else:
            take_in(origin, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


_LARGER = "Start the demo on your machine with --db FILE: that has no limit and makes no copy."


def _csv_to_sqlite(origin: Path, target: Path) -> None:
    """Write a CSV file (UTF-8; separated by comma, semicolon, tab or bar) as the one table of a new SQLite file.

    The table has the file's name and the columns those of its first line, with `_` for what is no letter or digit.
    Columns of numbers only become numbers, NA or NULL among them none: also where they are written 1,200 or $12.50 or 45%,
    and 1.200,50 where semicolons separate (1.200 alone too, if the whole column is written so). What begins with a zero stays
    text, and so do dates. Rows without a value, and columns without a value and a name, are none. Raises DataError.
    """
    frame = _read_table(origin)
    table = _plain(origin.stem) or "data"
    table = f"my_{table}" if fold(table).startswith("sqlite_") else table
    try:
        with contextlib.closing(sqlite3.connect(target)) as database, database:
            frame.to_sql(table, database, index=False)
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise DataError(f"{origin.name} does not fit into a SQLite table ({said(error)}).") from error


def _read_table(path: Path):
    """A CSV file as a pandas DataFrame, with names and types as `csv_to_sqlite` says. Raises DataError."""
    import pandas as pd

    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path.name} is empty. Its first line should name the columns, and rows should follow.")
    separator, announced = separator_of(text)
    text = text.partition("\n")[2] if announced else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the first line would be cut
            frame = pd.read_csv(
                io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, na_values=[""], index_col=False,
                skipinitialspace=True,
            )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, ValueError) as error:
        raise DataError(
            f"{path.name} is no table ({said(error)}). Every row needs as many fields as the first line."
        ) from error
    frame = frame.dropna(how="all")  # what a spreadsheet leaves below and among its rows is none to count
    frame = frame.loc[:, [not _NAMELESS.fullmatch(str(name)) or frame[name].notna().any() for name in frame.columns]]
    if frame.empty:
        raise DataError(f"{path.name} has a first line and no rows below it, so there is nothing to ask.")
    if len(frame.columns) > _MAX_COLUMNS:
        raise DataError(f"{path.name} has {len(frame.columns):,} columns, and a SQLite table holds {_MAX_COLUMNS:,}.")
    frame.columns = _names([str(c) for c in frame.columns])
    return frame.apply(_typed, decimal="," if separator == ";" else ".")


def _typed(column, decimal: str):
    """A column of text as numbers, where all of it is: what other programs write for a missing one aside."""
    import pandas as pd

    if column.isna().all():
        return column
    bare = column.str.strip()  # some programs pad their columns
    bare = bare.where(~bare.str.fullmatch(_MISSING, case=False, na=False))
    there = bare.dropna()
    if there.empty:
        return column
    if there.str.fullmatch(_WHOLE).all():
        return pd.to_numeric(bare).astype("Int64")
    thousands = "." if decimal == "," else ","
    one_unit = there.str.extract(f"([{_UNITS}])")[0].nunique() < 2
    if one_unit and there.str.fullmatch(_written(thousands, decimal)).all():
        plain = bare.str.replace(rf"[{_UNITS}\s{re.escape(thousands)}]", "", regex=True)
        return pd.to_numeric(plain.str.replace(decimal, ".", regex=False))
    pointed = bare
    if decimal == "," and not there.str.contains(".", regex=False).any():
        pointed = bare.str.replace(",", ".", regex=False)
    return pd.to_numeric(pointed) if pointed.dropna().str.fullmatch(_DECIMAL).all() else column


def _written(thousands: str, decimal: str) -> str:
    """Numbers as people write them: 1,200 or $12.50 or 45%; in a file whose decimals have a comma 1.200 is 1200 too."""
    number = (
        rf"(?:0|[1-9]\d{{0,14}}|[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}}){{1,4}})(?:{re.escape(decimal)}\d+)?"
    )
    return rf"-?[{_UNITS}]?\s?-?{number}\s?[{_UNITS}]?"


def _names(columns: list[str]) -> list[str]:
    """Names that SQL takes without quotes as far as that goes, each once whatever the case of its letters."""
    names: dict[str, str] = {}  # by what SQLite takes for one
    for number, column in enumerate(columns, 1):
        plain = "" if _NAMELESS.fullmatch(column) else _plain(column)
        name, again = plain or f"column_{number}", 2
        while fold(name) in names:
            name, again = f"{plain or 'column'}_{again}", again + 1
        names[fold(name)] = name
    return list(names.values())


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_")
