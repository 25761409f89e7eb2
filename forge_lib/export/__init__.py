"""From an adapter to a file that other programs run: merge, GGUF, Ollama."""
