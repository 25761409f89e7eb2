"""`forge_lib.attention` gives the values and gradients of plain masked attention."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from forge_lib.attention import PackAttention, attention
from forge_lib.chat import Example
from forge_lib.training.packing import collate

PACK = [Example((1,) * 7, (2,) * n, (3,) * m) for n, m in ((3, 2), (1, 1), (4, 5))]


def tensors(tokens: int, heads: int = 6, key_heads: int = 2, width: int = 4) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = [(heads, tokens, width), (key_heads, tokens, width), (key_heads, tokens, width)]
    return [torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes]


@pytest.mark.parametrize("padding", [0, 5])
def test_a_pack_is_attended_as_its_dense_mask_says(padding):
    batch = collate([PACK], pad_id=0, dtype=torch.float64)
    tokens = batch.input_ids.shape[1]
    query, key, value = tensors(tokens + padding)
    got = PackAttention.apply(query, key, value, batch.layouts[0], 0.5)
    want = scaled_dot_product_attention(
        query[None, :, :tokens], *(x[None, :, :tokens].repeat_interleave(3, 1) for x in (key, value)),
        attn_mask=batch.attention_mask, scale=0.5,
    )[0]  # fmt: skip
    torch.testing.assert_close(got[:, :tokens], want)
    assert not got[:, tokens:].any()
    weights = torch.randn_like(want)
    for ours, theirs in zip(
        torch.autograd.grad((got[:, :tokens] * weights).sum(), (query, key, value)),
        torch.autograd.grad((want * weights).sum(), (query, key, value)), strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(ours, theirs)


def test_heads_that_share_a_key_are_asked_together_with_the_same_answer():
    query, key, value = (x[None] for x in tensors(9))
    mask = torch.zeros(1, 1, 3, 9, dtype=torch.float64)
    lowest = torch.finfo(torch.float64).min
    mask[..., 0, 7:] = mask[..., 1, 8:] = mask[..., :2] = lowest  # causal, and two positions of padding
    with torch.no_grad():
        got, _ = attention(None, query[:, :, -3:], key, value, mask, scaling=0.5)
        want = scaled_dot_product_attention(
            query[:, :, -3:], key.repeat_interleave(3, 1), value.repeat_interleave(3, 1), attn_mask=mask, scale=0.5
        )
    torch.testing.assert_close(got, want.transpose(1, 2))
