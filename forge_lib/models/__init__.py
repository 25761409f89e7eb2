"""From weights to text: bases, prompts, answers, endpoints."""

BASE = "base"  # where a model is named: the profile's base as it is
READY_MADE = "course"  # there: the adapter that comes with the course
