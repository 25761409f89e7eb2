"""General pairs among a task's: their share, their masks, and that no probe is trained on."""

import random

import pytest
import torch
from rapidfuzz import fuzz

from forge_lib.data.items import DataError, normalize
from forge_lib.evaluation.capability import load_instructions, load_probe
from forge_lib.models.chat import encode_prompt
from forge_lib.training.loss import pack_loss
from forge_lib.training.packing import make_packs
from forge_lib.training.replay import general_packs, load_general, with_replay

PAIRS = load_general()


def test_no_pair_is_an_item_of_a_probe():
    probes = [normalize(i["prompt"]) for i in load_instructions()] + [normalize(i["question"]) for i in load_probe()]
    asked = [normalize(p["question"]) for p in PAIRS]
    assert len(set(asked)) == len(asked) >= 150
    assert [(a, b) for a in asked for b in probes if fuzz.ratio(a, b) >= 92] == []


def test_a_general_example_is_prompted_as_the_probe_is_and_ends(tokenizer):
    packs = general_packs(PAIRS[:7], tokenizer, questions=3, max_length=512)
    assert [len(p) for p in packs] == [3, 3, 1]
    example = packs[0][1]
    prompt = encode_prompt(tokenizer, [{"role": "user", "content": PAIRS[1]["question"]}])
    assert example.prefix + example.question == prompt.prefix + prompt.rest
    assert tokenizer.decode(example.answer) == PAIRS[1]["answer"] + tokenizer.eos_token
    assert len({e.prefix for pack in packs for e in pack}) == 1 and len(example.prefix) > 5


def test_packed_and_alone_have_the_same_loss(tiny_llama, tokenizer):
    packed, alone = (general_packs(PAIRS[:4], tokenizer, n, 512) for n in (4, 1))
    with torch.no_grad():
        losses = [pack_loss(tiny_llama, packs, tokenizer.pad_token_id, "float32") for packs in (packed, alone)]
    assert losses[0][1] == losses[1][1]
    assert losses[0][0].item() == pytest.approx(losses[1][0].item(), rel=1e-4)


def test_packs_stay_within_the_length(tokenizer):
    packs = general_packs(PAIRS, tokenizer, questions=50, max_length=128)
    assert max(len(p[0].prefix) + sum(len(e) - len(e.prefix) for e in p) for p in packs) <= 128
    assert sum(map(len, packs)) == len(PAIRS)
    with pytest.raises(DataError, match="tokens; 40 are allowed"):
        general_packs(PAIRS, tokenizer, 5, 40)


@pytest.mark.parametrize(("share", "general"), [(0, 0), (0.25, 1), (0.5, 3), (0.99, 297)])
def test_the_share_is_of_all_examples(library, tokenizer, share, general):
    packs = make_packs(library, library.train, tokenizer, 5, 512)  # 3 examples
    mixed = with_replay(packs, PAIRS, tokenizer, share, 5, 512, random.Random(0))
    assert sum(map(len, mixed)) == 3 + general
    assert all(pack in mixed for pack in packs)
    answers = [tuple(e.answer) for p in mixed for e in p]
    if general > len(PAIRS):
        assert max(map(answers.count, set(answers))) <= 6  # no pair a third time; a few have one answer


def test_a_share_that_is_none_is_a_sentence(tokenizer):
    with pytest.raises(DataError, match="0 to below 1; 1 is not"):
        with_replay([], PAIRS, tokenizer, 1, 5, 512, random.Random(0))
    with pytest.raises(DataError, match="load_general"):
        with_replay([], [], tokenizer, 0.5, 5, 512, random.Random(0))
