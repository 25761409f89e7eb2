"""Answers in the making: rows that share what their prompts share, and come and go."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

from forge_lib.engine.cascade import Cascade, Layers, Level, attending, cascaded
from forge_lib.models.chat import Prompt

_SCORES = 2**26  # attention scores at once while questions are read: 256 MB in float32
_ROOM = 32  # tokens by which the room for answers grows


class Batch:
    """Rows that answer prompts: a prefix is read once for all its questions, a prompt once for all its samples.

    decoder: a model without its head for which `forge_lib.engine.cascade.cascades` holds
    """

    def __init__(self, decoder):
        self.decoder, self.device = decoder, decoder.device
        self.prompts: list[Prompt] = []  # of each row
        self.said: list[int] = []  # tokens of each row's answer that have gone through the model
        self._prefixes, self._questions = _Shared(), _Shared()  # the latter by prompt
        self._states: dict[Prompt, torch.Tensor] = {}  # (D,) behind each prompt
        self._answers: Layers = []  # keys and values (R, K, T, D)
        self._levels: list[Level] = []

    def admit(self, prompts: Sequence[Prompt]) -> torch.Tensor:
        """Add a row for each prompt. Returns the states (n, D) from which their first tokens follow."""
        new = [p for p in dict.fromkeys(prompts) if p not in self._states]
        for p in new:
            if not p.prefix:
                self._questions.known[p], states = self._read(p.rest)
                self._states[p] = states[-1]
            elif p.prefix not in self._prefixes.known:
                self._prefixes.known[p.prefix], _ = self._read(p.prefix)
        for some in self._portions([p for p in new if p.prefix]):
            self._states |= zip(some, self._read_questions(some), strict=True)
        self.prompts += prompts
        self.said += [0] * len(prompts)
        like = self._answers or [(k[None, :, :0], v[None, :, :0]) for k, v in self._questions.known[prompts[0]]]
        self._answers = _resized(like, len(self.prompts), max(like[0][0].shape[2], _ROOM))
        self._arrange()
        return torch.stack([self._states[p] for p in prompts])

    def step(self, tokens: torch.Tensor, going: Sequence[int]) -> torch.Tensor:
        """The states (R, D) behind one more token of every row: tokens (R,).

        going: the rows whose answers go on; the others only wait to be dropped, and their states mean nothing.
        """
        end = max(self.said) + 1
        if end > self._answers[0][0].shape[2]:
            self._answers = _resized(self._answers, len(self.prompts), end + _ROOM)
        answers = [(k[:, :, :end], v[:, :, :end]) for k, v in self._answers]
        own = Level(answers, range(len(self.said)), [n + 1 for n in self.said])
        positions = [len(p) + n for p, n in zip(self.prompts, self.said, strict=True)]
        for row in going:
            self.said[row] += 1
        return self._through([*self._levels, own], tokens, positions)

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all other rows."""
        self.prompts, self.said = [self.prompts[r] for r in rows], [self.said[r] for r in rows]
        at = torch.tensor(rows, dtype=torch.long, device=self.device)
        self._answers = [(k[at], v[at]) for k, v in self._answers]
        if rows:
            self._arrange()

    def _arrange(self) -> None:
        """The levels above the answers, and nothing held that no row needs; the newest may have samples to come."""
        levels = self._prefixes.level([p.prefix for p in self.prompts]), self._questions.level(self.prompts)
        self._levels = [level for level in levels if level]
        needed = dict.fromkeys([*self.prompts, next(reversed(self._states))])
        self._states = {p: self._states[p] for p in needed}
        self._questions.forget_all_but(needed)
        self._prefixes.forget_all_but(p.prefix for p in needed)

    def _read(self, ids: tuple[int, ...]) -> tuple[Layers, torch.Tensor]:
        """Keys and values (K, T, D) of a text alone, and its states (T, D)."""
        with attending(self.decoder, "forge"):
            out = self.decoder(
                input_ids=torch.tensor([ids], device=self.device), past_key_values=DynamicCache(), use_cache=True
            )
        return [(x.keys[0], x.values[0]) for x in out.past_key_values.layers], out.last_hidden_state[0]

    def _portions(self, prompts: list[Prompt]):
        """The prompts, as many at a time as their attention scores allow."""
        heads, some, longest, tokens = self.decoder.config.num_attention_heads, [], 0, 0
        for p in prompts:
            longest, tokens = max(longest, len(p)), tokens + len(p.rest)
            if some and longest * tokens * heads > _SCORES:
                yield some
                some, longest, tokens = [], len(p), len(p.rest)
            some.append(p)
        if some:
            yield some

    def _read_questions(self, prompts: Sequence[Prompt]) -> torch.Tensor:
        """Read what follows the prefixes, all tokens as rows of one pass. Returns the states (n, D) behind them."""
        places = [(n, at) for n, p in enumerate(prompts) for at in range(len(p.rest))]
        longest = max(len(p.rest) for p in prompts)
        like = [(k[None, :, :0], v[None, :, :0]) for k, v in self._prefixes.known[prompts[0].prefix]]
        own = Level(_resized(like, len(prompts), longest), [n for n, _ in places], [at + 1 for _, at in places])
        above = self._prefixes.level([prompts[n].prefix for n, _ in places])
        ids = torch.tensor([i for p in prompts for i in p.rest], device=self.device)
        states = self._through([above, own], ids, [len(prompts[n].prefix) + at for n, at in places])
        for n, p in enumerate(prompts):
            self._questions.known[p] = [(k[n, :, : len(p.rest)], v[n, :, : len(p.rest)]) for k, v in own.layers]
        ends = torch.tensor([len(p.rest) for p in prompts], device=self.device).cumsum(0) - 1
        return states[ends]

    def _through(self, levels: Sequence[Level], tokens: torch.Tensor, positions: list[int]) -> torch.Tensor:
        return cascaded(self.decoder, Cascade(levels), tokens, torch.tensor(positions, device=self.device))


class _Shared:
    """Stretches of keys and values by name, each once, whoever looks back on it."""

    def __init__(self):
        self.known: dict[Hashable, Layers] = {}  # (K, T, D)
        self._names: list[Hashable] = []  # of those that stand in `_layers`
        self._layers: Layers = []

    def level(self, names: Sequence[Hashable]) -> Level | None:
        """For rows that look back on the stretches of these names; a name that is not known has no tokens."""
        distinct = [n for n in dict.fromkeys(names) if n in self.known]
        if not distinct:
            return None
        if distinct != self._names:
            self._names, self._layers = distinct, _stacked([self.known[n] for n in distinct])
            for at, name in enumerate(distinct):  # now views, so that each stands in memory once
                length = self.known[name][0][0].shape[1]
                self.known[name] = [(k[at, :, :length], v[at, :, :length]) for k, v in self._layers]
        numbers = {name: n for n, name in enumerate(distinct)}
        seen = [self.known[n][0][0].shape[1] if n in numbers else 0 for n in names]
        return Level(self._layers, [numbers.get(n, 0) for n in names], seen)

    def forget_all_but(self, names) -> None:
        self.known = {n: self.known[n] for n in dict.fromkeys(names) if n in self.known}


def _stacked(stretches: Sequence[Layers]) -> Layers:
    """Stretches (K, T, D) of different lengths, with zeros behind the shorter: (U, K, T, D)."""
    layers = []
    for pairs in zip(*stretches, strict=True):  # of one layer
        longest = max(k.shape[1] for k, _ in pairs)
        layers.append(tuple(
            torch.stack([pad(x, (0, 0, 0, longest - x.shape[1])) for x in same]) for same in zip(*pairs, strict=True)
        ))  # fmt: skip
    return layers


def _resized(layers: Layers, rows: int, tokens: int) -> Layers:
    """(R, K, T, D) with rows and tokens of zeros behind: what is hidden has weight zero, and zero times nothing is not zero."""
    return [tuple(pad(x, (0, 0, 0, tokens - x.shape[2], 0, 0, 0, rows - len(x))) for x in pair) for pair in layers]
