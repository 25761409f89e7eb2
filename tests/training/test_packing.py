import random

import pytest
import torch

from forge_lib.data.items import DataError
from forge_lib.models.chat import Example
from forge_lib.training.loss import pack_loss
from forge_lib.training.packing import collate, make_packs, make_steps


def plain_loss(model, example: Example) -> float:
    """Sum of cross-entropy of one example alone, by transformers' own labels path."""
    ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
    return model(input_ids=ids, labels=labels).loss.item() * len(example.answer)


@pytest.mark.parametrize("frozen", [False, True])  # transformers with a dense mask, and `forge_lib.engine.blocks`
def test_a_pack_has_the_loss_of_its_examples_one_by_one(library, tokenizer, tiny_llama, frozen):
    tiny_llama.requires_grad_(not frozen)
    (pack,) = make_packs(library, library.train, tokenizer, 8, 1024)
    assert len(pack) == 3
    loss, count = pack_loss(tiny_llama, [pack], tokenizer.pad_token_id, "float32")
    assert count == sum(len(e.answer) for e in pack)
    assert loss.item() == pytest.approx(sum(plain_loss(tiny_llama, e) for e in pack), rel=1e-5)


def test_a_model_in_fp32_trains_under_autocast(library, tokenizer, tiny_llama):
    """As in full fine-tuning."""
    packs = make_packs(library, library.train, tokenizer, 8, 1024)
    losses = [pack_loss(tiny_llama, packs, tokenizer.pad_token_id, kind)[0] for kind in ("bfloat16", "float32")]
    losses[0].backward()
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=0.02)


@pytest.mark.parametrize("frozen", [False, True])
def test_another_pack_beside_it_changes_no_loss(library, tokenizer, tiny_llama, frozen):
    tiny_llama.requires_grad_(not frozen)
    (pack,) = make_packs(library, library.train, tokenizer, 8, 1024)
    together, _ = pack_loss(tiny_llama, [pack, pack[:1]], tokenizer.pad_token_id, "float32")
    apart = sum(pack_loss(tiny_llama, [p], tokenizer.pad_token_id, "float32")[0] for p in (pack, pack[:1]))
    assert together.item() == pytest.approx(apart.item(), rel=1e-5)


def test_a_question_sees_the_schema_and_itself_only():
    pack = [Example((1, 2), (3,), (4, 5)), Example((1, 2), (6,), (7,))]
    batch = collate([pack], pad_id=0, dtype=torch.float32)
    visible = (batch.attention_mask[0, 0] == 0).int()
    assert batch.input_ids.tolist() == [[1, 2, 3, 4, 5, 6, 7]]
    assert batch.position_ids.tolist() == [[0, 1, 2, 3, 4, 2, 3]]
    assert visible[4].tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert visible[6].tolist() == [1, 1, 0, 0, 0, 1, 1]
    assert batch.targets.tolist() == [4, 5, 7]
    assert batch.keep.tolist() == [[0, 2], [0, 3], [0, 5]]


def test_examples_of_two_schemas_do_not_share_a_pack():
    with pytest.raises(ValueError, match="one prefix"):
        collate([[Example((1,), (2,), (3,)), Example((9,), (2,), (3,))]], 0, torch.float32)


def test_packs_respect_the_length_limit_and_lose_no_pair(library, tokenizer):
    lengths = [len(e) for pack in make_packs(library, library.train, tokenizer, 8, 1024) for e in pack]
    packs = make_packs(library, library.train, tokenizer, 8, max(lengths))
    assert sum(map(len, packs)) == 3 and len(packs) > 1


def test_a_pair_longer_than_the_limit_is_named(library, tokenizer):
    with pytest.raises(DataError, match=r"Item l-\d takes \d+ tokens and the profile allows 20"):
        make_packs(library, library.train, tokenizer, 8, 20)


class Wide:
    """Data whose context is shown in one word for each item of a pack, and twice as long in every other fresh view."""

    def __init__(self, words):
        self.words, self.draws = words, 0

    def views(self, items, rng=None):
        self.draws += bool(rng)
        shown = "word " * self.words * len(items) * (2 if rng and self.draws % 2 else 1)
        return [
            ([{"role": "system", "content": shown}, {"role": "user", "content": i.question}], "SELECT 1") for i in items
        ]


@pytest.mark.parametrize("rng", [None, random.Random(1)])
def test_what_does_not_fit_together_is_packed_apart(library, tokenizer, rng):
    """A view that drew long names, or that several questions made wide, was said to be an item that is too long."""
    longest = max(len(e) for pack in make_packs(Wide(100), library.train[:1], tokenizer, 8, 1024) for e in pack)
    packs = make_packs(Wide(100), library.train, tokenizer, 8, longest + 20, rng)
    assert [len(pack) for pack in packs] == [1, 1, 1]
    assert all(len(e) <= longest + 20 for pack in packs for e in pack)
    with pytest.raises(DataError, match=r"Item l-\d takes"):
        make_packs(Wide(100), library.train, tokenizer, 8, longest - 20, rng)


def test_shuffling_with_one_seed_gives_one_order(library, tokenizer):
    first, second = (make_packs(library, library.train, tokenizer, 2, 1024, random.Random(5)) for _ in range(2))
    assert first == second


def test_steps_hold_all_packs():
    assert make_steps([["a"], ["b"], ["c"]], 2) == [[["a"], ["b"]], [["c"]]]
