"""What changed in the model: its errors, its attention."""
