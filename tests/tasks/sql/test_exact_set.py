"""Spider's exact set match: which parts count, and which do not."""

import pytest

from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.metrics.exact_set import spider_exact_set

JOINED = "SELECT a.name FROM authors AS a JOIN books AS b ON a.author_id = b.author_id"


@pytest.mark.parametrize(
    ("sql", "gold", "same"),
    [
        # values, aliases, the order of parts and DISTINCT do not count
        ("SELECT title FROM books WHERE price > 3", "SELECT title FROM books WHERE price > 10", True),
        ("SELECT title FROM books LIMIT 3", "SELECT title FROM books LIMIT 1", True),
        ("SELECT price, title FROM books", "SELECT title, price FROM books", True),
        ("SELECT DISTINCT title FROM books", "SELECT title FROM books", True),
        ("SELECT COUNT(DISTINCT title) FROM books", "SELECT COUNT(title) FROM books", True),
        ("SELECT authors.name FROM books JOIN authors ON authors.author_id = books.author_id", JOINED, True),
        ("SELECT title FROM books WHERE price > 1 AND title = 'a'", "SELECT title FROM books WHERE title = 'b' AND price > 2", True),
        ("SELECT title AS t FROM books ORDER BY price ASC", "SELECT TITLE FROM BOOKS ORDER BY price", True),
        # nor what JOIN is ON; a foreign key makes two columns one
        ("SELECT name FROM authors JOIN books ON authors.author_id = books.book_id", JOINED, True),
        ("SELECT b.author_id FROM authors AS a JOIN books AS b ON a.author_id = b.author_id",
         "SELECT a.author_id FROM authors AS a JOIN books AS b ON a.author_id = b.author_id", True),
        # everything else does
        ("SELECT title FROM books WHERE price >= 3", "SELECT title FROM books WHERE price > 3", False),
        ("SELECT title FROM books WHERE price > 1 OR title = 'a'", "SELECT title FROM books WHERE price > 1 AND title = 'a'", False),
        ("SELECT MAX(price) FROM books", "SELECT MIN(price) FROM books", False),
        ("SELECT title, title FROM books", "SELECT title FROM books", False),
        ("SELECT name FROM authors", JOINED, False),
        ("SELECT title FROM books ORDER BY price DESC", "SELECT title FROM books ORDER BY price", False),
        ("SELECT title FROM books ORDER BY price", "SELECT title FROM books ORDER BY price LIMIT 1", False),
        ("SELECT author_id FROM books GROUP BY author_id", "SELECT author_id FROM books GROUP BY author_id HAVING COUNT(*) > 1", False),
        ("SELECT title FROM books WHERE NOT title LIKE 'a'", "SELECT title FROM books WHERE title LIKE 'a'", False),
        # queries within queries are compared too, without their values
        ("SELECT name FROM authors WHERE author_id IN (SELECT author_id FROM books WHERE price > 1)",
         "SELECT name FROM authors WHERE author_id IN (SELECT author_id FROM books WHERE price > 2)", True),
        ("SELECT name FROM authors WHERE author_id IN (SELECT author_id FROM books)",
         "SELECT name FROM authors WHERE author_id IN (SELECT book_id FROM books)", False),
        ("SELECT name FROM authors UNION SELECT title FROM books", "SELECT name FROM authors UNION SELECT title FROM books", True),
        ("SELECT name FROM authors UNION SELECT title FROM books", "SELECT name FROM authors EXCEPT SELECT title FROM books", False),
        ("SELECT name FROM authors UNION SELECT title FROM books", "SELECT name FROM authors", False),
        ("no SQL at all", "SELECT name FROM authors", False),
        ("VALUES (1)", "SELECT name FROM authors", False),
    ],
)  # fmt: skip
def test_what_counts_as_the_same(library, sql, gold, same):
    assert spider_exact_set(sql, gold, library.database("library")) == same


def test_a_gold_that_cannot_be_read_is_the_datas_fault(library):
    with pytest.raises(GoldError, match="Mend the pair"):
        spider_exact_set("SELECT 1", "SELECT FROM WHERE", library.database("library"))
