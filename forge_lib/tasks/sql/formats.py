"""Conversations and pairs in the files that other tools write and read; every error names file and line.

Conversations (`chat`, `alpaca`, `sharegpt`) are what a trainer reads: turns of text, the schema among them.
Pairs (`spider`, `bird`, `csv`, `jsonl`) are what this course works on: a question and its SQL about a database.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.readers import fault, field_name, records, rows
from forge_lib.lab.files import json_text, write_atomically
from forge_lib.lab.jsonl import json_lines
from forge_lib.models.chat import Message
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.pairs import Pair

_Conversation = list[Message]
_SHAREGPT_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "human": "user", "gpt": "assistant"}
_HALF = re.compile("[\ud800-\udfff]")  # of a character that JSON can spell and no file can hold
_FIELDS = tuple(Pair.__dataclass_fields__)
_AFTER_SQL = "; \t\r\n"  # what may stand behind a query and is no part of it
_ASKED = ("db_id", "question", "sql")  # the fields that no pair lacks
_MEANT = {"query": "sql", "answer": "sql", "gold": "sql", "db": "db_id", "database": "db_id", "schema": "db_id",
         "nl": "question", "text": "question", "prompt": "question", "level": "difficulty"}  # fmt: skip


def conversation(data: DataSet, pair: Pair) -> _Conversation:
    """The turns of one pair: schema, question, SQL."""
    return [*data.messages(pair), {"role": "assistant", "content": pair.sql}]


def to_prompt_completion(data: DataSet, pair: Pair) -> dict:
    """TRL's prompt/completion record, which gives completion-only loss without a special template."""
    turns = conversation(data, pair)
    return {"prompt": turns[:-1], "completion": turns[-1:]}


def _to_chat(turns: _Conversation) -> dict:
    """OpenAI's and TRL's conversational record: {"messages": [{"role", "content"}, …]}."""
    return {"messages": turns}


def _from_chat(record: dict) -> _Conversation:
    """The turns of a conversational record."""
    return [{"role": t["role"], "content": t["content"]} for t in record["messages"]]


def _to_sharegpt(turns: _Conversation) -> dict:
    """ShareGPT record: {"conversations": [{"from": "system" | "human" | "gpt", "value"}, …]}."""
    names = {role: name for name, role in _SHAREGPT_ROLES.items()}
    return {"conversations": [{"from": names[t["role"]], "value": t["content"]} for t in turns]}


def _from_sharegpt(record: dict) -> _Conversation:
    """The turns of a ShareGPT record."""
    turns = [{"role": _SHAREGPT_ROLES[t["from"]], "content": t["value"]} for t in record["conversations"]]
    above = record.get("system")  # where LLaMA-Factory keeps it
    return (
        [{"role": "system", "content": above}, *turns]
        if above and turns[:1] and turns[0]["role"] != "system"
        else turns
    )


def _to_alpaca(turns: _Conversation) -> dict:
    """Alpaca record with the fields that later tools added for several turns:
    {"system", "instruction", "input", "output", "history": [[asked, answered], …]}; `input` is always empty."""
    system = turns[0]["content"] if turns[0]["role"] == "system" else ""
    said = [t["content"] for t in turns if t["role"] != "system"]
    history = [[asked, answered] for asked, answered in zip(said[:-2:2], said[1:-2:2], strict=True)]
    return {"system": system, "instruction": said[-2], "input": "", "output": said[-1], "history": history}


def from_alpaca(record: dict) -> _Conversation:
    """The turns of an Alpaca record; instruction and input are one user turn, with an empty line between them.

    >>> [t["content"] for t in from_alpaca({"instruction": "Add.", "input": "1, 2", "output": "3"})]
    ['Add.\\n\\n1, 2', '3']
    """
    asked = "\n\n".join(filter(None, (record["instruction"], record.get("input"))))
    turns = [{"role": "system", "content": record["system"]}] if record.get("system") else []
    for before, after in [*(record.get("history") or []), [asked, record["output"]]]:
        turns += [{"role": "user", "content": before}, {"role": "assistant", "content": after}]
    return turns


def _bare(sql: str) -> str:
    """A query without what stands behind it; nothing but that stays, to be named with the golds that fail, and so does what
    is no text, to be named at once."""
    return (sql.rstrip(_AFTER_SQL) or sql) if isinstance(sql, str) else sql


def _from_spider(record: dict, ident: str) -> Pair:
    synonyms = "SpiderSynQuestion" in record  # Spider-Syn's files hold the paraphrase under a name of its own
    question, sql = record["SpiderSynQuestion" if synonyms else "question"], _bare(record["query"])
    return Pair(ident, record["db_id"], question, sql, wording="synonyms" if synonyms else "")


def _from_bird(record: dict, ident: str) -> Pair:
    if record.get("question_id") is not None:  # the training part has neither question_id nor difficulty
        ident = str(record["question_id"])
    return Pair(ident, record["db_id"], record["question"], _bare(record["SQL"]),
                difficulty=record.get("difficulty") or "", evidence=record.get("evidence") or "")  # fmt: skip


def _from_plain(record: dict, ident: str) -> Pair:
    unknown = sorted(set(record) - set(_FIELDS))
    if unknown:
        meant = f"; call it '{_MEANT[unknown[0]]}'" if unknown[0] in _MEANT else ""
        raise ValueError(f"the field '{unknown[0]}' is unknown; a pair has {', '.join(_FIELDS)}{meant}")
    filled = {key: value for key, value in record.items() if value is not None and str(value).strip()}
    if type(filled.get("id")) is int:
        filled["id"] = str(filled["id"])
    if isinstance(filled.get("db_id"), str):
        filled["db_id"] = filled["db_id"].strip()
    if "sql" in filled:
        filled["sql"] = _bare(filled["sql"])
    return Pair(**{"id": ident, **{key: record[key] for key in _ASKED}, **filled})


def _named(record: dict) -> dict:
    """The record with the names of its fields as a pair spells them."""
    found = {field_name(key): value for key, value in record.items()}
    if len(found) < len(record):
        raise ValueError("two of its fields have one name")
    return found


CONVERSATIONS: dict[str, tuple[Callable[[_Conversation], dict], Callable[[dict], _Conversation]]] = {
    "chat": (_to_chat, _from_chat), "alpaca": (_to_alpaca, from_alpaca), "sharegpt": (_to_sharegpt, _from_sharegpt),
}  # fmt: skip
PAIRS: dict[str, tuple[Callable[[Pair], dict], Callable[[dict, str], Pair]]] = {
    "spider": (lambda p: {"db_id": p.db_id, "question": p.question, "query": p.sql}, _from_spider),
    "bird": (lambda p: {"question_id": p.id, "db_id": p.db_id, "question": p.question, "evidence": p.evidence,
                        "SQL": p.sql, "difficulty": p.difficulty}, _from_bird),
    "csv": (Pair.fields, _from_plain), "jsonl": (Pair.fields, _from_plain),
}  # fmt: skip


def read_conversations(path: Path | str, kind: str) -> list[_Conversation]:
    """Conversations of a JSON array or a JSONL file in the format `kind`: "chat", "alpaca" or "sharegpt".

    Raises DataError with file and line for what does not parse, lacks a field, is empty, or whose turns are out of
    order (a system turn first if any, then user and assistant by turns, the assistant last).
    """
    _, read = _known(kind, CONVERSATIONS)
    found = []
    for line, record in records(Path(path)):
        with _located(Path(path), line, kind):
            found.append(read(record))
            _check_turns(found[-1])
    return found


def write_conversations(path: Path | str, conversations: Sequence[_Conversation], kind: str) -> None:
    """Write conversations as JSONL in the format `kind`, whole or not at all."""
    write, _ = _known(kind, CONVERSATIONS)
    write_atomically(Path(path), json_lines(write(c) for c in conversations))


def read_pairs(path: Path | str, kind: str, db_id: str = "") -> list[Pair]:
    """Pairs of a file in the format `kind`: "spider" and "bird" (JSON), "csv" (with a header), "jsonl".

    A pair without an id gets one from the file's name and its place in it; one without a database gets `db_id`, if that
    is given. Case and spaces in the names of fields mean nothing (csv, jsonl). Raises DataError with file and line for
    what does not parse, lacks a field, is empty, names no database, or (csv, jsonl) has a field that no pair has.
    """
    _, read = _known(kind, PAIRS)
    path, pairs = Path(path), []
    for line, record in rows(path, {"question", "sql"}) if kind == "csv" else records(path):
        with _located(path, line, kind):
            record = _named(record) if kind in ("csv", "jsonl") else record
            if db_id and not record.get("db_id"):
                record["db_id"] = db_id
            pairs.append(read(record, f"{path.stem}-{len(pairs):05d}"))
            _check_pair(pairs[-1])
    return pairs


def _check_pair(pair: Pair) -> None:
    for name, value in vars(pair).items():
        if not isinstance(value, str) or (name in _ASKED and not value.strip()):
            raise ValueError(f"the pair's {name} is empty or not a text")
        if _HALF.search(value):
            raise ValueError(f"the pair's {name} holds half a character (a lone surrogate)")
    if pair.db_id in (".", "..") or set(pair.db_id) & set("/\\:\0"):  # it becomes a path
        raise ValueError(f"the pair's db_id '{pair.db_id[:60]}' is no plain name of a database")
    if len(pair.db_id.encode()) > 200:
        raise ValueError(f"the pair's db_id is longer than a file's name can be: '{pair.db_id[:60]}…'")


def write_pairs(path: Path | str, pairs: Sequence[Pair], kind: str) -> None:
    """Write pairs in the format `kind`, whole or not at all. Raises DataError where CSV cannot hold a pair."""
    write, _ = _known(kind, PAIRS)
    records = [write(pair) for pair in pairs]
    if kind == "csv":
        for pair in pairs:
            if _HALF.search("".join(vars(pair).values())):
                raise DataError(
                    f"{Path(path).name}: the pair '{pair.id}' holds half a character (a lone surrogate). Mend it."
                )
        out = io.StringIO(newline="")
        table = csv.DictWriter(out, _FIELDS, lineterminator="\n", quoting=csv.QUOTE_ALL)
        table.writeheader()
        table.writerows(records)
        text = out.getvalue()
    else:
        text = json_lines(records) if kind == "jsonl" else json_text(records, indent=1) + "\n"
    write_atomically(Path(path), text)


def _known(kind: str, kinds: dict) -> tuple[Callable, Callable]:
    if kind not in kinds:
        raise DataError(f"There is no format '{kind}'. Choose one of: {', '.join(kinds)}.")
    return kinds[kind]


@contextlib.contextmanager
def _located(path: Path, line: int, kind: str) -> Iterator[None]:
    """What goes wrong with one record becomes a DataError that says where it stands."""
    try:
        yield
    except KeyError as error:
        raise fault(path, line, f"the field or role {error} is missing or unknown in {kind}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise fault(path, line, f"this is no {kind} record: {error}") from error


def _check_turns(turns: _Conversation) -> None:
    roles = [str(t["role"]) for t in turns]
    body = roles[1:] if roles[:1] == ["system"] else roles
    if not body or body != ["user", "assistant"] * (len(body) // 2):
        raise ValueError(f"the turns are {', '.join(roles) or 'none'}; wanted are user and assistant by turns, "
                         "the assistant last, with at most one system turn in front")  # fmt: skip
    for turn in turns:
        if not isinstance(turn["content"], str) or not turn["content"].strip():
            raise ValueError(f"a {turn['role']} turn is empty or not a text")
