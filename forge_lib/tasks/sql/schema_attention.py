"""Where a model looks while it writes SQL."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from forge_lib.models.chat import render
from forge_lib.models.load import causal_lm
from forge_lib.tasks.sql.prompt import NO_ANSWER, build_messages

NAME = r"[^\W\d]\w*"  # in any script


@dataclass(frozen=True)
class SchemaAttention:
    """Attention from answer tokens to schema tokens.

    tokens: texts of the schema's tokens (S); answer: texts of the answer's tokens (A)
    weights: (A, S) mean over layers and heads, each in 0 … 1
    used_share: of the attention that falls on the schema's names, the share on names the gold query uses
    even_share: what used_share would be if every name's tokens got the same attention
    schema_share: of all attention, the share that falls on the schema
    heads: (L, H, A, S), the weights of every layer and head, where they were asked for
    """

    tokens: list[str]
    answer: list[str]
    weights: torch.Tensor
    used_share: float
    even_share: float
    schema_share: float
    heads: torch.Tensor | None = None

    @property
    def names(self) -> dict[str, list[int]]:
        """Places (of S) of the tokens of each name of the schema, all its occurrences together, in lower case."""
        return _places(self.tokens)

    @property
    def written(self) -> list[tuple[int, str]]:
        """Where (of A) a name of the schema begins in the answer, strings aside, and which: its row chose that token."""
        known, blank = self.names, re.sub(r"'(?:[^']|'')*'", lambda m: "'" * len(m.group()), "".join(self.answer))
        ends = list(itertools.accumulate(map(len, self.answer)))
        found = [(m.start(), m.group().lower()) for m in re.finditer(NAME, blank)]
        return [(next(i for i, end in enumerate(ends) if at < end), name) for at, name in found if name in known]


@torch.inference_mode()
def schema_attention(
    model, tokenizer, schema_text: str, question: str, sql: str, heads: bool = False
) -> SchemaAttention:
    """Attention of `model` (loaded with attn_implementation="eager") while it reads `sql` as its answer.

    The answer is given (teacher forcing), so that two models are compared over the same tokens. heads: also keep the
    weights of each layer and head, megabytes a question.
    Raises ValueError when the model's attention does not hand out its weights.
    """
    prompt = render(tokenizer, build_messages(schema_text, question))
    encoded = tokenizer(prompt + sql, add_special_tokens=False, return_offsets_mapping=True, return_tensors="pt")
    offsets = encoded.pop("offset_mapping")[0].tolist()
    begin = prompt.index(schema_text)
    schema = [i for i, (a, b) in enumerate(offsets) if a >= begin and b <= begin + len(schema_text) and b > a]
    answer = [i for i, (a, _) in enumerate(offsets) if a >= len(prompt)]
    inputs = {k: v.to(model.device) for k, v in encoded.items()}
    out = causal_lm(model).get_decoder()(**inputs, output_attentions=True, use_cache=False)
    if not out.attentions or out.attentions[0] is None:
        raise ValueError(
            'This attention keeps its weights to itself: call model.set_attn_implementation("eager") first.'
        )
    # The state at i-1 chooses token i, so its row of the matrix is what the choice looked at.
    rows = torch.tensor(answer) - 1
    mean = torch.stack([a[0].float().mean(0)[rows] for a in out.attentions]).mean(0).cpu()  # (A, T)
    weights = mean[:, schema]
    text = prompt + sql
    used = _used_tokens([offsets[i] for i in schema], text, words_outside_strings(sql))
    names = _used_tokens([offsets[i] for i in schema], text, None)
    total = weights.sum(0)
    return SchemaAttention(
        [text[a:b] for a, b in (offsets[i] for i in schema)], [text[a:b] for a, b in (offsets[i] for i in answer)],
        weights, float(total[used].sum() / total[names].sum()), len(used) / len(names),
        float(weights.sum() / mean.sum()),
        torch.stack([a[0][:, rows][:, :, schema].float().cpu() for a in out.attentions]) if heads else None,
    )  # fmt: skip


def words_outside_strings(sql: str) -> set[str]:
    """The words of a query outside its strings, in lower case: keywords, and the names that it uses.

    >>> sorted(words_outside_strings("SELECT Title FROM books WHERE title = 'the price'"))
    ['books', 'from', 'select', 'title', 'where']
    """
    return {word.lower() for word in re.findall(NAME, re.sub(r"'(?:[^']|'')*'", "''", sql))}


def worth_a_look(records: Sequence[dict], longest: int = 200) -> list[dict]:
    """Records whose attention says something, one a database: the tables answer them, and the gold is short.

    A query that uses no name of the schema has no name to look at. longest: characters of the gold, exclusive; where
    none is as short, the shortest of each database. Empty only where the tables answer no question.
    """
    able = [r for r in records if r.get("wording") != "unanswerable" and r["sql"] != NO_ANSWER]
    short = [r for r in able if len(r["sql"]) < longest]
    chosen = short or sorted(able, key=lambda r: len(r["sql"]), reverse=True)
    return list({r["db_id"]: r for r in chosen}.values())


def _places(tokens: Sequence[str]) -> dict[str, list[int]]:
    ends = list(itertools.accumulate(map(len, tokens)))
    found: dict[str, list[int]] = {}
    for name in re.finditer(NAME, "".join(tokens)):
        touched = [i for i, end in enumerate(ends) if end > name.start() and end - len(tokens[i]) < name.end()]
        found[name.group().lower()] = found.get(name.group().lower(), []) + touched
    return found


def _used_tokens(spans: Sequence[Sequence[int]], text: str, words: set[str] | None) -> list[int]:
    """Which of the tokens lie in a name of the schema that is one of `words` (any name when None)."""
    begin, end = spans[0][0], spans[-1][1]
    names = [m.span() for m in re.finditer(NAME, text[:end]) if m.start() >= begin]
    names = [(a, b) for a, b in names if words is None or text[a:b].lower() in words]
    return [i for i, (a, b) in enumerate(spans) if any(a < q and b > p for p, q in names)]
