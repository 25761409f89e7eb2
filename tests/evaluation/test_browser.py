"""Two contenders side by side: what changed, cut tables, and nothing that a browser would execute."""

import re
import sqlite3
from dataclasses import replace

import pytest

from forge_lib.evaluation.browser import browse
from forge_lib.evaluation.metrics import evaluate
from forge_lib.models.generate import Completion

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def answering(answers: dict[str, str]):
    return lambda items: [Completion(answers.get(i.id, i.answer), 1, 1, 0.1, True) for i in items]


@pytest.fixture
def two(library):
    first = evaluate("one", answering({"l-1": "SELECT 7", "l-3": "SELECT missing"}), library, library.test)
    second = evaluate("two", answering({"l-2": "SELECT title FROM books", "l-3": "SELECT 1, 2"}), library, library.test)
    return library, first, second


def test_what_changed_comes_first_and_can_be_asked_for(two):
    data, first, second = two
    page = browse(first, second, data)
    assert str(page.__repr__()) == "one (first) and two (second): 1 gained, 1 lost, 0 both right, 1 both wrong."
    changes = ("gained", "lost", "both right", "both wrong")
    assert [len(page.where(change=c).items) for c in changes] == [1, 1, 0, 1]
    assert [a["id"] for a, _ in page.items] == ["l-1", "l-2", "l-3"]
    assert len(page.where(verdict="error").items) == len(page.where(difficulty="hard").items) == 1
    assert len(page.where(text="CHEAPEST").items) == 1 and not page.where(context="elsewhere").items
    with pytest.raises(ValueError, match="both right"):
        page.where(change="better")


def test_both_results_stand_beside_the_right_one_and_are_cut(two):
    data, first, second = two
    shown = browse(first, second, data)._repr_html_()
    assert shown.count("<details open>") == 3 and "more rows" not in shown
    assert "no such column: missing" in shown  # why it did not run, where its rows would stand
    assert re.search(r"<ins[^>]*>7</ins>", shown) and "<del" in shown
    sql = f"SELECT title, '{'0' * 60}' FROM books UNION ALL SELECT name, born FROM authors"
    shown = browse([first[0] | {"predicted": sql}], second, data)._repr_html_()
    assert "3 more rows" in shown and f"<td>{'0' * 39}…</td>" in shown and f"<td>{'0' * 60}" not in shown


def test_contents_execute_nothing(library):
    with sqlite3.connect(library.database("library")) as connection:
        connection.execute("UPDATE authors SET name = ?", (EVIL,))
    connection.close()
    item = replace(library.test[0], id="evil", question=EVIL, sql="SELECT name FROM authors")
    library.test.append(item)
    say = answering({"evil": f"SELECT name AS \"{EVIL}\", '{EVIL}' FROM authors"})
    first, second = (evaluate(f"{EVIL} {n}", say, library, [item]) for n in (1, 2))
    page = browse(first, second, library)
    assert (
        "&lt;script&gt;" in page._repr_html_()
        and "<script" not in page._repr_html_()
        and "<img" not in page._repr_html_()
    )
    assert "<script" not in page._repr_markdown_() and "<img" not in page._repr_markdown_()


def test_markdown_is_one_table_whatever_an_answer_holds(two):
    data, first, second = two
    broken = [first[0] | {"predicted": "SELECT 1 |\n| 2 `x`"}]
    lines = browse(broken, second, data)._repr_markdown_().splitlines()
    assert len(lines) == 5 and {len(re.findall(r"(?<!\\)\|", line)) for line in lines[2:]} == {7}


def test_menus_narrow_the_page_down(two):
    data, first, second = two
    box = browse(first, second, data).explore()
    *controls, page = box.children
    controls[0].value = "gained"
    assert page.value.count("<details") == 1 and "How many books" in page.value


def test_contenders_without_a_common_item_are_refused(two):
    data, first, second = two
    with pytest.raises(ValueError, match="no item that both"):
        browse(first[:1], second[1:], data)
