"""Logit distillation: a student learns the teacher's whole distribution before each answer token, not the token alone.

Hinton et al. 2015, https://arxiv.org/abs/1503.02531; for language models, forward and reverse: Gu et al. 2023,
https://arxiv.org/abs/2306.08543. Learning a teacher's words (sequence-level) is `rejection.teacher_answers`, then SFT.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from forge_lib.lab.files import check_disk, fresh_folder, read_json, said, write_atomically
from forge_lib.models.chat import Example
from forge_lib.training import TrainingError
from forge_lib.training.loss import PackLoss, answer_logits
from forge_lib.training.packing import Pack

_WEIGHTS, _INDEX = "teacher.safetensors", "index.json"
_AGAIN = "Delete the folder and let the teacher read the packs again."


@dataclass(frozen=True)
class Distilled:
    """What the distillation loss is.

    temperature: above 1 flattens both distributions, so that what is unlikely counts more; the gradient keeps its size
    reverse: KL(student‖teacher), which seeks one of the teacher's ways and not the mean of all; else KL(teacher‖student)
    share: of the divergence in the loss, 0 to 1; the rest is the cross-entropy of the answer tokens
    """

    temperature: float = 2.0
    reverse: bool = False
    share: float = 0.5


# (packs) -> log-probabilities at the temperature, of all words (N, V) and None, or of the likeliest (N, k) and their ids
_Teacher = Callable[[Sequence[Pack]], tuple[torch.Tensor, torch.Tensor | None]]


def divergence(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0, reverse: bool = False
) -> torch.Tensor:
    """T² Σ KL over rows of logits (N, V), in nats: KL(p‖q) = Σ p (log p - log q), p the teacher and q the student.

    p and q are softmaxes of the logits over T; T² keeps the gradient's size where T grows (Hinton et al., section 2).
    reverse: p the student and q the teacher

    >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]])).item()
    0.0
    """
    logs = torch.log_softmax(student / temperature, -1), torch.log_softmax(teacher / temperature, -1)
    return temperature**2 * _kl(*logs, reverse)


def _kl(student: torch.Tensor, teacher: torch.Tensor, reverse: bool) -> torch.Tensor:
    """Σ p (log p - log q) of log-probabilities (N, V)."""
    p, q = (student, teacher) if reverse else (teacher, student)
    return (p.exp() * (p - q)).sum()


class DistillationLoss(PackLoss):
    """The sum over answer tokens that `train` takes in place of a model: share · T² KL + (1 - share) · cross-entropy.

    teacher: `live_teacher` or `cached_teacher`, at the same temperature; it is no part of the module and is not trained.
    where: what the teacher is, for the file that a killed training goes on from
    """

    def __init__(self, model, pad_id: int, dtype: str, teacher: _Teacher, how: Distilled, where: str = ""):
        super().__init__(model, pad_id, dtype)
        if not (how.temperature > 0 and 0 <= how.share <= 1):
            raise TrainingError(
                f"Temperature {how.temperature} and share {how.share} make no loss. Give a temperature above 0 and a share of "
                "0 to 1."
            )
        self.teacher, self.how, self.about = teacher, how, f"{how} {where}"

    def forward(self, packs: Sequence[Pack]) -> torch.Tensor:
        """Sum over the answer tokens of `packs`, in nats."""
        logits, targets = answer_logits(self.model, packs, self.pad_id, self.dtype)
        plain = F.cross_entropy(logits, targets, reduction="sum")
        wanted, ids = self.teacher(packs)
        own = torch.log_softmax(logits / self.how.temperature, -1)
        if ids is None:
            if wanted.shape != own.shape:
                raise TrainingError(
                    f"The teacher knows {wanted.shape[-1]} words and the student {own.shape[-1]}. Choose a teacher with the "
                    "student's tokenizer, or distil its answers instead of its logits (rejection.teacher_answers)."
                )
        else:
            own, wanted = (_with_rest(part) for part in (own.gather(1, ids.to(own.device)), wanted))
        kl = self.how.temperature**2 * _kl(own, wanted.to(own.device), self.how.reverse)
        return self.how.share * kl + (1 - self.how.share) * plain


def _with_rest(log_probs: torch.Tensor) -> torch.Tensor:
    """(N, k) of the likeliest words, and one more for all others together: (N, k + 1).

    The divergence of these is a lower bound of that of all words, which it reaches as k grows.
    """
    share = log_probs.exp().sum(-1, keepdim=True).clamp(max=1 - 1e-6)  # rounding may add up to more than one
    return torch.cat([log_probs, torch.log1p(-share)], -1)


def live_teacher(model, pad_id: int, dtype: str, temperature: float) -> _Teacher:
    """A teacher that reads every pack when the student does: right where each pack is seen once."""

    @torch.no_grad()
    def read(packs: Sequence[Pack]) -> tuple[torch.Tensor, None]:
        logits, _ = answer_logits(model.eval(), packs, pad_id, dtype)
        return torch.log_softmax(logits / temperature, -1), None

    return read


def cache_bytes(packs: Sequence[Pack], words: int) -> int:
    """Bytes that `cache_teacher` writes for these packs: 6 a word, `words` an answer token; each example counts once.

    >>> cache_bytes([[Example((1,), (2,), (3, 4))] * 2], words=32)
    384
    """
    return 6 * words * sum(len(e.answer) for e in _different(packs).values())


def cache_teacher(
    model, packs: Sequence[Pack], folder: Path, pad_id: int, dtype: str, temperature: float, words: int = 32,
    per_forward: int = 2, progress: bool = True,
) -> Path:  # fmt: skip
    """Let the teacher read `packs` once and keep its `words` likeliest words before each answer token, in `folder`.

    Before it begins it looks whether the disk has room (`cache_bytes` says how much); the folder is whole or not there.
    A second student, another learning rate, a second pass over the same packs: none reads the teacher again.
    Raises RunError where the disk is nearly full, TrainingError where packs hold no answer, and for
    fewer words than one or more than there are.
    """
    from safetensors.torch import save_file
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    if not any(e.answer for pack in packs for e in pack):
        raise TrainingError("There is no answer for the teacher to read. Make packs of at least one item.")
    folder, read = Path(folder), live_teacher(model, pad_id, dtype, temperature)
    check_disk(folder.parent, cache_bytes(packs, words) / 1e9)
    index, ids, log_probs, at = {}, [], [], 0
    for first in tqdm(range(0, len(packs), per_forward), "teacher", disable=not progress):
        part = [
            new for pack in packs[first : first + per_forward] if (new := [e for e in pack if _key(e) not in index])
        ]
        if not part:
            continue
        found, _ = read(part)
        if not 1 <= words <= found.shape[1]:
            raise TrainingError(f"{words} words a token cannot be kept of {found.shape[1]}. Give a number between.")
        top = found.topk(words, -1)
        ids.append(top.indices.int().cpu())
        log_probs.append(top.values.half().cpu())
        for example in (e for pack in part for e in pack):
            index.setdefault(_key(example), at)
            at += len(example.answer)
    about = {"temperature": temperature, "words": words, "tokens": at, "examples": index}
    with fresh_folder(folder) as work:
        save_file({"ids": torch.cat(ids), "log_probs": torch.cat(log_probs)}, work / _WEIGHTS)
        write_atomically(work / _INDEX, json.dumps(about) + "\n")
    return folder


def cached_teacher(folder: Path, temperature: float) -> _Teacher:
    """The teacher that `cache_teacher` wrote. Raises TrainingError where the folder is damaged or of another temperature.

    So does the function for an example that the teacher did not read: caches hold the packs of given steps, and packs made
    again with another seed show their contexts in another way.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = Path(folder)
    about = read_json(folder / _INDEX, _AGAIN, TrainingError)
    try:
        kept, index = load_file(folder / _WEIGHTS), about["examples"]
        ids, log_probs = kept["ids"], kept["log_probs"]
    except (OSError, KeyError, SafetensorError) as error:
        raise TrainingError(f"{folder.name}/{_WEIGHTS} is damaged ({said(error)}). {_AGAIN}") from error
    if not math.isclose(about["temperature"], temperature):
        raise TrainingError(
            f"{folder.name} holds the teacher at temperature {about['temperature']:g}, not {temperature:g}: another one cannot "
            "be made of it. Give that temperature, or let the teacher read the packs again."
        )

    def read(packs: Sequence[Pack]) -> tuple[torch.Tensor, torch.Tensor]:
        rows: list[int] = []
        for example in (e for pack in packs for e in pack):
            start = index.get(_key(example))
            if start is None:
                raise TrainingError(f"{folder.name} lacks an example of these packs. {_AGAIN}")
            rows += range(start, start + len(example.answer))
        return log_probs[rows].float(), ids[rows].long()

    return read


def _key(example: Example) -> str:
    return hashlib.sha256(repr((example.prefix, example.question, example.answer)).encode()).hexdigest()[:24]


def _different(packs: Sequence[Pack]) -> dict[str, Example]:
    return {_key(e): e for pack in packs for e in pack}
