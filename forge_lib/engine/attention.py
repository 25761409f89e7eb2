"""Attention as this course computes it: the same values as transformers' own, without work nobody needs.

Registered with transformers under the name "forge"; `forge_lib.models.load.load_base` asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

import forge_lib.engine.vml  # noqa: F401  (before the first cosine)
from forge_lib.engine.compiling import one_pass

Layout = tuple[int, tuple[int, ...]]  # of a pack: tokens of its prefix, tokens of each item


def attention(module, query, key, value, attention_mask, scaling=None, cascade=None, **kwargs):
    """Attention of (B, H, Q, D) queries over (B, K, T, D) keys, H a multiple of K; returns ((B, Q, H, D), None).

    With a `forge_lib.engine.cascade.Cascade` its keys come first, and the one batch's tokens are its rows.
    """
    if cascade is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return cascade.attend(module.layer_idx, query[0], key[0], value[0], scale)[None], None
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


def attend(query, key, value, layouts: Sequence[Layout]) -> tuple[torch.Tensor, list]:
    """Attention within packs laid end to end: each prefix over itself, every item over its prefix and itself, all causal.

    A dense mask spends most of its products on pairs of tokens that may not see each other. Here those are never
    formed: with P prefix tokens and n items of up to L, P² + n·L·(P + L) scores a head instead of (P + n·L)².
    query (H, N, D), scaled already; key and value (K, N, D). Returns (N, H·D), and what `attend_backward` needs.
    """
    outs, kept, start = [], [], 0
    for layout in layouts:
        end = start + layout[0] + sum(layout[1])
        out, weights = _attend(query[:, start:end], key[:, start:end], value[:, start:end], layout)
        outs.append(out)
        kept.append(weights)
        start = end
    return torch.cat(outs, 1).transpose(0, 1).reshape(start, -1), kept


def attend_backward(grad, query, key, value, layouts: Sequence[Layout], kept: list):
    """Gradients of query, key and value from that of `attend`'s result (N, H·D)."""
    grad = grad.view(len(grad), len(query), -1).transpose(0, 1)  # (H, N, D)
    parts, start = [], 0
    for layout, weights in zip(layouts, kept, strict=True):
        at = slice(start, start + layout[0] + sum(layout[1]))
        parts.append(_attend_backward(grad[:, at], query[:, at], key[:, at], value[:, at], layout, *weights))
        start = at.stop
    return tuple(torch.cat(part, 1) for part in zip(*parts, strict=True))


def _attend(query, key, value, layout: Layout):
    """One pack: (H, T, D), and the weights W = softmax(Q·Kᵀ): prefix over prefix, items over prefix, items over items."""
    to = _Blocks(query, key, layout)
    qp, kp, vp = to.prefix_queries(query), key[:, : to.prefix], value[:, : to.prefix]
    qi, ki, vi = to.item_queries(query), to.items(key), to.items(value)
    wp = _softmax(qp @ kp.mT)  # (K, G·P, P)
    # The items' queries ask the prefix all together, and their own keys item by item.
    over_prefix, over_own = _softmax_of_both(to.apart(to.joint(qi) @ kp.mT), qi @ ki.mT)
    out = to.from_queries(wp @ vp, to.joint(over_own @ vi).baddbmm_(to.joint(over_prefix), vp))
    return out, (wp, over_prefix, over_own)


def _attend_backward(grad, query, key, value, layout: Layout, wp, over_prefix, over_own):
    """dV = Wᵀ·dO, dS = the softmax's gradient of dO·Vᵀ, dQ = dS·K, dK = dSᵀ·Q."""
    to = _Blocks(query, key, layout)
    qp, kp, vp = to.prefix_queries(query), key[:, : to.prefix], value[:, : to.prefix]
    qi, ki, vi = to.item_queries(query), to.items(key), to.items(value)
    gp, gi = to.prefix_queries(grad), to.item_queries(grad, padding=0)
    d_vp = (wp.mT @ gp).baddbmm_(to.joint(over_prefix).mT, to.joint(gi))
    d_vi = over_own.mT @ gi
    sp = _softmax_backward(gp @ vp.mT, wp)
    d_prefix, d_own = _softmax_of_both_backward(to.apart(to.joint(gi) @ vp.mT), gi @ vi.mT, over_prefix, over_own)
    d_kp = (sp.mT @ qp).baddbmm_(to.joint(d_prefix).mT, to.joint(qi))
    d_ki = d_own.mT @ qi
    d_query = to.from_queries(sp @ kp, to.joint(d_own @ ki).baddbmm_(to.joint(d_prefix), kp))
    return d_query, to.from_items(d_kp, d_ki), to.from_items(d_vp, d_vi)


def _causal(scores):
    """Scores (B, G·L, L), later keys hidden."""
    last = scores.shape[-1]
    at = torch.arange(last)
    return torch.where(at[:, None] >= at, scores.view(len(scores), -1, last, last), float("-inf")).view(scores.shape)


@one_pass
def _softmax(scores):
    return torch.softmax(_causal(scores), -1)


@one_pass
def _softmax_of_both(over_prefix, over_own):
    """One softmax over two sets of scores (B, Q, P), of which all count, and (B, Q, L), causal."""
    weights = torch.softmax(torch.cat([over_prefix, _causal(over_own)], -1), -1)
    return weights[..., : over_prefix.shape[-1]].contiguous(), weights[..., over_prefix.shape[-1] :].contiguous()


@one_pass
def _softmax_backward(grad, weights):
    total = (grad.float() * weights).sum(-1, keepdim=True)
    return (weights * (grad.float() - total)).to(weights.dtype)


@one_pass
def _softmax_of_both_backward(d_prefix, d_own, over_prefix, over_own):
    total = (d_prefix.float() * over_prefix).sum(-1, keepdim=True) + (d_own.float() * over_own).sum(-1, keepdim=True)
    return tuple((w * (d.float() - total)).to(w.dtype) for w, d in ((over_prefix, d_prefix), (over_own, d_own)))


class _Blocks:
    """Between a pack's row of tokens and blocks of equal size. K key heads, G query heads to each, D their width;
    P prefix tokens, n items padded to L tokens."""

    def __init__(self, query: torch.Tensor, key: torch.Tensor, layout: Layout):
        self.prefix, lengths = layout
        self.heads, _, self.width = key.shape
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

    def from_queries(self, prefix, items):
        """(K, G·P, D) and (K, n·G·L, D) -> (H, T, D)"""
        items = items.view(self.heads, self.count, self.groups, self.longest, self.width).transpose(1, 2)
        return self._row(prefix, items.reshape(self.heads * self.groups, -1, self.width))

    def from_items(self, prefix, items):
        """(K, P, D) and (K·n, L, D) -> (K, T, D)"""
        return self._row(prefix, items.view(self.heads, -1, self.width))

    def _row(self, prefix, items):
        return torch.cat([prefix.view(len(items), self.prefix, self.width), items.index_select(1, self.real)], 1)
