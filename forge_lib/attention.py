"""Attention as this course computes it: the same values as transformers' own, without work nobody needs.

Registered with transformers under the name "forge"; `forge_lib.models.load_base` asks for it.
"""

from __future__ import annotations

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

Layout = tuple[int, tuple[int, ...]]  # of a pack: tokens of its prefix, tokens of each item


def attention(module, query, key, value, attention_mask, layouts: list[Layout] | None = None, scaling=None, **kwargs):
    """Attention of (B, H, Q, D) queries over (B, K, T, D) keys, H a multiple of K; returns ((B, Q, H, D), None).

    layouts: one a row, when the rows are packs (training on a CPU); the mask is then known and not read.
    """
    if layouts is not None:
        query, key = query.to(value.dtype), key.to(value.dtype)  # autocast leaves the rotated ones in float32
        rows = [
            PackAttention.apply(q, k, v, pack, scaling)
            for q, k, v, pack in zip(query, key, value, layouts, strict=True)
        ]
        return torch.stack(rows).transpose(1, 2), None
    if attention_mask is None or torch.is_grad_enabled():
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    # Generation: query heads that share a key head are asked together, so that no key is copied once a head.
    batch, heads, queries, width = query.shape
    groups = heads // key.shape[1]
    out = scaled_dot_product_attention(
        query.reshape(batch, -1, groups * queries, width), key, value,
        attn_mask=attention_mask.repeat(1, 1, groups, 1), scale=scaling,
    )  # fmt: skip
    return out.view(batch, heads, queries, width).transpose(1, 2), None


AttentionInterface.register("forge", attention)
AttentionMaskInterface.register("forge", sdpa_mask)


class PackAttention(torch.autograd.Function):
    """Attention within one pack: the prefix over itself, every item over the prefix and itself, all causal.

    A dense mask spends most of its products on pairs of items that may not see each other. Here those are never
    formed: with P prefix tokens and n items of up to L, P² + n·L·(P + L) scores a head instead of (P + n·L)².
    Of each block: S = s·Q·Kᵀ, W = softmax(S), O = W·V; back, dV = Wᵀ·dO, dS = the softmax's gradient of dO·Vᵀ,
    dQ = s·dS·K, dK = s·dSᵀ·Q.
    """

    @staticmethod
    def forward(ctx, query, key, value, layout: Layout, scale: float):
        """query (H, T, D), key and value (K, T, D), T at least the layout's tokens; what is more is padding, and 0."""
        to = _Blocks(query, key, layout)
        query = query * scale
        qp, kp, vp = to.prefix_queries(query), key[:, : to.prefix], value[:, : to.prefix]
        wp = torch.softmax(to.causal(qp @ kp.mT), -1)  # (K, G·P, P)
        qi, ki, vi = to.item_queries(query), to.items(key), to.items(value)
        # The items' queries ask the prefix all together, and their own keys item by item.
        wi = torch.softmax(torch.cat([to.apart(to.joint(qi) @ kp.mT), to.causal(qi @ ki.mT)], -1), -1)
        ctx.save_for_backward(qp, kp, vp, wp, qi, ki, vi, wi)
        ctx.to, ctx.scale = to, scale
        over_prefix, over_own = to.cut(wi)
        return to.from_queries(wp @ vp, to.joint(over_own @ vi).baddbmm_(over_prefix, vp))

    @staticmethod
    def backward(ctx, grad):
        qp, kp, vp, wp, qi, ki, vi, wi = ctx.saved_tensors
        to = ctx.to
        gp, gi = to.prefix_queries(grad), to.item_queries(grad, padding=0)
        over_prefix, over_own = to.cut(wi)
        d_vp = (wp.mT @ gp).baddbmm_(over_prefix.mT, to.joint(gi))
        d_vi = over_own.mT @ gi
        sp = _softmax_backward(gp @ vp.mT, wp)
        own = _softmax_backward(torch.cat([to.apart(to.joint(gi) @ vp.mT), gi @ vi.mT], -1), wi)
        over_prefix, over_own = to.cut(own)
        d_kp = (sp.mT @ qp).baddbmm_(over_prefix.mT, to.joint(qi))
        d_ki = over_own.mT @ qi
        d_query = to.from_queries(sp @ kp, to.joint(over_own @ ki).baddbmm_(over_prefix, kp)).mul_(ctx.scale)
        return d_query, to.from_items(d_kp, d_ki), to.from_items(d_vp, d_vi), None, None


def _softmax_backward(grad: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.ops.aten._softmax_backward_data(grad, weights, -1, weights.dtype)


class _Blocks:
    """Between a pack's row of tokens and blocks of equal size. K key heads, G query heads to each, D their width;
    P prefix tokens, n items padded to L tokens."""

    def __init__(self, query: torch.Tensor, key: torch.Tensor, layout: Layout):
        self.prefix, lengths = layout
        self.heads, self.tokens, self.width = key.shape
        self.groups, self.count, self.longest = len(query) // len(key), len(lengths), max(lengths)
        first = self.prefix + torch.tensor((0, *lengths[:-1])).cumsum(0)
        offsets, length = torch.arange(self.longest), torch.tensor(lengths)[:, None]
        self.places = (first[:, None] + offsets.clamp(max=length - 1)).flatten()  # (n·L,); padding repeats the last
        self.real = (offsets < length).flatten().nonzero().squeeze(1)
        self.padding = (offsets >= length).flatten()

    def prefix_queries(self, x):
        """(H, T, D) -> (K, G·P, D)"""
        return x[:, : self.prefix].reshape(self.heads, -1, self.width)

    def item_queries(self, x, padding: float | None = None):
        """(H, T, D) -> (K·n, G·L, D)"""
        x = x.index_select(1, self.places)
        if padding is not None:
            x.masked_fill_(self.padding[:, None], padding)
        x = x.view(self.heads, self.groups, self.count, self.longest, self.width).transpose(1, 2)
        return x.reshape(self.heads * self.count, -1, self.width)

    def items(self, x):
        """(K, T, D) -> (K·n, L, D)"""
        return x.index_select(1, self.places).view(-1, self.longest, self.width)

    def joint(self, x):
        """(K·n, G·L, E) -> (K, n·G·L, E)"""
        return x.view(self.heads, -1, x.shape[-1])

    def apart(self, x):
        """(K, n·G·L, E) -> (K·n, G·L, E)"""
        return x.view(self.heads * self.count, -1, x.shape[-1])

    def cut(self, x):
        """(K·n, G·L, P + L) -> the part over the prefix (K, n·G·L, P), the part over the item (K·n, G·L, L)"""
        return self.joint(x)[..., : self.prefix].contiguous(), x[..., self.prefix :].contiguous()

    def causal(self, scores):
        """Scores (B, G·Q, Q), later keys hidden, in place."""
        last = scores.shape[-1]
        later = torch.ones(last, last, dtype=torch.bool).triu_(1)
        scores.view(-1, last, last).masked_fill_(later, torch.finfo(scores.dtype).min)
        return scores

    def from_queries(self, prefix, items):
        """(K, G·P, D) and (K, n·G·L, D) -> (H, T, D)"""
        items = items.view(self.heads, self.count, self.groups, self.longest, self.width).transpose(1, 2)
        return self._row(prefix, items.reshape(self.heads * self.groups, -1, self.width))

    def from_items(self, prefix, items):
        """(K, P, D) and (K·n, L, D) -> (K, T, D)"""
        return self._row(prefix, items.view(self.heads, -1, self.width))

    def _row(self, prefix, items):
        row = torch.cat([prefix.view(len(items), self.prefix, self.width), items.index_select(1, self.real)], 1)
        missing = self.tokens - row.shape[1]
        return torch.nn.functional.pad(row, (0, 0, 0, missing)) if missing else row
