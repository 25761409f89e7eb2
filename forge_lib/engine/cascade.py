"""Attention of many rows over what they share: the keys of a prefix are read once for all rows that begin with it.

While a batch answers, most of its attention looks back on tokens that rows have in common: a schema on all questions about
it, schema and question on all samples of one answer. A cache of a row's own holds them once a row and reads them once a
row; here they stand once, and the queries of all rows that share them are one matrix product (Juravsky et al. 2024,
"Hydragen", https://arxiv.org/abs/2402.05099). Query heads that share a key head are asked together, without copies of
it. Scores over the levels then go through one softmax together, so that the result is that of plain attention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager

import torch

Layers = list[tuple[torch.Tensor, torch.Tensor]]  # keys and values of each layer
_SEEN = {"full_attention", "sliding_attention"}  # kinds of layers; a window that is never left hides nothing


class Level:
    """Stretches of tokens of which each row looks back on one.

    layers: keys and values (U, K, T, D) of U stretches, padded to T tokens on the right, by K heads of width D
    group: the stretch of each of the N rows; seen: how many of its tokens, from the first on, the row may see
    """

    def __init__(self, layers: Layers, group: Sequence[int], seen: Sequence[int]):
        self.layers, self.rows = layers, len(group)
        keys = layers[0][0]
        self.count, self.heads, self.tokens = keys.shape[:3]
        self.group = torch.tensor(group, device=keys.device)
        self.seen = torch.tensor(seen, device=keys.device)
        self._places = None if list(group) == list(range(self.count)) else self._packed(group, keys.device)

    def _packed(self, group: Sequence[int], device) -> tuple[torch.Tensor, torch.Tensor]:
        """Where in (N·K) the entries of (U·K·M) come from, M the rows of the largest group, and where in it (N·K) are."""
        most, taken = max(Counter(group).values()), Counter()
        rows = torch.zeros(self.count, most, dtype=torch.long)  # padding asks for row 0, and nobody reads the answer
        place = torch.zeros(self.rows, dtype=torch.long)
        for row, stretch in enumerate(group):
            rows[stretch, taken[stretch]], place[row] = row, taken[stretch]
            taken[stretch] += 1
        head = torch.arange(self.heads)
        take = rows[:, None, :] * self.heads + head[:, None]  # (U, K, M)
        back = (torch.tensor(group)[:, None] * self.heads + head) * most + place[:, None]  # (N, K)
        return take.flatten().to(device), back.flatten().to(device)

    def hidden(self) -> torch.Tensor:
        """(N, T) bool: which tokens a row may not see."""
        return torch.arange(self.tokens, device=self.seen.device) >= self.seen[:, None]

    def scores(self, layer: int, query: torch.Tensor) -> torch.Tensor:
        """Queries (N·K, G, D), G query heads to a key head, times the keys: (N·K, G, T)."""
        return self._product(query, self.layers[layer][0].flatten(0, 1).mT)

    def mixed(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Weights (N·K, G, T) times the values: (N·K, G, D)."""
        return self._product(weights, self.layers[layer][1].flatten(0, 1))

    def _product(self, rows: torch.Tensor, stretches: torch.Tensor) -> torch.Tensor:
        """(N·K, G, X) times that of its stretch among (U·K, X, Y), one product a stretch and head: (N·K, G, Y)."""
        if self._places is None:
            return torch.bmm(rows, stretches)
        take, back = self._places
        asked = rows.flatten(1).index_select(0, take).view(len(stretches), -1, rows.shape[-1])  # (U·K, M·G, X)
        return torch.bmm(asked, stretches).view(len(take), -1).index_select(0, back).view(*rows.shape[:2], -1)


class Cascade:
    """The levels a row looks back on; its new token's keys and values go into the last, at the last place it sees there."""

    def __init__(self, levels: Sequence[Level]):
        self.levels = levels
        self._new = (levels[-1].group, slice(None), levels[-1].seen - 1)
        hidden = torch.cat([level.hidden() for level in levels], 1)[:, None, None]
        self._mask = hidden.new_zeros(hidden.shape, dtype=levels[0].layers[0][0].dtype).masked_fill_(hidden, -torch.inf)

    def attend(self, layer: int, query, key, value, scale: float) -> torch.Tensor:
        """Attention of N new tokens, a row each: query (H, N, D), key and value (K, N, D) -> (N, H, D)."""
        (heads, rows, width), groups = query.shape, len(query) // len(key)
        keys, values = self.levels[-1].layers[layer]
        keys[self._new], values[self._new] = key.transpose(0, 1), value.transpose(0, 1)
        asked = query.transpose(0, 1).reshape(-1, groups, width) * scale  # (N·K, G, D)
        scores = torch.cat([level.scores(layer, asked) for level in self.levels], -1)
        scores.view(rows, -1, groups, scores.shape[-1]).add_(self._mask)  # (N, 1, 1, T)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
        parts = weights.split([level.tokens for level in self.levels], -1)
        mixed = sum(level.mixed(layer, part) for level, part in zip(self.levels, parts, strict=True))
        return mixed.view(rows, heads, -1)


def cascades(decoder) -> bool:
    """Whether `cascaded` gives what this decoder computes: attention everywhere, and plain (no caps, no sinks)."""
    config = decoder.config
    return (
        getattr(decoder, "_supports_attention_backend", False)
        and not getattr(config, "attn_logit_softcapping", None)
        and set(getattr(config, "layer_types", None) or _SEEN) <= _SEEN
        and not any(hasattr(module, "sinks") for module in decoder.modules())
    )


@contextmanager
def attending(decoder, how: str):
    """Within the block the decoder attends in this way, by transformers' name of it. Free, and safe in threads, where it is so."""
    before = decoder.config._attn_implementation
    if before == how:
        yield
        return
    decoder.config._attn_implementation = how
    try:
        yield
    finally:
        decoder.config._attn_implementation = before


def cascaded(decoder, cascade: Cascade, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """The decoder's last states (N, D) for N new tokens, each at its position behind what the cascade has for it."""
    mask = torch.ones(1, 1, 1, 1, device=ids.device)  # with four axes it is taken as made, and `attention` needs none
    with attending(decoder, "forge"):
        return decoder(
            input_ids=ids[None], position_ids=positions[None], attention_mask=mask, use_cache=False, cascade=cascade
        ).last_hidden_state[0]
