"""In what an answer differs from the gold, and which class of error that is."""

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.differences import DIFFERENCES, differences
from forge_lib.tasks.sql.failures import CLASSES, PARTS, classify, differing

JOIN = "SELECT books.title FROM books JOIN authors ON books.author_id = authors.author_id WHERE authors.born > 1900"
CASES = [
    ("wrong table", "SELECT name FROM writers", "SELECT name FROM authors"),
    ("needless answer", "SELECT name FROM authors", "SELECT 'no answer'"),
    ("missing answer", "SELECT 'no answer'", "SELECT name FROM authors"),
    ("missing join", "SELECT title FROM books WHERE born > 1900", JOIN),
    ("needless join", JOIN.replace("authors.born", "books.price"), "SELECT title FROM books WHERE price > 1900"),
    ("wrong nesting", "SELECT title FROM books WHERE price > 10", "SELECT title FROM books WHERE price > (SELECT AVG(price) FROM books)"),
    ("wrong join key", JOIN.replace("books.author_id =", "books.book_id ="), JOIN),
    ("wrong kind of join", JOIN.replace("JOIN", "LEFT JOIN"), JOIN),
    ("missing column", "SELECT title FROM books", "SELECT title, price FROM books"),
    ("needless column", "SELECT title, price FROM books", "SELECT title FROM books"),
    ("wrong aggregate", "SELECT MAX(price) FROM books", "SELECT MIN(price) FROM books"),
    ("wrong column", "SELECT author_id FROM books", "SELECT book_id FROM books"),
    ("wrong expression", "SELECT price FROM books", "SELECT CASE WHEN price > 9 THEN 'dear' ELSE 'cheap' END FROM books"),
    ("wrong value", "SELECT title FROM books WHERE price > 1", "SELECT title FROM books WHERE price > 2"),
    ("wrong operator", "SELECT title FROM books WHERE price > 1", "SELECT title FROM books WHERE price >= 1"),
    ("wrong operator", "SELECT title FROM books WHERE title NOT LIKE 'a'", "SELECT title FROM books WHERE title LIKE 'a'"),
    ("wrong filter", "SELECT title FROM books WHERE title = 'new'", "SELECT title FROM books WHERE price > 2"),
    ("missing filter", "SELECT title FROM books", "SELECT title FROM books WHERE price > 2"),
    ("missing filter", "SELECT author_id FROM books GROUP BY author_id", "SELECT author_id FROM books GROUP BY author_id HAVING COUNT(*) > 1"),
    ("needless filter", "SELECT title FROM books WHERE price > 2", "SELECT title FROM books"),
    ("wrong AND or OR", "SELECT title FROM books WHERE price > 2 AND price < 1", "SELECT title FROM books WHERE price > 2 OR price < 1"),
    ("wrong grouping", "SELECT COUNT(*) FROM books GROUP BY price", "SELECT COUNT(*) FROM books GROUP BY author_id"),
    ("wrong order", "SELECT title FROM books ORDER BY price", "SELECT title FROM books ORDER BY price DESC"),
    ("wrong limit", "SELECT title FROM books ORDER BY price LIMIT 1", "SELECT title FROM books ORDER BY price LIMIT 3"),
    ("missing DISTINCT", "SELECT title FROM books", "SELECT DISTINCT title FROM books"),
    ("needless DISTINCT", "SELECT DISTINCT title FROM books", "SELECT title FROM books"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sql", "gold"), CASES)
def test_what_differs_is_named_and_nothing_else(name, sql, gold):
    found = differences(sql, gold)
    assert found[:1] == (name,)
    assert len(found) == 1 or name in (
        "missing join",
        "wrong nesting",
        "needless answer",
        "missing answer",
        "wrong table",
    )


def test_each_difference_is_tried_and_known():
    assert {name for name, *_ in CASES} == set(DIFFERENCES)
    assert set().union(*map(set, PARTS.values())) <= set(DIFFERENCES) and set(PARTS) <= set(CLASSES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (JOIN, "SELECT b.TITLE FROM authors AS a INNER JOIN books b ON a.author_id = b.author_id WHERE a.born > 1900.0"),
        ("SELECT title FROM books", "SELECT books.title AS t FROM books"),
        ("SELECT price, COUNT(*) AS n FROM books GROUP BY price ORDER BY n", "SELECT price, COUNT(*) FROM books GROUP BY price ORDER BY COUNT(*)"),
        ("SELECT title FROM books WHERE price > 1 AND author_id = 2", "SELECT title FROM books WHERE (author_id = 2) AND price > 1"),
        ("SELECT MAX(price) AS price FROM books ORDER BY price", "SELECT MAX(price) AS price FROM books ORDER BY price"),
        ("SELECT name FROM authors UNION SELECT title FROM books ORDER BY name", "SELECT name FROM authors UNION SELECT title FROM books ORDER BY name"),
    ],
)  # fmt: skip
def test_other_words_for_the_same_are_no_difference(one, other):
    assert differences(one, other) == ()


def test_the_first_difference_decides_the_class_and_only_of_what_ran():
    record = {"predicted": "SELECT MAX(price) FROM books WHERE price > 3", "sql": "SELECT MIN(price) FROM books",
              "verdict": "wrong result", "error": "", "correct": False}  # fmt: skip
    assert (classify(record), differing(record)) == ("wrong columns", ("wrong aggregate", "needless filter"))
    assert differing(record | {"verdict": "error", "error": "no such column: x"}) == ()
    assert differing(record | {"correct": True}) == ()
    assert (classify(record | {"predicted": "SELECT ("}), differing(record | {"predicted": "SELECT ("})) == (
        "wrong logic",
        (),
    )
    with pytest.raises(SqlglotError):
        differences("SELECT (", "SELECT 1")
