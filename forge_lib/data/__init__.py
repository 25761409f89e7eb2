"""Pairs of question and SQL: the course's own, Spider's, their formats, their quality, their augmentation."""
