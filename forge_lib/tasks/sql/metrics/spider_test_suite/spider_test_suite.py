"""Spider's test-suite semantics on one database: `evaluate.load` of this folder gives it."""

from forge_lib.tasks.sql.metrics import modules


class SpiderTestSuite(modules.SqlMetric):
    """See `spider_test_suite` in `forge_lib.tasks.sql.metrics.execution`."""

    METRIC = "spider_test_suite"
