"""Items of any task, their parts, and the text files that people bring."""
