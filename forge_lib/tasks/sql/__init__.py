"""Text-to-SQL on SQLite: schema, prompt, sandbox, and one scorer for reward and for grade."""
