"""Shared-prefix packing: one forward pass over a schema and several questions about it.

All prompts of one database begin with the same tokens. A pack is `prefix + item 1 + item 2 + …`, where each item
(question and answer) sees the prefix and itself and nothing else, and its positions restart after the prefix. The
loss is the same as that of the items one by one, and the prefix is computed once.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from forge_lib.attention import Layout
from forge_lib.chat import Example, encode
from forge_lib.data.augment import augment, identifiers
from forge_lib.data.pairs import DataError, DataSet, Pair
from forge_lib.tasks.sql.prompt import build_messages
from forge_lib.tasks.sql.schema import render_schema

Pack = list[Example]  # examples with an equal prefix


@dataclass(frozen=True)
class Batch:
    """Tensors of B packs padded to T tokens.

    input_ids, position_ids: (B, T) int64
    attention_mask: (B, 1, T, T), added to the attention scores: 0 where a query may look, the dtype's minimum elsewhere
    keep: (N, 2) int64, row and column of each hidden state that predicts an answer token
    targets: (N,) int64, the answer tokens
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    attention_mask: torch.Tensor
    keep: torch.Tensor
    targets: torch.Tensor


def collate(packs: Sequence[Pack], pad_id: int, dtype: torch.dtype) -> Batch:
    """Tensors for one forward pass over several packs."""
    rows = [_lay_out(pack) for pack in packs]
    length = max(len(ids) for ids, *_ in rows)
    input_ids = torch.full((len(rows), length), pad_id)
    positions = torch.zeros((len(rows), length), dtype=torch.long)
    segments = torch.full((len(rows), length), -1)  # (B, T): 0 prefix, k-th item k, -1 padding
    keep, targets = [], []
    for r, (ids, position, segment, answers) in enumerate(rows):
        input_ids[r, : len(ids)] = torch.tensor(ids)
        positions[r, : len(ids)] = torch.tensor(position)
        segments[r, : len(ids)] = torch.tensor(segment)
        keep += [(r, at - 1) for at in answers]  # the state before a token predicts it
        targets += [ids[at] for at in answers]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    key, query = segments[:, None, :], segments[:, :, None]
    visible = causal & ((key == query) | (key == 0))  # (B, T, T)
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
    return Batch(input_ids, positions, mask[:, None], torch.tensor(keep), torch.tensor(targets))


@dataclass(frozen=True)
class Line:
    """The same packs laid end to end, without padding: N tokens.

    input_ids, position_ids: (N,) int64; keep, targets: (answer tokens,) int64, as in Batch
    layouts: one a pack, in place of a mask: tokens of the prefix, tokens of each item
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    layouts: list[Layout]
    keep: torch.Tensor
    targets: torch.Tensor


def line_up(packs: Sequence[Pack]) -> Line:
    """Tensors for one forward pass by `forge_lib.blocks`, which needs neither padding nor a mask."""
    ids: list[int] = []
    positions: list[int] = []
    keep: list[int] = []
    for pack in packs:
        row, position, _, answers = _lay_out(pack)
        keep += [len(ids) + at - 1 for at in answers]
        ids += row
        positions += position
    layouts = [(len(pack[0].prefix), tuple(len(e) - len(e.prefix) for e in pack)) for pack in packs]
    targets = [token for pack in packs for e in pack for token in e.answer]
    return Line(torch.tensor(ids), torch.tensor(positions), layouts, torch.tensor(keep), torch.tensor(targets))


def _lay_out(pack: Pack) -> tuple[list[int], list[int], list[int], list[int]]:
    """ids, positions, segments of one pack, and where its answer tokens are."""
    prefix = pack[0].prefix
    ids, positions, segments = list(prefix), list(range(len(prefix))), [0] * len(prefix)
    answers: list[int] = []
    for number, example in enumerate(pack, 1):
        if example.prefix != prefix:
            raise ValueError("A pack holds examples of one prefix; these differ.")
        item = [*example.question, *example.answer]
        first = len(ids) + len(example.question)
        answers += range(first, first + len(example.answer))
        ids += item
        positions += range(len(prefix), len(prefix) + len(item))
        segments += [number] * len(item)
    return ids, positions, segments, answers


def make_packs(
    data: DataSet,
    pairs: Sequence[Pair],
    tokenizer,
    questions: int,
    max_length: int,
    rng: random.Random | None = None,
) -> list[Pack]:
    """Encode `pairs` in packs of up to `questions` of one database.

    With `rng` the pairs are shuffled and every pack gets a schema augmented afresh (training); without, pairs and
    schemas stay as they are (validation). Packs grow no longer than `max_length` tokens.
    Raises DataError for a pair that alone is longer.
    """
    by_database: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_database[pair.db_id].append(pair)
    packs = []
    for db_id, group in by_database.items():
        if rng:
            rng.shuffle(group)
        for at in range(0, len(group), questions):
            packs += _pack(data, db_id, group[at : at + questions], tokenizer, max_length, rng)
    if rng:
        rng.shuffle(packs)
    return packs


def _pack(data: DataSet, db_id: str, pairs: list[Pair], tokenizer, max_length: int, rng) -> list[Pack]:
    needed = set().union(*(identifiers(p.sql) for p in pairs)) if data.fit and rng else ()
    schema = data.view(db_id, [p.asked for p in pairs], needed)
    if rng:
        schema, pairs = augment(schema, pairs, rng)
    text = render_schema(schema)
    packs: list[Pack] = [[]]
    room = max_length
    for pair in pairs:
        example = encode(tokenizer, build_messages(text, pair.asked), pair.sql)
        if len(example) > max_length:
            raise DataError(
                f"Pair {pair.id} takes {len(example)} tokens and the profile allows {max_length}. "
                "Shorten it, leave it out, or raise max_length in forge_lib/profiles.py."
            )
        alone = len(example) - len(example.prefix)
        if packs[-1] and alone > room:
            packs.append([])
        if not packs[-1]:
            room = max_length - len(example.prefix)
        packs[-1].append(example)
        room -= alone
    return packs


def make_steps(packs: Sequence[Pack], per_step: int) -> list[list[Pack]]:
    """Group shuffled packs into optimizer steps; a step so mixes several databases.

    One step per database would make the gradient swing from one database to the next.
    """
    return [list(packs[at : at + per_step]) for at in range(0, len(packs), per_step)]
