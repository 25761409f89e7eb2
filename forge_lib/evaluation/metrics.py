"""From completions to records, and from records to a table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from forge_lib.data.items import GROUPS, Item, group
from forge_lib.evaluation.contenders import Contender
from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.statistics import contexts, interval_note
from forge_lib.lab.files import RunError
from forge_lib.models.generate import Completion
from forge_lib.tasks import COURSE, GoldError, TaskData, get


def evaluate(name: str, contender: Contender, data: TaskData, items: Sequence[Item], suite: bool = False) -> list[dict]:
    """One record an item: question, gold, answer, verdict (lenient and strict extraction), tokens, seconds.

    suite: as in `grade`
    """
    return grade(name, data, items, contender(items), suite)


def grade(
    name: str, data: TaskData, items: Sequence[Item], completions: Sequence[Completion], suite: bool = False
) -> list[dict]:
    """Score completions against the gold with the task's one scorer.

    suite: also on several states of what the items ask about, where the task has them. A record then holds on how many
    states the answer was right and was tried (`states_passed` of `states`; 0 of 1 where it is wrong on the usual one),
    whether on all of them (`correct_all`), and what was left out (`states_notes`).

    An item whose gold fails is left out, with a warning that names it: no answer could be right or wrong. Raises
    GoldError when that leaves no item.
    """
    records, failed = [], None
    for item, done in zip(items, completions, strict=True):
        try:
            lenient, strict = data.score(item, done.text), data.score(item, done.text, strict=True)
        except GoldError as error:
            warnings.warn(f"{item.id} is left out of the evaluation. {error}", stacklevel=2)
            failed = error
            continue
        records.append(
            {"contender": name, **item.as_record(), "answer": done.text,
             "predicted": lenient.predicted, "verdict": lenient.verdict, "error": lenient.error,
             "correct": lenient.correct, "valid": lenient.valid, "correct_strict": strict.correct, "prompt_tokens": done.prompt_tokens,
             "completion_tokens": done.completion_tokens, "seconds": done.seconds, "finished": done.finished}
        )  # fmt: skip
    if failed and not records:
        raise GoldError(f"Every item is left out, so there is nothing to score. The last: {failed}")
    return with_suite(data, items, records) if suite else records


def with_suite(data: TaskData, items: Sequence[Item], records: Sequence[dict]) -> list[dict]:
    """The records of `items`, in any order, with the result of `TaskData.score_suite`, where the task has several states.

    So kept records, which hold the answers, can be graded again without a model.
    """
    by_id = {item.id: item for item in items}
    found = data.score_suite([by_id[r["id"]] for r in records], [r["answer"] for r in records])
    return [
        record if one is None else record | {"correct_all": one.correct, "states_passed": one.passed,
                                             "states": one.states, "states_notes": list(one.notes)}
        for record, one in zip(records, found, strict=True)
    ]  # fmt: skip


def add_metrics(data: TaskData, records: Sequence[dict], names: Sequence[str]) -> list[dict]:
    """The records with a column for each of `names`, metrics that the task offers (`data.metrics()`): None for a bad gold.

    Raises RunError for a name that the task does not offer.
    """
    offered = data.metrics()
    for name in names:
        if name not in offered:
            raise RunError(f"There is no metric '{name}' here. This task offers: {', '.join(offered) or 'none'}.")
    columns = {name: offered[name](records) for name in names}
    return [record | {name: columns[name][n] for name in names} for n, record in enumerate(records)]


def accuracy(records: Sequence[dict], where: Callable[[dict], bool] = lambda r: True) -> float:
    """Execution accuracy, 0 to 1, of the records that satisfy `where`; nan when none does."""
    values = [r["correct"] for r in records if where(r)]
    return float(np.mean(values)) if values else float("nan")


def summary_row(records: Sequence[dict], seed: int = 17) -> dict:
    """Execution accuracy with 95% intervals (see `cluster_interval`), overall and by group (plain questions on
    seen and on unseen schemas, hard wordings); tokens and latency. seed: as in other summaries; nothing is drawn here."""
    if not records:
        raise ValueError("There is no answer to summarize: every item was left out, or none was asked.")
    row: dict = {"contender": records[0]["contender"], "items": len(records)}
    for label in ("all", *GROUPS):
        chosen = [r for r in records if label in ("all", group(r))]
        if not chosen:
            continue
        low, high = cluster_interval([r["correct"] for r in chosen], contexts(chosen))
        row |= {label: 100 * accuracy(chosen), f"{label}_low": 100 * low, f"{label}_high": 100 * high}
    row["interval_note"] = interval_note(contexts(records))
    row["strict"] = 100 * float(np.mean([r["correct_strict"] for r in records]))
    row["valid_sql"] = 100 * float(np.mean([r["valid"] for r in records]))  # the column's name in runs that are kept
    row["prompt_tokens"] = float(np.mean([r["prompt_tokens"] for r in records]))
    row["completion_tokens"] = float(np.mean([r["completion_tokens"] for r in records]))
    row["seconds"] = float(np.mean([r["seconds"] for r in records]))
    return row


def result_table(rows: Sequence[dict]) -> pd.DataFrame:
    """Rows of `summary_row` as the table people read: percent with [low, high]."""
    shown = []
    for row in rows:
        cells = {"contender": row["contender"]}
        for label in ("all", *GROUPS):
            if label in row:
                cells[label] = f"{row[label]:.1f} [{row[label + '_low']:.1f}, {row[label + '_high']:.1f}]"
        cells |= {"strict": f"{row['strict']:.1f}", "runs": f"{row['valid_sql']:.1f}",
                  "tokens in": f"{row['prompt_tokens']:.0f}", "tokens out": f"{row['completion_tokens']:.0f}",
                  "s/question": f"{row['seconds']:.2f}"}  # fmt: skip
        shown.append(cells)
    return pd.DataFrame(shown).set_index("contender")


def by_difficulty(records_by_name: dict[str, Sequence[dict]], task: str = COURSE) -> pd.DataFrame:
    """Accuracy (percent) by the task's levels of difficulty, one row a contender, and the number of items of each level."""
    levels = get(task).LEVELS
    table = {
        name: {level: 100 * accuracy(records, lambda r, level=level: r.get("difficulty") == level) for level in levels}
        for name, records in records_by_name.items()
    }
    first = next(iter(records_by_name.values()))
    table["items"] = {level: sum(r.get("difficulty") == level for r in first) for level in levels}
    return pd.DataFrame(table).T.round(1)
