"""Supervised fine-tuning and group-relative policy optimization."""
