"""How generated questions say names, numbers, values and conditions: as a person would write them."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from forge_lib.tasks.sql.schema import words

_QUOTED = 40  # characters; no question quotes a longer text
_SMALLEST, _LARGEST = 1e-6, 1e15  # numbers between which a person would write one out
_LISTED = 3  # commas; what has more is a list
_END = 500  # characters: of each end of a text
# Links, paths, JSON and markup, hashes and other keys of machines, mail addresses.
_MACHINE = re.compile(
    r"\w://|^www\.|^(~|\.{1,2})?[/\\]\w|[A-Za-z]\S*[/\\]\S+[/\\]|^[A-Za-z]:[/\\]|^\s*[\[{<].*[\]}>]\s*$"
    r"|\b(?=[a-fA-F]*\d)[\da-fA-F]{12,}\b|[\da-fA-F]{8}-[\da-fA-F]{4}-|[\w+/=-]{24,}|^[\w+/]{8,}={1,2}$|\S@\w",
    re.ASCII | re.DOTALL,
)
_SENTENCES = re.compile(r"\w{4}[.!?]\s+\w")
FLAGS = (("1", "0"), ("y", "n"), ("t", "f"), ("yes", "no"), ("true", "false"), ("on", "off"))
_VERB = re.compile(r"(allow|accept|require|include|support|need|offer|use|want|own)s? (.+)")
_ADJECTIVE = re.compile(
    r"(\w{3,}ed|\w{4,}able|\w{3,}ible|\w{3,}tive|active|open|free|paid|sold|valid|public|private|hidden|final|official|new|current"
    r"|vip|male|female|alive|dead|live|default|primary|main|special|optional|broken|complete|incomplete|correct|ready|full"
    r"|empty|late|legal|local|remote|virtual|digital|organic|vegan|vegetarian|married|single|temporary|permanent|internal"
    r"|external|urgent|foreign|domestic|overdue|outdoor|indoor)"
)
_NO_ADJECTIVE = {"need", "feed", "seed", "speed", "breed", "timetable", "vegetable", "motive", "representative"}
_UNCOUNTED = {"data", "media", "metadata", "info", "staff", "freight", "equipment", "money"}
_PREPOSITIONS = {"of", "in", "on", "per", "by", "for", "to", "at", "from", "with"}
# Singulars that inflect takes for plurals; it does so with all that end in -us, -is and -ss.
_SINGULAR = {"gas", "lens", "canvas", "atlas", "bias", "news", "series", "species", "gps", "sms", "dns", "pos"}
_AMOUNTS = {"sales", "wages", "fees", "earnings", "costs", "expenses", "revenues", "taxes", "tips", "savings", "dues", "proceeds",
           "rates", "prices", "scores", "ratings", "odds", "values", "amounts", "totals", "charges", "profits", "losses"}  # fmt: skip


@functools.cache
def nouns(name: str) -> tuple[str, str]:
    """(one, many) of what a table, or a column, is called after; words that are not English stay as they are.

    >>> nouns("loan_requests"), nouns("Person"), nouns("status"), nouns("товар")
    (('loan request', 'loan requests'), ('person', 'people'), ('status', 'statuses'), ('товар', 'товар'))
    >>> nouns("products by category"), nouns("date of birth")[1]
    (('product by category', 'products by category'), 'dates of birth')
    """
    front, last, rest = _head(name)
    one, many = last, last
    if re.search("[a-z]$", last) and last not in _UNCOUNTED:
        singular = _singular(last)
        one, many = singular or last, last if singular else _inflect().plural_noun(last)
    return " ".join([*front, one, *rest]), " ".join([*front, many, *rest])


def _head(name: str) -> tuple[list[str], str, list[str]]:
    """The noun of a name, with the words before and after it: of "units in stock" it is "units"."""
    said = words(name).split(" ")
    end = next((i for i, word in enumerate(said[:-1]) if i and word in _PREPOSITIONS), len(said))
    return said[: end - 1], said[end - 1], said[end:]


def _singular(word: str) -> str:
    """The singular of a plural, "" of any other word."""
    if word in _SINGULAR or re.search("(us|is|ss)$", word):  # inflect says "statu"
        return ""
    return _inflect().singular_noun(word) or ""


@functools.cache
def be(name: str) -> str:
    """The verb that follows a column: "are" where it is called after several things.

    >>> be("unit_price"), be("units_in_stock"), be("status"), be("children")
    ('is', 'are', 'is', 'are')
    """
    word = _head(name)[1]
    return "are" if re.search("[a-z]$", word) and word not in _UNCOUNTED and _singular(word) else "is"


def counts(name: str) -> bool:
    """Whether a column is called after things that it counts: it holds a number of bytes, but no number of sales.

    >>> counts("units_in_stock"), counts("total_sales"), counts("unit_price")
    (True, False, False)
    """
    return be(name) == "are" and _head(name)[1] not in _AMOUNTS


def is_of_rows(view: str) -> bool:
    """Whether the name of a view says what one of its rows is, so that they can be counted under it.

    >>> is_of_rows("active_customers"), is_of_rows("Alphabetical list of products"), is_of_rows("Sales by Year")
    (True, False, False)
    """
    said = words(view).split(" ")
    return not _PREPOSITIONS & set(said) and said[-1] not in ("list", "report", "summary", "view", "overview")


def many(table: str) -> str:
    """What several rows of a table are called."""
    return nouns(table)[1]


def one(table: str) -> str:
    """What one row of a table is called."""
    return nouns(table)[0]


def a(table: str) -> str:
    """One row with its article.

    >>> a("albums"), a("employees"), a("users"), a("hour")
    ('an album', 'an employee', 'a user', 'an hour')
    """
    return _inflect().a(one(table))


def counted(number: int, table: str) -> str:
    """So many rows of a table.

    >>> counted(1, "albums"), counted(3, "albums")
    ('1 album', '3 albums')
    """
    return f"{number} {one(table) if number == 1 else many(table)}"


def is_quotable(value: Any) -> bool:
    """Whether a person would write this value in a question: a number, or a short text that people read.

    >>> [is_quotable(v) for v in ("AC/DC", "São Paulo", 0.99, "", "/var/log/a.log", '{"a": 1}', "Left early. Came back.")]
    [True, True, True, False, False, False, False]
    """
    if isinstance(value, (int, float)):
        return value == 0 or _SMALLEST <= abs(value) < _LARGEST
    return (
        isinstance(value, str)
        and value == value.strip()
        and value.isprintable()
        and "\ufffd" not in value
        and bool(re.search(r"\w", value))
        and len(value) <= _QUOTED
        and len(re.findall("[,;|]", value)) < _LISTED
        and not _MACHINE.search(value)
        and not _SENTENCES.search(value)
    )


def is_machine_text(value: str) -> bool:
    """Whether a text is for machines: a link, a path, JSON, a hash. Of a long one both ends are looked at.

    >>> is_machine_text("da39a3ee5e6b4b0d"), is_machine_text("Da Vinci")
    (True, False)
    """
    if len(value) > 2 * _END:  # a genome without a space would take hours
        value = f"{value[:_END]} {value[-_END:]}"
    return bool(_MACHINE.search(value))


def rounded(number: int | float) -> int | float:
    """A number as a threshold is given: two decimals, three digits where it is large or below one.

    >>> [rounded(n) for n in (148.3300001, 8177507, 28.5, 0.012345, 2310)]
    [148.33, 8180000, 28.5, 0.0123, 2310]
    """
    size = math.floor(math.log10(abs(number))) if number else 0
    if 0 <= size < 4:
        return round(number, 2)
    return round(number, 2 - size)


def said_number(number: int | float) -> str:
    """A number as people write it.

    >>> said_number(34.0), said_number(28.5), said_number(1e-05)
    ('34', '28.5', '0.00001')
    """
    if number == int(number):
        return str(int(number))
    return repr(number) if "e" not in repr(number) else f"{number:.10f}".rstrip("0")


def flag_values(name: str, values: tuple, declared: str = "") -> tuple[Any, Any] | None:
    """(yes, no) of a column that says yes or no, None for another; where only one of the two occurs the other is None.

    0 and 1 are numbers, unless the name or the declared type says otherwise. A column that spells one answer in two
    ways ("Y" and "y") is none: a query for one spelling would miss the other.

    >>> flag_values("discontinued", (0, 1)), flag_values("wifi", ("N", "Y")), flag_values("children", (0, 1))
    ((1, 0), ('Y', 'N'), None)
    """
    said = {
        str(v).lower() if isinstance(v, (str, bytes)) or not math.isfinite(v) else said_number(v): v for v in values[:3]
    }
    if len(said) < len(values):
        return None
    pair = next((p for p in FLAGS if said and set(said) <= set(p)), None)
    named = _predicate(name) is not None or declared.upper().startswith(("BOOL", "BIT"))
    if pair is None or not (named or (len(said) == 2 and pair[0] != "1")):
        return None
    return said.get(pair[0]), said.get(pair[1])


def flag_words(name: str, yes: bool) -> tuple[str, str]:
    """What follows one thing, and what follows several, where the flag `name` says yes or no.

    >>> flag_words("is_vip", True), flag_words("discontinued", False)
    (('that is vip', 'that are vip'), ('that is not discontinued', 'that are not discontinued'))
    >>> flag_words("has_pool", False)[1], flag_words("wifi", False)[1]
    ('that do not have pool', 'without wifi')
    """
    found = _predicate(name)
    if found is None:
        return (f"{'with' if yes else 'without'} {words(name)}",) * 2
    verb, rest = found
    if verb in ("is", "was"):
        plural = {"is": "are", "was": "were"}[verb]
        return tuple(f"that {v}{'' if yes else ' not'} {rest}" for v in (verb, plural))
    if verb == "can":
        return (f"that can{'' if yes else 'not'} {rest}",) * 2
    one_does = {"have": "has"}.get(verb, verb + "s")
    return (f"that {one_does} {rest}", f"that {verb} {rest}") if yes else (
        f"that does not {verb} {rest}", f"that do not {verb} {rest}")  # fmt: skip


def _predicate(name: str) -> tuple[str, str] | None:
    """(verb, rest) of a name that says something of its row: "is_vip" and "paid" do, "newsletter" does not."""
    said = words(name)
    verb, _, rest = said.partition(" ")
    if rest and verb in ("is", "are", "was", "were", "can", "has", "have", "had"):
        return {"are": "is", "were": "was", "has": "have", "had": "have"}.get(verb, verb), rest
    if match := _VERB.fullmatch(said):
        return match[1], match[2]
    last = said.split(" ")[-1]
    return ("is", said) if _ADJECTIVE.fullmatch(last) and last not in _NO_ADJECTIVE else None


@functools.cache
def _inflect():
    import inflect

    return inflect.engine()
