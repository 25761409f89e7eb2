import pytest

from forge_lib.tasks.sql.score import REWARDS
from forge_lib.training.grpo import execution_reward


def test_the_reward_is_the_grade(library):
    path, gold = str(library.database("library")), "SELECT title FROM books"
    said = [
        "SELECT title FROM books",
        "```sql\nSELECT name FROM authors;\n```",
        "SELECT 1, 2",
        "SELECT 1 WHERE 0",
        "no",
    ]
    rewards = execution_reward(None, said, [path] * 5, [gold] * 5)
    assert rewards == [1.0, REWARDS["wrong result"], REWARDS["wrong shape"], REWARDS["wrong shape"], 0.0]
    turns = [[{"role": "assistant", "content": text}] for text in said]
    assert execution_reward(None, turns, [path] * 5, [gold] * 5) == rewards


def test_a_gold_that_fails_pays_nothing_and_ends_nothing(library):
    path, golds = str(library.database("library")), ["SELECT weight FROM books"] * 2 + ["SELECT 1"]
    with pytest.warns(UserWarning, match="earns nothing.*no such column"):
        assert execution_reward(None, ["SELECT title FROM books", "SELECT 1", "SELECT 1"], [path] * 3, golds) == [
            0,
            0,
            1,
        ]
