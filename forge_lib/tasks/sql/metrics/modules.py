"""What the local modules of `evaluate` have in common: the folder beside this file with a metric's name holds its module."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import datasets
import evaluate

from forge_lib.tasks.sql.metrics import METRICS, scores


class SqlMetric(evaluate.Metric):
    """A metric of `METRICS`, by the name `METRIC` of the subclass, on SQL, gold SQL and paths of SQLite files.

    `compute` gives the mean (0 to 1; R-VES up to 1.12, and nan without a gold that runs) by the metric's name, `scores`
    (None where the gold fails) and `left_out`, the numbers of those, which do not count.
    """

    METRIC = ""

    def _info(self) -> evaluate.MetricInfo:
        text = METRICS[self.METRIC].__doc__
        features = datasets.Features(
            {name: datasets.Value("string") for name in ("predictions", "references", "databases")}
        )
        return evaluate.MetricInfo(description=text, citation="", inputs_description=self.__doc__, features=features)

    def _compute(
        self, predictions: Sequence[str], references: Sequence[str], databases: Sequence[str], **options: object
    ) -> dict:
        found = scores(self.METRIC, zip(predictions, references, databases, strict=True), **options)
        kept = [score for score in found if score is not None]
        mean = statistics.fmean(kept) if kept else float("nan")
        return {self.METRIC: mean, "scores": found, "left_out": [n for n, score in enumerate(found) if score is None]}
