"""BIRD's execution accuracy: `evaluate.load` of this folder gives it."""

from forge_lib.tasks.sql.metrics import modules


class BirdEx(modules.SqlMetric):
    """See `bird_ex` in `forge_lib.tasks.sql.metrics.execution`."""

    METRIC = "bird_ex"
