"""Shared-prefix packing: one forward pass over a context (a schema, say) and several questions about it.

All prompts of one context begin with the same tokens. A pack is `prefix + item 1 + item 2 + …`, where each item
(question and answer) sees the prefix and itself and nothing else, and its positions restart after the prefix. The
loss is the same as that of the items one by one, and the prefix is computed once.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from forge_lib.data.items import DataError, Item
from forge_lib.engine import Layout
from forge_lib.models.chat import Example, encode
from forge_lib.tasks import TaskData

Pack = list[Example]  # examples with an equal prefix
_DRAWS = 8  # of a fresh view, until one fits: names in capitals take twice the tokens


@dataclass(frozen=True)
class PaddedPacks:
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


def collate(packs: Sequence[Pack], pad_id: int, dtype: torch.dtype) -> PaddedPacks:
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
    # By columns and not by positions, which begin again behind the prefix and so occur several times in a row.
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    key, query = segments[:, None, :], segments[:, :, None]
    visible = causal & ((key == query) | (key == 0))  # (B, T, T)
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
    return PaddedPacks(input_ids, positions, mask[:, None], torch.tensor(keep), torch.tensor(targets))


@dataclass(frozen=True)
class FlatPacks:
    """The same packs laid end to end, without padding: N tokens.

    input_ids, position_ids: (N,) int64; keep, targets: (answer tokens,) int64, as in PaddedPacks
    layouts: one a pack, in place of a mask: tokens of the prefix, tokens of each item
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    layouts: list[Layout]
    keep: torch.Tensor
    targets: torch.Tensor


def flatten_packs(packs: Sequence[Pack]) -> FlatPacks:
    """Tensors for one forward pass by `forge_lib.engine`, which needs neither padding nor a mask."""
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
    return FlatPacks(torch.tensor(ids), torch.tensor(positions), layouts, torch.tensor(keep), torch.tensor(targets))


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
        positions += range(len(prefix), len(prefix) + len(item))  # as if it stood alone behind the prefix
        segments += [number] * len(item)
    return ids, positions, segments, answers


def make_packs(
    data: TaskData,
    items: Sequence[Item],
    tokenizer,
    questions: int,
    max_length: int,
    rng: random.Random | None = None,
) -> list[Pack]:
    """Encode `items` in packs of up to `questions` of one context.

    With `rng` the items are shuffled and every pack gets a fresh view of its context (training); without, items and
    contexts stay as they are (validation). Packs grow no longer than `max_length` tokens; where items together need a view
    of their context that leaves no room, they are packed apart. Raises DataError for an item that alone is longer.
    """
    by_context: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_context[item.context].append(item)
    packs = []
    for group in by_context.values():
        if rng:
            rng.shuffle(group)
        for at in range(0, len(group), questions):
            packs += _pack(data, group[at : at + questions], tokenizer, max_length, rng)
    if rng:
        rng.shuffle(packs)
    return packs


def _pack(data: TaskData, items: list[Item], tokenizer, max_length: int, rng) -> list[Pack]:
    for _ in range(_DRAWS if rng else 1):
        examples = [encode(tokenizer, messages, answer) for messages, answer in data.views(items, rng)]
        if max(map(len, examples)) <= max_length:
            break
    else:
        if len(items) == 1:
            raise DataError(
                f"Item {items[0].id} takes {len(examples[0])} tokens and the profile allows {max_length}. "
                "Shorten it, leave it out, or raise max_length in forge_lib/lab/profiles.py."
            )
        halves = items[: len(items) // 2], items[len(items) // 2 :]
        return [pack for half in halves for pack in _pack(data, half, tokenizer, max_length, rng)]
    packs: list[Pack] = [[]]
    room = max_length
    for example in examples:
        alone = len(example) - len(example.prefix)
        if packs[-1] and alone > room:
            packs.append([])
        if not packs[-1]:
            room = max_length - len(example.prefix)
        packs[-1].append(example)
        room -= alone
    return packs


def make_steps(packs: Sequence[Pack], per_step: int) -> list[list[Pack]]:
    """Group shuffled packs into optimizer steps; a step so mixes several contexts.

    One step per context would make the gradient swing from one to the next.
    """
    return [list(packs[at : at + per_step]) for at in range(0, len(packs), per_step)]
