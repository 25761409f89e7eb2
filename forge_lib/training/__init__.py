"""Supervised fine-tuning and group-relative policy optimization."""


class TrainingError(RuntimeError):
    """Training cannot go on; the message says what to change."""
