"""`forge_lib.engine.attention` gives the values and gradients of plain masked attention."""

import subprocess
import sys

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from forge_lib import ROOT
from forge_lib.engine.attention import attend, attend_backward, attention
from forge_lib.engine.compiling import compiling
from forge_lib.models.chat import Example
from forge_lib.training.packing import collate, flatten_packs

PACK = [Example((1,) * 7, (2,) * n, (3,) * m) for n, m in ((3, 2), (1, 1), (4, 5))]


def tensors(tokens: int, heads: int = 6, key_heads: int = 2, width: int = 4) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = [(heads, tokens, width), (key_heads, tokens, width), (key_heads, tokens, width)]
    return [torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes]


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_packs_are_attended_as_their_dense_masks_say(compiled):
    """Two packs end to end: values and gradients of each are those of masked attention over it alone."""
    packs = [PACK, PACK[1:]]
    lengths = [collate([p], pad_id=0, dtype=torch.float64).input_ids.shape[1] for p in packs]
    query, key, value = tensors(sum(lengths))
    layouts = flatten_packs(packs).layouts
    with compiling(compiled):
        got, kept = attend(*(x.detach() for x in (query, key, value)), layouts)  # (N, H·D)
        grad = torch.randn_like(got)
        ours = attend_backward(grad, *(x.detach() for x in (query, key, value)), layouts, kept)
    wanted, start = [], 0
    for pack, length in zip(packs, lengths, strict=True):
        q, k, v = (x[None, :, start : start + length] for x in (query, key, value))
        mask = collate([pack], pad_id=0, dtype=torch.float64).attention_mask
        k, v = (x.repeat_interleave(3, 1) for x in (k, v))
        wanted.append(scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)[0].transpose(0, 1).flatten(1))
        start += length
    want = torch.cat(wanted)
    tolerance = {"atol": 1e-6, "rtol": 1e-5}  # the backward of the softmax is taken in float32
    torch.testing.assert_close(got, want, **tolerance)
    for mine, theirs in zip(ours, torch.autograd.grad((want * grad).sum(), (query, key, value)), strict=True):
        torch.testing.assert_close(mine, theirs, **tolerance)


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


@pytest.mark.slow
def test_mkls_first_calls_are_made_alone_before_any_model():
    """The race (forge_lib.engine.vml) cannot be forced; that importing models makes the calls, on one number each, can be asked."""
    code = (
        "import torch; sizes = []; whole = torch.cos\n"
        "torch.cos = lambda x: sizes.append((x.numel(), x.dtype)) or whole(x)\n"
        "import forge_lib.models.load\n"
        "assert sizes == [(1, torch.float32), (1, torch.float64)], sizes"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
