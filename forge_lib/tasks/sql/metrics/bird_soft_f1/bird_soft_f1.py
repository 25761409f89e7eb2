"""BIRD Mini-Dev's soft F1: `evaluate.load` of this folder gives it."""

from forge_lib.tasks.sql.metrics import modules


class BirdSoftF1(modules.SqlMetric):
    """See `bird_soft_f1` in `forge_lib.tasks.sql.metrics.execution`."""

    METRIC = "bird_soft_f1"
