"""Markdown as a PDF in the manner of a preprint, through typst: offline, with the fonts that typst carries.

What the text says reaches typst as string literals only, so no character in it (`#`, `$`, `@`, `<`) means anything there.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from forge_lib.lab.files import RunError, said

_NO_BREAK = "\N{NO-BREAK SPACE}"
_UNNUMBERED = re.compile(r"Abstract|References|Appendix\b.*")
_CAPTION = re.compile(r"(Table|Figure) \d+\.")  # begins, in bold, what stands above a table or below a figure
_TIED = re.compile(
    r"(?<=\d,) (?=[-+]?[\d.]+\])| (?== [\d.])|(?<= =) (?=[\d.])"
)  # an interval, and "p = 0.5", stay on one line
_STYLE = """
#set page(paper: "a4", margin: (x: 2.3cm, top: 2.2cm, bottom: 2.4cm), numbering: "1")
#set text(font: "Libertinus Serif", size: 10pt, lang: "en")
#set par(justify: true, leading: 0.58em, spacing: 0.9em)
#set heading(numbering: "1.1")
#set enum(numbering: "[1]")  // the one numbered list of a report is its references
#show enum: set par(justify: false)
#show heading.where(level: 1): set text(size: 13pt)
#show heading.where(level: 1): set block(above: 1.6em, below: 0.9em)
#show heading.where(level: 2): set text(size: 11pt)
#show heading.where(level: 2): set block(above: 1.4em, below: 0.8em)
#show raw: set text(font: "DejaVu Sans Mono")
#show link: set text(fill: rgb("#0b4f9e"))
#let front(title, below) = align(center, {
  set par(justify: false)
  block(below: 1em, text(size: 17pt, weight: "bold", hyphenate: false, title))
  block(below: 1.6em, below)
})
#let abstract(body) = pad(x: 1.1cm, bottom: 0.4em, {
  align(center, block(below: 0.7em, text(weight: "bold")[Abstract]))
  set text(size: 9.5pt)
  body
})
#let caption(body, above) = block(
  sticky: above, above: if above { 1.4em } else { 0.7em }, below: if above { 0.7em } else { 1.4em }, width: 100%,
  align(center, block({ set text(size: 9pt); set align(left); body })),
)
#let plate(picture) = block(sticky: true, above: 1.4em, below: 0.7em, width: 100%, align(center, picture))
#let floating(body) = place(auto, float: true, clearance: 1.5em, block(width: 100%, body))
#let listing(code) = block(
  fill: luma(246), inset: 6pt, radius: 2pt, width: 100%, { set par(justify: false); text(size: 9pt, raw(code, block: true)) },
)
#let ruled(sides, head, ..cells) = block(
  breakable: cells.pos().len() > 24 * sides.len(), above: 0.7em, below: 1.4em, width: 100%, align(center, {
  set text(size: if sides.len() > 7 { 7.5pt } else { 8.5pt }, hyphenate: false)
  set par(justify: false)
  table(
    columns: sides.len(), align: sides, stroke: none, inset: (x: 4pt, y: 2.6pt),
    table.header(table.hline(stroke: 0.8pt), ..head.map(strong), table.hline(stroke: 0.4pt)),
    ..cells, table.hline(stroke: 0.8pt),
  )
}),
)
"""


def write_pdf(markdown: str, target: Path, root: Path) -> Path:
    """Typeset CommonMark with tables as `target`: its first heading is the title, "## Abstract" stands apart.

    root: the folder that the paths of images begin at; nothing outside it is read. The same text gives the same bytes.
    Raises RunError where typst refuses.
    """
    import typst

    try:
        typst.compile(to_typst(markdown).encode(), output=str(target), root=str(root), format="pdf")
    except (typst.TypstError, RuntimeError) as error:
        raise RunError(
            f"The PDF could not be set ({said(error)}). The text itself is whole: {said(error, -1)}"
        ) from error
    return target


def to_typst(markdown: str) -> str:
    """The typst source of a text in CommonMark with tables.

    >>> print(to_typst("# T\\n\\n## A\\n\\n5 $ for *#1*").splitlines()[-1])
    #"5 $ for ";#emph[#"#1";];
    """
    blocks = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown)).children
    begins = [n for n, block in enumerate(blocks) if block.type == "heading"]
    title = next((blocks[n] for n in begins if blocks[n].tag == "h1"), None)
    first = next((n for n in begins if blocks[n].tag != "h1"), len(blocks))
    front = [block for block in blocks[:first] if block is not title]
    parts = [f"#set document(title: {_string(_plain(title) if title else '')}, date: none)", _STYLE.strip()]
    parts.append(f"#front([{_inner(title) if title else ''}], [{_blocks(front)}]);")
    rest = blocks[first:]
    if rest and _plain(rest[0]) == "Abstract":
        end = next((n for n, block in enumerate(rest[1:], 1) if block.type == "heading"), len(rest))
        parts.append(f"#abstract[{_blocks(rest[1:end])}];")
        rest = rest[end:]
    return "\n\n".join([*parts, _blocks(rest)])


def _string(text: str) -> str:
    """A string literal of typst."""
    return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'


def _plain(node: SyntaxTreeNode) -> str:
    """The text of a node without its marks."""
    return "".join(n.content for n in node.walk() if n.type in ("text", "code_inline"))


def _blocks(nodes: list[SyntaxTreeNode]) -> str:
    shown: list[str] = []
    for node in nodes:
        source = _block(node)
        if (
            shown and shown[-1].startswith("#plate(") and source.startswith("#caption(")
        ):  # a figure goes where there is room
            source = f"#floating[{shown.pop()} {source}];"
        shown.append(source)
    return "\n\n".join(shown)


def _inner(node: SyntaxTreeNode) -> str:
    return "".join(map(_inline, node.children))


def _contents(nodes: list[SyntaxTreeNode]) -> str:
    """Content blocks as arguments, each with its comma."""
    return "".join(f"[{_inner(node)}], " for node in nodes)


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "heading":
            numbering = ", numbering: none" if _UNNUMBERED.fullmatch(_plain(node)) else ""
            return f"#heading(level: {max(1, int(node.tag[1]) - 1)}{numbering})[{_inner(node)}];"
        case "paragraph":
            return _paragraph(node)
        case "bullet_list" | "ordered_list":
            items = "".join(f"[{_blocks(item.children)}], " for item in node.children)
            return f"#{'list' if node.type == 'bullet_list' else 'enum'}(tight: true, {items});"
        case "fence" | "code_block":
            return f"#listing({_string(node.content.rstrip())});"
        case "table":
            head = node.children[0].children[0].children
            cells = [cell for body in node.children[1:] for row in body.children for cell in row.children]
            sides = "".join(f"{'right' if 'right' in str(cell.attrs.get('style')) else 'left'}, " for cell in head)
            return f"#ruled(({sides}), ({_contents(head)}), {_contents(cells)});"
        case "blockquote":
            return f"#quote(block: true)[{_blocks(node.children)}];"
        case "hr":
            return "#line(length: 100%);"
        case "inline":
            return _inner(node)
    return _blocks(node.children) if node.children else _inline(node)


def _paragraph(node: SyntaxTreeNode) -> str:
    parts = node.children[0].children if node.children else []
    inside = [n for n in parts if n.type != "softbreak" and (n.type != "text" or n.content)]
    if [n.type for n in inside] == ["image"]:
        return f"#plate({_picture(inside[0])});"
    named = _CAPTION.match(_plain(inside[0])) if inside and inside[0].type == "strong" else None
    if named:
        return f"#caption([{_inner(node)}], {'true' if named[1] == 'Table' else 'false'});"
    return _inner(node)


def _picture(node: SyntaxTreeNode) -> str:
    return f"image({_string(str(node.attrs['src']))}, alt: {_string(_plain(node))})"


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "inline":
            return _inner(node)
        case "softbreak":
            return '#" ";'
        case "hardbreak":
            return "#linebreak();"
        case "code_inline":
            return f"#raw({_string(node.content)});"
        case "strong" | "em":
            return f"#{'strong' if node.type == 'strong' else 'emph'}[{_inner(node)}];"
        case "link":
            return f"#link({_string(str(node.attrs['href']))})[{_inner(node)}];"
        case "image":
            return f"#{_picture(node)};"
    return f"#{_string(_TIED.sub(_NO_BREAK, node.content))};" if node.content else ""
