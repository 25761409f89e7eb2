"""The logit lens: what the model would say if it stopped after an earlier layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from forge_lib.models.chat import Message, encode
from forge_lib.models.generate import check_window
from forge_lib.models.load import causal_lm, output_head


@dataclass(frozen=True)
class LogitLens:
    """Of an answer of A tokens (its end-of-turn token the last), read through L + 1 depths: the embeddings, then each layer.

    tokens: texts of the answer's tokens (A)
    ranks: (L + 1, A) int64, how many words were likelier than the answer's token at that depth; 0 = it would be said
    best: (L + 1) lists of A texts, the likeliest word at that depth
    settled: (A,) int64, the first depth from which on the last depth's likeliest word stays the likeliest
    """

    tokens: list[str]
    ranks: torch.Tensor
    best: list[list[str]]
    settled: torch.Tensor


@torch.inference_mode()
def logit_lens(model, tokenizer, messages: Sequence[Message], answer: str) -> LogitLens:
    """Apply the last norm and the output layer to the states after every layer (nostalgebraist 2020).

    https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens. The answer is given (teacher forcing).
    Raises ValueError for a base whose last norm is not where Llama's is.
    """
    decoder, head = causal_lm(model).get_decoder(), output_head(model)
    if not hasattr(decoder, "norm"):
        raise ValueError(
            f"{type(decoder).__name__} has no `norm` before its output layer, which the lens applies early."
        )
    example = encode(tokenizer, messages, answer)
    check_window(model, len(example))
    ids = torch.tensor([example.input_ids], device=model.device)
    states = decoder(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states
    at = slice(-len(example.answer) - 1, -1)  # the state before a token predicts it
    target = ids[0, -len(example.answer) :]
    ranks, best = [], []
    for depth, state in enumerate(states):
        last = depth == len(states) - 1  # transformers hands out the last states with the norm applied
        logits = head(state[0, at] if last else decoder.norm(state[0, at])).float()  # (A, V)
        ranks.append((logits > logits.gather(1, target[:, None])).sum(1).cpu())
        best.append(logits.argmax(-1).cpu())
    top = torch.stack(best)  # (L + 1, A)
    texts = [[tokenizer.decode([i]) for i in row] for row in top.tolist()]
    return LogitLens([tokenizer.decode([i]) for i in target.tolist()], torch.stack(ranks), texts, settled_from(top))


def settled_from(best: torch.Tensor) -> torch.Tensor:
    """The first depth (A,) from which on the last row of `best` (L + 1, A) stays as it is.

    >>> settled_from(torch.tensor([[1, 5], [2, 5], [1, 5], [1, 5]])).tolist()
    [2, 0]
    """
    same = (best == best[-1]).flip(0).long()
    return len(best) - same.cumprod(0).sum(0)


def lens_map(lens: LogitLens, ax):
    """The ranks as a map: depth upwards, the answer's tokens across, in each cell the likeliest word there."""
    ranks = lens.ranks.float()
    ax.imshow(torch.log10(ranks + 1), aspect="auto", cmap="Blues_r", origin="lower")
    for depth, row in enumerate(lens.best):
        for at, word in enumerate(row):
            dark = ranks[depth, at] < 10
            ax.text(at, depth, word.strip()[:8].replace("$", r"\$"), ha="center", va="center", fontsize=6,
                    color="white" if dark else "black")  # fmt: skip
    ax.set_xticks(range(len(lens.tokens)), [t.replace("$", r"\$") for t in lens.tokens], rotation=90, fontsize=7)
    ax.set(xlabel="token of the answer", ylabel="layer (0 = embeddings)")
    ax.set_title("likeliest word at each depth; dark: the answer's token is near the top")
    ax.grid(False)
    return ax
