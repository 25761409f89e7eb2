"""Contenders answer the frozen test; metrics and statistics say what that is worth."""
