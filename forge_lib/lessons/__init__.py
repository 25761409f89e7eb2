"""Code that a notebook writes out and the library itself does not need."""
