import re
from xml.etree import ElementTree

from forge_lib.serving.diagram import schema_svg
from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table

SVG = "{http://www.w3.org/2000/svg}"


def table(name: str, columns=("id", "name"), *keys: ForeignKey) -> Table:
    return Table(name, tuple(columns), ("INTEGER",) * len(columns), tuple(columns[:1]), keys)


def drawn(*tables: Table) -> ElementTree.Element:
    return ElementTree.fromstring(schema_svg(Schema("shop", tables)))


def texts(svg) -> list[str]:
    return ["".join(t for t in (e.text, *(c.tail for c in e)) if t) for e in svg.iter(f"{SVG}text")]


def left(svg, name: str) -> float:
    return next(float(e.get("x")) for e in svg.iter(f"{SVG}text") if e.get("class") == "name" and e.text == name)


def test_every_table_and_column_is_there_and_every_key_is_a_line():
    svg = drawn(table("authors"), table("books", ("book_id", "author_id"), ForeignKey("author_id", "authors", "id")))
    assert {"authors", "books", "⚷ id", "→ author_id", "⚷ book_id"} <= set(texts(svg))
    (line,) = svg.iter(f"{SVG}path")
    assert line.find(f"{SVG}title").text == "books.author_id → authors.id"
    assert left(svg, "books") < left(svg, "authors")


def test_names_are_text_whatever_they_hold():
    evil = '<img src=x onerror="alert(1)">'
    svg = schema_svg(Schema("x", (table(evil, ("a<b>", "c&d")), table("Покупатели", ("имя",)))))
    assert "<img" not in svg and "Покупатели" in svg
    titles = [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}title")]
    assert evil in titles  # the whole name, where it is cut


def test_tables_in_a_circle_and_one_that_refers_to_itself_are_drawn():
    svg = drawn(
        table("a", ("id", "b"), ForeignKey("b", "c", "id")),
        table("c", ("id", "a"), ForeignKey("a", "A", "id")),
        table("staff", ("id", "boss"), ForeignKey("boss", "staff", "id")),
    )
    assert len(list(svg.iter(f"{SVG}path"))) == 3


def test_what_is_too_much_is_counted_and_boxes_do_not_overlap():
    many = [table(f"t{n}", tuple(f"c{m}" for m in range(n % 20 + 1))) for n in range(40 + 3)]
    svg = drawn(*many)
    assert "and 3 more tables" in texts(svg)
    assert any(re.fullmatch(rf"… {20 - 14} more", t) for t in texts(svg))
    boxes = [
        [float(e.get(k)) for k in ("x", "y", "width", "height")]
        for e in svg.iter(f"{SVG}rect")
        if e.get("class") == "box"
    ]
    for n, (x, y, w, h) in enumerate(boxes):
        assert all(x + w <= u or u + v <= x or y + h <= z or z + k <= y for u, z, v, k in boxes[n + 1 :])
    assert max(x + w for x, _, w, _ in boxes) <= float(svg.get("width"))


def test_a_key_to_a_table_that_is_not_drawn_is_left_out():
    svg = drawn(*[table(f"t{n}") for n in range(40)], table("far", ("id",)))
    assert "far" not in texts(svg)
    first = table("t0", ("id", "far"), ForeignKey("far", "far", "id"))
    assert not list(drawn(first, *[table(f"u{n}") for n in range(40)], table("far")).iter(f"{SVG}path"))
