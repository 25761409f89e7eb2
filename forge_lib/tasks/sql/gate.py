"""The gate: what a pair must satisfy before a model learns from it, and what must not cross from train to test.

Each rule has a name and a sentence in RULES; each Finding names the pair, the rule and what is the matter.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import pandas as pd
from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.data.items import normalize, only_words
from forge_lib.models.chat import encode
from forge_lib.tasks.sql.augment import skeleton
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.nondeterminism import empty_first, nondeterminism
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.parsing import parse_query, with_strings
from forge_lib.tasks.sql.rows import has_value
from forge_lib.tasks.sql.sandbox import Sandbox, shared_sandbox
from forge_lib.tasks.sql.synthesis.wording import FLAGS

RULES = {
    "parses": "The SQL is one query that sqlglot parses.",
    "runs": "SQLite executes it, within the time limit and without writing.",
    "returns rows": "It returns at least one value that is not NULL.",
    "deterministic": "No luck decides: no LIMIT through a tie, no column with several values in a group, no clock.",
    "lowest has a value": "What is taken as the lowest has a value: SQLite sorts NULL first.",
    "asks for its literals": "Every text value of the SQL stands in the question (dates, flags and CASE labels excepted).",
    "values one would type": "No text value is a paragraph: no line break, at most 100 characters.",
    "no chat marks": "No control mark of a chat template stands in question or SQL, such as <|im_end|>.",
    "length": "Prompt and answer together fit the token limit.",
    "no personal data": "No e-mail address, telephone number, bank account or card number.",
    "new question": "No earlier pair asks the same words of the same database.",
    "not nearly a duplicate": "No earlier pair asks nearly the same words of the same database.",
    "no leak: question": "The training part does not ask these words of this database.",
    "no leak: near-duplicate": "The training part does not ask nearly these words of this database.",
    "no leak: query": "The training part does not hold this query on this database.",
    "no leak: database": "A database of the unseen part occurs nowhere in training.",
}
NEAR = 0.8  # Jaccard similarity of two questions' character 5-grams from which they are near-duplicates
_SHINGLE = 5
_UNSAID = {word for flag in FLAGS for word in flag} | {"unixepoch"}  # words of SQL that a question says otherwise
_LONGEST_VALUE = 100  # characters; the course's own values end at 40
_CHAT_MARKS = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|\[/?INST\]|<</?SYS>>"
)
_PERMUTATIONS = 64  # of MinHash: candidates only, each is compared exactly afterwards


@dataclass(frozen=True)
class Finding:
    """One broken rule: which pair, which rule of RULES, and what is the matter."""

    pair: str
    rule: str
    detail: str


def check_pairs(
    data: DataSet, pairs: Iterable[Pair], tokenizer=None, max_length: int | None = None, sandbox: Sandbox | None = None
) -> list[Finding]:
    """The rules that concern pairs of one part: each alone, and against those before it.

    tokenizer, max_length: give both to check the length in tokens. Cost grows linearly with the number of pairs.
    """
    pairs, sandbox = list(pairs), sandbox or shared_sandbox()
    found = [f for pair in pairs for f in check_pair(data, pair, sandbox)]
    if tokenizer and max_length:
        found += _too_long(data, pairs, tokenizer, max_length)
    first: dict[tuple[str, str], str] = {}
    for pair in pairs:
        earlier = first.setdefault((pair.db_id, normalize(pair.question)), pair.id)
        if earlier != pair.id:
            found.append(Finding(pair.id, "new question", f"same words as {earlier}"))
    same = {f.pair for f in found if f.rule == "new question"}
    for pair, earlier, similarity in near_duplicates(pairs, pairs):
        if pair.id not in same and not pair.wording:  # a hard wording rewords another pair on purpose
            found.append(
                Finding(pair.id, "not nearly a duplicate", f"{similarity:.2f} like {earlier.id}: {earlier.question}")
            )
    return found


def check_splits(data: DataSet) -> list[Finding]:
    """The rules between parts: what validation and test must not share with train."""
    trained = {p.db_id for p in data.train}
    questions = {(p.db_id, normalize(p.question)): p.id for p in data.train}
    queries = {(p.db_id, normalize(p.sql)): p.id for p in data.train}
    found = []
    for pair in [*data.validation, *data.test]:
        if pair.part == "unseen" and pair.db_id in trained:
            found.append(Finding(pair.id, "no leak: database", pair.db_id))
        for rule, known, text in (("question", questions, pair.question), ("query", queries, pair.sql)):
            if pair.wording != "unanswerable" or rule == "question":  # all unanswerable questions share their query
                twin = known.get((pair.db_id, normalize(text)))
                found += [Finding(pair.id, f"no leak: {rule}", f"as in {twin}")] if twin else []
    same = {f.pair for f in found if f.rule == "no leak: question"}
    for pair, twin, similarity in near_duplicates([*data.validation, *data.test], data.train):
        if pair.id not in same:
            found.append(
                Finding(pair.id, "no leak: near-duplicate", f"{similarity:.2f} like {twin.id}: {twin.question}")
            )
    return found


def keep(pairs: Sequence[Pair], findings: Iterable[Finding]) -> list[Pair]:
    """The pairs without a finding."""
    bad = {f.pair for f in findings}
    return [p for p in pairs if p.id not in bad]


def report(findings: Sequence[Finding], total: int) -> pd.DataFrame:
    """One row a rule: pairs that broke it, their share of `total` (percent), and one example."""
    rows = []
    for rule, sentence in RULES.items():
        own = [f for f in findings if f.rule == rule]
        count = len({f.pair for f in own})
        rows.append({"rule": rule, "pairs": count, "share": 100 * count / max(1, total), "what it asks": sentence,
                     "example": f"{own[0].pair}: {own[0].detail}" if own else ""})  # fmt: skip
    return pd.DataFrame(rows).set_index("rule")


def check_pair(data: DataSet, pair: Pair, sandbox: Sandbox) -> Iterator[Finding]:
    """The rules that one pair satisfies or breaks by itself, length excepted."""
    for kind, text in personal_data(f"{pair.question} {pair.sql}"):
        yield Finding(pair.id, "no personal data", f"{kind}: {text}")
    for mark in _CHAT_MARKS.findall(f"{pair.asked} {pair.sql}"):
        yield Finding(pair.id, "no chat marks", mark)
    try:
        query = parse_query(pair.sql)
    except SqlglotError as error:
        yield Finding(pair.id, "parses", str(error).splitlines()[0])
        return
    said = with_strings(query, data.schema(pair.db_id).names) if '"' in pair.sql else query
    for text in (v.this for v in said.find_all(exp.Literal) if v.is_string):
        if len(text) > _LONGEST_VALUE or len(text.splitlines()) > 1:
            yield Finding(pair.id, "values one would type", f"{len(text)} characters: {text[:40]!r}…")
    if pair.wording != "values":  # there the question words the value otherwise, on purpose
        for text in _missing_literals(pair.question, said):
            yield Finding(pair.id, "asks for its literals", repr(text))
    database = data.database(pair.db_id)
    result = sandbox.run(database, pair.sql)
    if result.status != "ok":
        yield Finding(pair.id, "runs", result.error)
        return
    if not has_value(result.rows):
        yield Finding(pair.id, "returns rows", f"{len(result.rows)} rows")
        return
    run = functools.cache(functools.partial(sandbox.rows, database))
    if why := nondeterminism(said, run):
        yield Finding(pair.id, "deterministic", why)
    if why := empty_first(pair.sql, run):
        yield Finding(pair.id, "lowest has a value", why)


def _missing_literals(question: str, query: exp.Expression) -> list[str]:
    """Text values of a parsed query that the question does not mention.

    Dates, formats of dates, yes and no ("that are not paid") and labels that CASE makes up are excepted; so is the
    course's answer to the unanswerable.
    """
    asked = question.lower()
    missing = set()
    for value in query.find_all(exp.Literal):
        text = value.this.strip("%")
        made_up = isinstance(value.parent, (exp.If, exp.Case)) and value.arg_key in ("true", "false", "default")
        bare = isinstance(value.parent, exp.Select) or (
            isinstance(value.parent, exp.Alias) and isinstance(value.parent.parent, exp.Select)
        )
        if (
            value.is_string
            and not made_up
            and not bare
            and not re.fullmatch(r"[\d\-:%YmdHMSjwW ]*", text)
            and text.lower() not in asked
            and text.lower() not in _UNSAID
        ):
            missing.add(text)
    return sorted(missing)


def personal_data(text: str) -> list[tuple[str, str]]:
    """(kind, text) of what looks like personal data: e-mail addresses; telephone numbers as libphonenumber validates
    them in international form; IBANs and card numbers whose check digits are right.

    >>> personal_data("write to ada@example.org"), personal_data("loans since 2024-01-31 over 4111 pages")
    ([('e-mail address', 'ada@example.org')], [])
    """
    import phonenumbers
    from stdnum import iban, luhn

    # From the first character of a run only: begun at each of them, a long run without an @ takes quadratic time.
    found = [("e-mail address", m) for m in re.findall(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]*\w", text)]
    if "+" in text:
        found += [("telephone number", m.raw_string) for m in phonenumbers.PhoneNumberMatcher(text, None)]
    found += [
        ("bank account", m)
        for m in re.findall(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", text)
        if iban.is_valid(m)
    ]
    found += [
        ("card number", m) for m in re.findall(r"\b\d(?:[ -]?\d){12,18}\b", text) if luhn.is_valid(re.sub(r"\D", "", m))
    ]
    return found


def _too_long(data: DataSet, pairs: Sequence[Pair], tokenizer, max_length: int) -> list[Finding]:
    """Pairs whose prompt and SQL are together more tokens than `max_length`."""
    lengths = {p.id: len(encode(tokenizer, data.messages(p), p.sql)) for p in pairs}
    return [
        Finding(name, "length", f"{n} tokens, {max_length} allowed") for name, n in lengths.items() if n > max_length
    ]


def shingles(question: str) -> frozenset[str]:
    """The character 5-grams of a question, case and punctuation aside."""
    text = only_words(question)
    return frozenset(text[i : i + _SHINGLE] for i in range(max(1, len(text) - _SHINGLE + 1)))


def near_duplicates(
    pairs: Sequence[Pair], others: Sequence[Pair], threshold: float = NEAR
) -> list[tuple[Pair, Pair, float]]:
    """(pair, other, similarity) for every pair whose question is like that of an `other` of its database.

    Where `others` is `pairs`, each is compared with those before it. Candidates come from MinHash with
    locality-sensitive hashing (Broder 1997; https://ekzhu.com/datasketch), so the cost is linear; similarity is the
    exact Jaccard index of character 5-grams. One finding a pair, the most similar other.
    """
    from datasketch import MinHash, MinHashLSH

    inside = pairs is others
    found = []
    by_database: dict[str, tuple[list[Pair], list[Pair]]] = defaultdict(lambda: ([], []))
    for side, group in enumerate((pairs, others)):
        for pair in group:
            by_database[pair.db_id][side].append(pair)
    for asked, known in by_database.values():
        grams = {id(p): shingles(p.question) for p in [*asked, *known]}
        if not known or not asked:
            continue
        each = [*known] if inside else [*known, *asked]
        hashes = MinHash.bulk(
            [[g.encode() for g in grams[id(p)]] for p in each], num_perm=_PERMUTATIONS, hashfunc=crc32
        )
        sketch = {id(p): h for p, h in zip(each, hashes, strict=True)}
        index = MinHashLSH(threshold - 0.1, _PERMUTATIONS)  # looser than wanted: a candidate missed is not found again
        if not inside:
            for number, pair in enumerate(known):
                index.insert(number, sketch[id(pair)])
        for number, pair in enumerate(asked):
            mine = grams[id(pair)]
            alike = [
                (len(mine & grams[id(known[k])]) / len(mine | grams[id(known[k])]), -k)
                for k in index.query(sketch[id(pair)])
            ]
            if alike and max(alike)[0] >= threshold:
                found.append((pair, known[-max(alike)[1]], max(alike)[0]))
            if inside:
                index.insert(number, sketch[id(pair)])
    return found


def diversity(pairs: Sequence[Pair], n: int = 2) -> dict[str, float]:
    """How varied the questions and queries are.

    distinct-n: different word n-grams of the questions over all of them (Li et al. 2016, https://arxiv.org/abs/1510.03055),
    0 to 1, which falls as a set grows: compare sets of one size. skeletons: query shapes per pair. openers: share of the
    commonest first word.
    """
    texts = [only_words(p.question).split() for p in pairs]
    grams = [tuple(t[i : i + n]) for t in texts for i in range(len(t) - n + 1)]
    openers = Counter(t[0] for t in texts if t)
    return {
        f"distinct-{n}": len(set(grams)) / max(1, len(grams)),
        "skeletons per pair": len({skeleton(p.sql) for p in pairs}) / max(1, len(pairs)),
        "commonest opener": openers.most_common(1)[0][1] / max(1, len(texts)),
        "words per question": sum(map(len, texts)) / max(1, len(texts)),
    }


def shared_skeletons(data: DataSet) -> dict[str, float]:
    """Share (0 to 1) of validation and test whose query shape occurs in train: no leak, the grammar to be learnt."""
    known = {skeleton(p.sql) for p in data.train}
    return {name: sum(skeleton(p.sql) in known for p in pairs) / max(1, len(pairs))
            for name, pairs in data.splits() if name != "train"}  # fmt: skip
