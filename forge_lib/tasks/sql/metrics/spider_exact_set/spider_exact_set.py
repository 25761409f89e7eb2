"""Spider's exact set match: `evaluate.load` of this folder gives it."""

from forge_lib.tasks.sql.metrics import modules


class SpiderExactSet(modules.SqlMetric):
    """See `spider_exact_set` in `forge_lib.tasks.sql.metrics.exact_set`."""

    METRIC = "spider_exact_set"
