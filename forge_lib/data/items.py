"""What a task asks and wants to be answered: items of a context, in parts that were drawn once."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

GROUPS = ("seen", "unseen", "hard")


class DataError(ValueError):
    """Data that is malformed, changed or missing; the message names file, row and mend."""


class Item:
    """A question in a context, and its right answer. A task derives a frozen dataclass from it, under names of its own.

    id: unique among the items of a data set
    context: what items share (a database, a repository, a service): items of one context begin with the same prompt, so
        they are packed behind one prefix, split together and drawn together for an interval
    question, answer: what is asked, and what is right (the gold)
    difficulty: one of the task's LEVELS; part: set in evaluation splits: "seen" or "unseen" (contexts that occur nowhere in
        train); wording: "" for a plain question, or what makes it hard; provenance: how it came to be, where not by an author
    ANSWER: the field that holds the answer
    """

    ANSWER = "answer"

    id: str
    context: str
    question: str
    answer: str
    difficulty: str = ""
    part: str = ""
    wording: str = ""
    provenance: str = ""

    @property
    def asked(self) -> str:
        """What stands in the prompt."""
        return self.question

    @property
    def group(self) -> str:
        """Where its result is counted: "hard" for a hard wording, otherwise its part, "seen" or "unseen"."""
        return group(self.fields())

    @property
    def split_key(self) -> tuple[str, str]:
        """What two wordings share: items with the same key stay on one side of a split."""
        return self.context, normalize(self.answer)

    def fields(self) -> dict:
        """Its filled fields, as a line of its file holds them."""
        return {key: value for key, value in asdict(self).items() if value}

    def with_answer(self, answer: str, provenance: str, id: str | None = None) -> Item:
        """The same question with another answer, and how that came to be; `id` where it stands beside this item."""
        known = {"provenance": provenance} if "provenance" in self.__dataclass_fields__ else {}
        return replace(self, id=id or self.id, **{self.ANSWER: answer}, **known)

    def as_record(self) -> dict:
        """Its fields and its context, to which a result is added."""
        return self.fields() | {"context": self.context}


def group(record: dict) -> str:
    """The group of an item's or a result's record: "hard", "seen" or "unseen" ("" in training)."""
    return "hard" if record.get("wording") else record.get("part", "")


def normalize(text: str) -> str:
    """Lower case, words and the signs that carry meaning: what makes two questions, or two queries, the same one.

    >>> normalize("How  many ships?"), normalize("Older than -5, or > 5?")
    ('how many ships', 'older than -5 or > 5')
    """
    return " ".join(_PARTS.findall(unicodedata.normalize("NFC", text.lower())))


def only_words(text: str) -> str:
    """`normalize` without the signs: for what is counted in words, and for how alike two texts are.

    >>> only_words("Older than -5, or > 5?")
    'older than 5 or 5'
    """
    return " ".join(_WORDS.findall(unicodedata.normalize("NFC", text.lower())))


# A vowel sign of Hindi or Thai is no \w, and a word is another one without it.
_VOWELS = "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c)[0] == "M")
_WORDS = re.compile(rf"[\w{_VOWELS}]+")
_PARTS = re.compile(rf"(?:(?<!\w)-(?=\d))?{_WORDS.pattern}|[<>=!+#%&|^~*$]+")


def fingerprint(items: Sequence[Item]) -> str:
    """SHA-256 (hex) of the ids, contexts, questions and answers of `items`: what a score was measured on."""
    text = "\n".join(f"{i.id}\t{i.context}\t{i.question}\t{i.answer}" for i in items)
    return hashlib.sha256(text.encode()).hexdigest()


class Splits:
    """Parts of items: what a task loads. A task derives its data set from it.

    name: for tables and errors; source: what it was loaded from, as `--data` has it
    left_out: items that are in no part, each with the reason: no model can be right on them
    notes: sentences on how the parts came to be, for the one who brought the data
    """

    name: str
    source: str
    train: list[Item]
    validation: list[Item]
    test: list[Item]
    left_out: list[tuple[Item, str]]
    notes: list[str]

    def splits(self) -> Iterator[tuple[str, list[Item]]]:
        """Name and items of each part."""
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


def training_part(items: Sequence[Item], written: int | None, sampled: int | None, seed: int) -> list[Item]:
    """What a profile trains on: `written` items (question and answer together) and `sampled` ones (answers drawn by a program); None = all."""
    own = [i for i in items if not i.provenance.startswith("sampled")]
    return spread(own, written, seed) + spread([i for i in items if i.provenance.startswith("sampled")], sampled, seed)


def spread(items: Sequence[Item], count: int | None, seed: int) -> list[Item]:
    """`count` items drawn evenly over parts and contexts, the same for the same seed; all when `count` is None.

    Smaller profiles score such a subset; the draw never looks at a model's answers.
    """
    if count is None or count >= len(items):
        return list(items)
    shuffled = sorted(items, key=lambda i: i.id)
    random.Random(seed).shuffle(shuffled)
    rank: dict[tuple[str, str], int] = {}
    keyed = []
    for item in shuffled:
        stratum = (item.part, item.context)
        rank[stratum] = rank.get(stratum, -1) + 1
        keyed.append((rank[stratum], item))
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])[:count]]
