"""Answers that a grammar allows: llguidance's masks over the vocabulary as a `Constraint` of `generate`."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch

_MOST_ITEMS = 50_000  # of the parser at one place: a grammar of many tables begins with many possibilities


class GrammarError(ValueError):
    """A grammar that llguidance cannot read; the message is its own."""


class GrammarConstraint:
    """What may come next by a grammar in llguidance's Lark (https://github.com/guidance-ai/llguidance).

    tokenizer: a byte-level one, as the course's are. Raises GrammarError for a grammar that is none.

    >>> from forge_lib.lab.profiles import PROFILES
    >>> from forge_lib.models.load import load_tokenizer
    >>> tokenizer = load_tokenizer(PROFILES["cpu"])
    >>> constraint = GrammarConstraint('start: "yes" | "no"', tokenizer)
    >>> sorted(tokenizer.decode([i]) for i in constraint.allowed().nonzero().flatten())
    ['n', 'no', 'y', 'ye', 'yes']
    """

    def __init__(self, grammar: str, tokenizer):
        from llguidance import LLMatcher, LLParserLimits

        limits = LLParserLimits(max_items_in_row=_MOST_ITEMS)
        self._vocabulary = _vocabulary(tokenizer)
        self._matcher = LLMatcher(self._vocabulary, grammar, limits=limits, log_level=0)
        if self._matcher.is_error():
            raise GrammarError(self._matcher.get_error())

    def fresh(self) -> GrammarConstraint:
        """One like this, at the start of an answer."""
        other = object.__new__(GrammarConstraint)
        other._vocabulary, other._matcher = self._vocabulary, self._matcher.deep_copy()
        other._matcher.reset()
        return other

    def allowed(self) -> torch.Tensor:
        """(V,) bool: the tokens that may come; the end-of-sequence alone after one that the grammar refuses."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return torch.from_numpy(np.unpackbits(mask, count=self._vocabulary.vocab_size, bitorder="little").astype(bool))

    def advance(self, token: int) -> None:
        """The answer goes on with `token`."""
        self._matcher.consume_token(token)

    def accepts(self, ids: list[int]) -> bool:
        """Whether a whole answer of these tokens is one that the grammar allows."""
        matcher = self._matcher.deep_copy()
        matcher.reset()
        return matcher.validate_tokens(ids) == len(ids) and matcher.consume_tokens(ids) and matcher.is_accepting()


def grammar_constraints(tokenizer, grammars: Sequence[str | None]) -> list[GrammarConstraint | None]:
    """A constraint for each of `grammars`, equal ones read once; None for None. Raises GrammarError."""
    return [g and _constraint(g, tokenizer) for g in grammars]


@functools.lru_cache(maxsize=64)  # reading one takes a tenth of a second, and `generate` asks for fresh ones
def _constraint(grammar: str, tokenizer) -> GrammarConstraint:
    return GrammarConstraint(grammar, tokenizer)


@functools.lru_cache(maxsize=4)
def _vocabulary(tokenizer):
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer)
