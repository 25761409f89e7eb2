"""BIRD's reward-based valid efficiency score: `evaluate.load` of this folder gives it."""

from forge_lib.tasks.sql.metrics import modules


class BirdRVes(modules.SqlMetric):
    """See `bird_r_ves` in `forge_lib.tasks.sql.metrics.execution`."""

    METRIC = "bird_r_ves"
