"""`python -m forge_lib.evaluation.endpoint`: ask an endpoint what a finished run was asked, and add its row.

    OPENAI_API_KEY=… python -m forge_lib.evaluation.endpoint --run default --model gpt-5-mini --limit-dollars 2

It asks the questions that notebook 06 asked, keeps every answer on disk as it comes, scores with the same scorer, and
adds records, row and comparison to the run. A second call asks only what has no answer yet, so a stopped one goes on.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from forge_lib.data.items import DataError, Item
from forge_lib.evaluation.contenders import LEAST, messages_for, openai_endpoint
from forge_lib.evaluation.metrics import grade, result_table, summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.files import RunError
from forge_lib.lab.interrupts import ending
from forge_lib.lab.lock import held
from forge_lib.lab.runs import Run, absolute_source, existing
from forge_lib.models.endpoint import EndpointError, who_is_asked
from forge_lib.models.spending import Account, Price, price_by_hand, table_price
from forge_lib.tasks import GoldError, TaskData, get

MADE_BY = "06_evaluation"
NOT_RUN = "evaluation/not_run.json"  # contender: why there is no row of it


def add_row(
    run: Run, slug: str, records: Sequence[dict], extra: Mapping | None = None, fills: Sequence[str] = ()
) -> dict:
    """Add a contender to what a run has evaluated, or replace it: its records, its row, its comparison with SFT.

    slug: names `evaluation/<slug>.jsonl`; extra: goes into the row; fills: names under which it was called not run.
    Returns the row. A stop between the files is mended by the next call. Raises RunError where the run has no rows yet, ValueError for records of other items than SFT's.
    """
    rows = run.load_json("evaluation/rows.json", MADE_BY)
    row = summary_row(records, run.seed) | dict(extra or {})
    comparisons = []
    if slug != "sft" and run.path("evaluation", "sft.jsonl").exists():
        comparisons = [asdict(compare(run.load_records("evaluation/sft.jsonl", MADE_BY), records, run.seed))]
    try:
        others = [r for r in rows if r["contender"] != row["contender"]]
        if run.path("evaluation", "comparisons.json").exists():
            kept = run.load_json("evaluation/comparisons.json", MADE_BY)
            done = {(c["first"], c["second"], c["part"]) for c in comparisons}
            comparisons = [c for c in kept if (c["first"], c["second"], c["part"]) not in done] + comparisons
    except (TypeError, KeyError) as error:
        raise RunError(
            f"The tables of the run '{run.name}' are damaged ({type(error).__name__}: {error}). Run notebook {MADE_BY} again."
        ) from error
    run.save_records(f"evaluation/{slug}.jsonl", list(records))
    run.save_json("evaluation/rows.json", [*others, row])
    run.save_json("evaluation/comparisons.json", comparisons)
    if run.path(NOT_RUN).exists():
        missing = run.load_json(NOT_RUN, MADE_BY)
        run.save_json(NOT_RUN, {name: why for name, why in missing.items() if name not in (row["contender"], *fills)})
    return row


def with_not_run(table: pd.DataFrame, reasons: Mapping[str, str]) -> pd.DataFrame:
    """A table of `result_table` with a line for each contender that was not asked, and why.

    >>> table = pd.DataFrame({"all": ["27.9"], "strict": ["27.0"]}, index=pd.Index(["SFT"], name="contender"))
    >>> with_not_run(table, {"frontier": "no key"})["all"].to_dict()
    {'SFT': '27.9', 'frontier': 'not run: no key'}
    """
    lines = pd.DataFrame(
        [[f"not run: {why}", *[""] * (len(table.columns) - 1)] for why in reasons.values()],
        index=pd.Index(list(reasons), name=table.index.name), columns=table.columns,
    )  # fmt: skip
    return pd.concat([table, lines])


def _asked_before(run: Run, data: TaskData) -> list[Item]:
    """The items that a run's contenders were asked, as its records hold them.

    Raises RunError where there are no records, or where the data has other items under their ids.
    """
    files = sorted(p.name for p in run.path("evaluation").glob("*.jsonl") if not p.stem.endswith("_replies"))
    if not files:
        run.require("evaluation/sft.jsonl", MADE_BY)
    first = "sft.jsonl" if "sft.jsonl" in files else files[0]
    records = run.load_records(f"evaluation/{first}", MADE_BY)
    known = {item.id: item for _, part in data.splits() for item in part}
    changed = [
        r.get("id") for r in records
        if r.get("id") not in known or not known[r["id"]].as_record().items() <= r.items()
    ]  # fmt: skip
    if changed or not records:
        raise RunError(
            f"{len(changed)} of the {len(records)} items in evaluation/{first} of the run '{run.name}' are not those of this "
            f"data (the first: {changed[0] if changed else 'there is none'}). Give the data that the run was made with "
            f"(--data), or run notebook {MADE_BY} again."
        )
    return [known[r["id"]] for r in records]


def _ask_and_add(run: Run, data: TaskData, account: Account, model: str | None = None, **options) -> dict:
    """Ask an endpoint the items of a run and add its row (see `add_row`); options: of `openai_endpoint`.

    Raises EndpointError where there is no key or no answer, or the account's limit is reached: what was answered is
    kept in `evaluation/<slug>_replies.jsonl`, and the tables stay as they were.
    """
    where, name = who_is_asked(model)
    slug = "endpoint_" + re.sub(r"[^\w.-]+", "-", name).strip("-.").lower()
    items = _asked_before(run, data)
    saved = run.path("evaluation", f"{slug}_replies.jsonl")
    contender = openai_endpoint(data, run.profile.max_new_tokens, model, saved, account, **options)
    if contender is None:
        raise EndpointError(
            "Not run: OPENAI_API_KEY is not set. Set it (any text for a server of your own), OPENAI_BASE_URL for another "
            "server than OpenAI's, and call again."
        )
    if account.price:
        most = account.price.charge(*_most(data, items, run.profile.max_new_tokens), 0)
        print(
            f"{len(items)} questions to {name}: ${most:.2f} at the very most, less what is on disk ({account.price.source})."
        )
    else:
        print(f"{len(items)} questions to {name}; price unknown (--price-in and --price-out give it).")
    completions = contender(items)
    counted = [(c.prompt_tokens, c.completion_tokens) for c in completions if c.prompt_tokens]
    extra = {"model": name, "price": account.price.source if account.price else "unknown"}
    if account.price and len(counted) == len(completions):
        paid = sum(account.price.charge(*tokens, 0) for tokens in counted)
        extra["dollars_per_1000"] = 1000 * paid / len(counted)
    return add_row(run, slug, grade(name, data, items, completions), extra, fills=["frontier"])


def _most(data: TaskData, items: Sequence[Item], max_new_tokens: int) -> tuple[int, int]:
    """The most tokens that asking these items can have, in and out: a token is a byte or more."""
    texts = [m["content"] for i in items for m in messages_for(data, i)]
    return sum(len(text.encode()) + 64 for text in texts), len(items) * max(LEAST, max_new_tokens)


def _data_of(run: Run, source: str | None) -> TaskData:
    """The data of a run, which holds no path of a folder: that has to be given again."""
    kind, _, where = run.data.partition(":")
    if source is None and where not in ("", "hub"):
        raise RunError(f"The run '{run.name}' is of the data '{run.data}'. Give where it lies: --data {kind}:PATH.")
    return get(run.task).load(absolute_source(source or run.data), run, run.seed)


def _price(options: argparse.Namespace) -> Price | None:
    given = (options.price_in, options.price_out)
    if None not in given:
        return price_by_hand(*given)
    if given != (None, None):
        raise EndpointError("Give both --price-in and --price-out, in dollars per million tokens, or neither.")
    where, name = who_is_asked(options.model)
    return table_price(name, where)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m forge_lib.evaluation.endpoint", description=about.partition(": ")[2], epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--run", default="default", help="a run in which notebook 06 is done")
    parser.add_argument("--model", help="as the server calls it; else FORGE_FRONTIER_MODEL, else gpt-5-mini")
    parser.add_argument("--data", help="where the run's data lies, if they are not the course's: my:DIR, spider:DIR, …")
    parser.add_argument("--limit-dollars", type=float, help="stop before more than this is spent on this model")
    parser.add_argument("--price-in", type=float, help="dollars per million tokens, where the table has no price")
    parser.add_argument("--price-out", type=float, help="the same, for tokens of answers")
    parser.add_argument("--parallel", type=int, default=4, help="questions under way at once (4)")
    parser.add_argument("--per-minute", type=float, help="the most tries a minute")
    parser.add_argument(
        "--send", action="store_true", help="let questions and schemas of your own data leave this machine"
    )
    return parser


def main(given: list[str] | None = None) -> int:
    """Add one endpoint's row to a run; 2 where that cannot be, with a sentence."""
    options = arguments().parse_args(given)
    try:
        if options.parallel < 1:
            raise EndpointError(f"{options.parallel} questions at once ask nothing. Give --parallel 1 or more.")
        run = existing(options.run)
        if run.data != "course" and not options.send:
            raise EndpointError(
                f"The run '{run.name}' is of the data '{run.data}', not the course's invented one. Questions and schemas "
                "leave this machine only with --send."
            )
        account = Account(_price(options), options.limit_dollars)
        stopped = "Stopped. Every answer that came is kept; the same command goes on."
        with ending(stopped), held(run.dir):
            try:
                row = _ask_and_add(
                    run, _data_of(run, options.data), account, options.model,
                    parallel=options.parallel, per_minute=options.per_minute, progress=True,
                )  # fmt: skip
            finally:
                print(account)
    except (EndpointError, RunError, DataError, GoldError, ValueError) as error:
        print(f"endpoint: {error}", file=sys.stderr)
        return 2
    print(result_table([row]).to_string())
    print(
        f"Added to runs/{run.name}/evaluation. README's tables: python -m forge_lib.publishing.report --run {run.name}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
