"""Attention over shared levels is plain masked attention over each row's own copy of them."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from forge_lib.engine.cascade import Cascade, Level, attending, cascades

KEYS, WIDTH = 2, 4


def stretches(count: int, tokens: int) -> list:
    torch.manual_seed(count)
    return [tuple(torch.randn(count, KEYS, tokens, WIDTH, dtype=torch.float64) for _ in "kv") for _ in range(2)]


@pytest.mark.parametrize("groups", [1, 3])
def test_rows_see_their_stretches_up_to_where_they_may(groups):
    """Uneven groups out of order, a stretch nobody looks on, a row that sees nothing of a level, another head count."""
    levels = [
        Level(stretches(3, 7), [2, 0, 2, 2, 0], [7, 4, 7, 7, 0]),
        Level(stretches(2, 3), [0, 1, 0, 1, 1], [3, 1, 2, 3, 1]),
        Level(stretches(5, 6), range(5), [1, 4, 2, 6, 3]),
    ]
    query, key, value = (torch.randn(n, 5, WIDTH, dtype=torch.float64) for n in (KEYS * groups, KEYS, KEYS))
    got = Cascade(levels).attend(1, query, key, value, 0.7)
    for row in range(5):
        own = [tuple(x[level.group[row], :, : level.seen[row]] for x in level.layers[1]) for level in levels]
        keys, values = (torch.cat(part, 1).repeat_interleave(groups, 0) for part in zip(*own, strict=True))
        torch.testing.assert_close(keys[::groups, -1], key[:, row])  # the new token's, behind all others
        want = scaled_dot_product_attention(query[:, row : row + 1], keys, values, scale=0.7)
        torch.testing.assert_close(got[row], want[:, 0])


def test_a_decoder_is_given_back_its_own_attention_also_after_an_error(tiny_llama):
    decoder = tiny_llama.model
    before = decoder.config._attn_implementation
    with pytest.raises(ZeroDivisionError), attending(decoder, "forge"):
        assert decoder.config._attn_implementation == "forge"
        _ = 1 / 0
    assert decoder.config._attn_implementation == before and cascades(decoder)


@pytest.mark.parametrize("change", [{"attn_logit_softcapping": 50.0}, {"layer_types": ["linear_attention"] * 2}])
def test_what_attends_otherwise_is_known(tiny_llama, change):
    for name, value in change.items():
        setattr(tiny_llama.config, name, value)
    assert not cascades(tiny_llama.model)
