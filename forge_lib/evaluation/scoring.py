"""A scoring that can be stopped: every answer is on the disk as it comes, and the result is one JSON file that says of what.

The file has, in this order: schema (SCHEMA, raised when a name changes its meaning), complete, settings (what two results must
share to be compared item by item; the fingerprint of the items among them), model, versions, items, left_out, metrics.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from forge_lib.data.items import GROUPS, Item, group
from forge_lib.evaluation.contenders import Contender
from forge_lib.evaluation.metrics import accuracy, grade, summary_row
from forge_lib.lab.files import RunError, json_text, read_json, shown, write_atomically
from forge_lib.lab.jsonl import append_jsonl, cut_torn_tail, read_jsonl
from forge_lib.lab.runs import versions
from forge_lib.tasks import GoldError, TaskData

_SCHEMA = 1
_AGAIN = "Give another file with --out, or delete it and what is beside it, and all is asked anew."


def predictions_file(out: Path) -> Path:
    """Where the answers stand, a line an item: beside the result.

    >>> predictions_file(Path("base.json")).name
    'base.predictions.jsonl'
    """
    return out.with_suffix(".predictions.jsonl")


def score_items(
    name: str, contender: Contender, data: TaskData, items: Sequence[Item], settings: dict, out: Path,
    model: dict | None = None, at_once: int = 16, progress: bool = True,
) -> dict:  # fmt: skip
    """The result of a contender on `items`, also written to `out`; answers to `predictions_file(out)`, as `grade` has them.

    settings: what the answers depend on; a file
    `out` of other settings is refused. at_once: items between two writings. Raises RunError for files that are damaged or
    of another scoring, GoldError where every item is left out because its own answer fails.
    """
    _begin(out, settings, model)
    known = _known(out, {i.id for i in items})
    waiting = [i for i in items if i.id not in known]
    for record in _answered(name, contender, data, waiting, at_once, progress):
        append_jsonl(predictions_file(out), record)
        known[record["id"]] = record
    records = [known[i.id] for i in items if "left_out" not in known[i.id]]
    if not records:
        raise GoldError(
            f"Every item is left out, so there is nothing to score. The last: {known[items[-1].id]['left_out']}"
        )
    result = _head(settings, model, True) | {
        "items": len(records), "left_out": {i.id: known[i.id]["left_out"] for i in items if "left_out" in known[i.id]},
        "metrics": _measures(records),
    }  # fmt: skip
    write_atomically(out, json_text(result, indent=1) + "\n")
    return result


def _head(settings: dict, model: dict | None, complete: bool) -> dict:
    return {"schema": _SCHEMA, "complete": complete, "settings": settings, "model": model or {}, "versions": versions()}


def _begin(out: Path, settings: dict, model: dict | None) -> None:
    """Write the head of a result that is to come, unless it is there. Raises RunError for another scoring's."""
    beside = predictions_file(out)
    if not out.exists():
        if beside.exists():
            raise RunError(f"{shown(beside)} is there without {out.name}, which says what it is of. {_AGAIN}")
        write_atomically(out, json_text(_head(settings, model, False), indent=1) + "\n")
        return
    before = read_json(out, _AGAIN)
    there = before.get("settings")
    if before.get("schema") != _SCHEMA or not isinstance(there, dict):
        raise RunError(f"{shown(out)} is no result of this version of the evaluation. {_AGAIN}")
    changed = [key for key in {**settings, **there} if settings.get(key) != there.get(key)]
    if changed:
        was, now = there.get(changed[0]), settings.get(changed[0])
        raise RunError(
            f"{shown(out)} was begun with another setting ({changed[0]}: {was!r} there, {now!r} now). {_AGAIN}"
        )


def _known(out: Path, ids: set[str]) -> dict[str, dict]:
    """What is answered already, by item."""
    path = predictions_file(out)
    if not path.exists():
        return {}
    cut_torn_tail(path)
    known = {}
    for record in read_jsonl(path, _AGAIN):
        if record.get("id") not in ids or not {"correct", "left_out"} & record.keys():
            raise RunError(f"{shown(path)} holds a line that is no answer to an item of this scoring. {_AGAIN}")
        known[record["id"]] = record
    return known


def _answered(
    name: str, contender: Contender, data: TaskData, items: Sequence[Item], at_once: int, progress: bool
) -> Iterator[dict]:
    """Records of items in their order of answering; of one whose own answer fails {"id", "context", "left_out": why}."""
    from tqdm import tqdm

    right = done = 0
    with tqdm(total=len(items), desc=name, disable=not progress, unit="item") as bar:  # it says how much time is left
        for at in range(0, len(items), at_once):
            part = items[at : at + at_once]
            for item, completion in zip(part, contender(part), strict=True):
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # what it would say is kept and counted
                        [record] = grade(name, data, [item], [completion])
                    record["error_class"] = data.error_class(record)
                    right, done = right + record["correct"], done + 1
                except GoldError as error:
                    record = {"id": item.id, "context": item.context, "left_out": str(error)}
                yield record
            bar.set_postfix_str(f"{right} of {done} right")
            bar.update(len(part))


def _measures(records: Sequence[dict]) -> dict:
    """What is counted of records: accuracy in percent with its interval by group; accuracy by difficulty; counts of verdicts
    and error classes; strict and valid answers in percent; mean tokens and seconds of an answer."""
    row = summary_row(records)
    groups = {
        label: {"items": sum(label in ("all", group(r)) for r in records),
                "percent": row[label], "low": row[f"{label}_low"], "high": row[f"{label}_high"]}
        for label in ("all", *GROUPS) if label in row
    }  # fmt: skip
    levels = dict.fromkeys(r["difficulty"] for r in records if r.get("difficulty"))
    by_level = {level: {"items": sum(r.get("difficulty") == level for r in records),
                        "percent": 100 * accuracy(records, lambda r, level=level: r.get("difficulty") == level)}
                for level in sorted(levels)}  # fmt: skip
    return {
        "accuracy": groups, "interval_note": row["interval_note"], "by_difficulty": by_level,
        "verdicts": dict(Counter(r["verdict"] for r in records).most_common()),
        "error_classes": dict(Counter(r["error_class"] for r in records).most_common()),
        "strict_percent": row["strict"], "valid_percent": row["valid_sql"],
        "prompt_tokens": row["prompt_tokens"], "completion_tokens": row["completion_tokens"], "seconds": row["seconds"],
    }  # fmt: skip
