"""From a SQLite file without labels to draft pairs."""
