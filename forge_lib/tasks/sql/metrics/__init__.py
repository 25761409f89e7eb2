"""What others measure of text-to-SQL, beside our own scorer: so that a figure can stand next to a published one.

`METRICS` holds one function each; the folder of the same name is a local module that `evaluate.load` finds offline:

    import evaluate
    metric = evaluate.load("forge_lib/tasks/sql/metrics/bird_ex")
    metric.compute(predictions=["SELECT 2"], references=["SELECT 1 + 1"], databases=["data/shop.sqlite"])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tqdm import tqdm

from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.metrics.exact_set import spider_exact_set
from forge_lib.tasks.sql.metrics.execution import bird_ex, bird_r_ves, bird_soft_f1, spider_test_suite

METRICS: dict[str, Callable[..., float]] = {
    metric.__name__: metric for metric in (spider_exact_set, spider_test_suite, bird_ex, bird_r_ves, bird_soft_f1)
}
_MANY = 500  # items from which on a progress bar is shown


def scores(name: str, asked: Iterable[tuple[str, str, str]], **options: object) -> list[float | None]:
    """The metric `name` of each (answer, gold, path of the database); None where the gold fails and none can be right.

    options: the metric's own, `repeats` of `bird_r_ves` for one

    >>> scores("bird_ex", [])
    []
    """
    asked, found = list(asked), []
    for sql, gold, database in tqdm(asked, name, disable=len(asked) < _MANY):
        try:
            found.append(METRICS[name](sql, gold, database, **options))
        except GoldError:
            found.append(None)
    return found
