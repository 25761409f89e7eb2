"""What is learnt. One task so far: text-to-SQL on SQLite."""
