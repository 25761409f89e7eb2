"""Training an adapter on preference pairs: DPO, IPO, KTO and ORPO through the loop that SFT uses, anchored to its start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from forge_lib.models.chat import Example
from forge_lib.training import TrainingError
from forge_lib.training.loss import PackLoss
from forge_lib.training.packing import Pack
from forge_lib.training.preference_loss import answer_logps, dpo_loss, ipo_loss, kto_loss, orpo_loss
from forge_lib.training.sft import SFTSettings, check_steps, train
from forge_lib.training.state import digest

METHODS = ("dpo", "ipo", "kto", "orpo")


@dataclass(frozen=True)
class PreferenceSettings(SFTSettings):
    """Hyperparameters of one training on pairs. The scale of `beta` differs by method: IPO's is a margin of 1/(2β) a token."""

    learning_rate: float = 5e-5  # peak; a twentieth of SFT's, for its loss falls by unlearning the losers too
    patience: int | None = None
    method: str = "dpo"
    beta: float = 0.1  # what leaving the reference costs (ORPO: what the push away from the loser weighs)
    anchor: str = ""  # filled in: which weights are the reference, so that a killed training goes on from no other


class PairLoss(PackLoss):
    """A method's loss as the sum over the pairs of `packs`, in which chosen and rejected answers take turns.

    references: log π_ref of each example, where the method needs it.
    """

    def __init__(self, model, pad_id: int, settings: PreferenceSettings, references: dict[Example, float]):
        super().__init__(model, pad_id, settings.dtype)
        self.settings, self.references = settings, references
        self._seen: list[torch.Tensor] = []

    def forward(self, packs: Sequence[Pack]) -> torch.Tensor:
        """Sum over pairs. With `kto` its z is estimated on these packs, as TRL does on a device's batch."""
        examples = [e for pack in packs for e in pack]
        method, beta = self.settings.method, self.settings.beta
        logps = answer_logps(self.model, packs, self.pad_id, self.dtype)  # (2P,)
        lengths = torch.tensor([len(e.answer) for e in examples], device=logps.device).view(-1, 2).T  # (2, P)
        chosen, rejected = logps.view(-1, 2).T
        ref = self._reference(examples, logps) if _needs_reference(method) else torch.zeros_like(logps)
        ref_chosen, ref_rejected = ref.view(-1, 2).T
        self._seen.append(torch.stack([chosen - ref_chosen, rejected - ref_rejected]).detach().cpu())
        if method == "dpo":
            losses = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
        elif method == "ipo":
            losses = ipo_loss(chosen, rejected, ref_chosen, ref_rejected, lengths, beta)
        elif method == "kto":
            losses = kto_loss(chosen, rejected, ref_chosen, ref_rejected, self._kl(packs), beta)
        else:
            losses = orpo_loss(chosen, rejected, lengths, beta)
        return losses.sum()

    def units(self, packs: Sequence[Pack]) -> int:
        """Pairs."""
        return sum(map(len, packs)) // 2

    def told(self) -> dict[str, float]:
        """Of the pairs since it was last asked: mean log ratios to the reference (nats an answer), and how often the winner's
        is the higher one. For ORPO, which has no reference, the log-probabilities themselves."""
        chosen, rejected = torch.cat(self._seen, 1)
        self._seen = []
        return {"chosen_ratio": chosen.mean().item(), "rejected_ratio": rejected.mean().item(),
                "margin": (chosen - rejected).mean().item(), "pair_accuracy": (chosen > rejected).float().mean().item()}  # fmt: skip

    def _reference(self, examples: Sequence[Example], like: torch.Tensor) -> torch.Tensor:
        return torch.tensor([self.references[e] for e in examples], device=like.device)

    @torch.no_grad()
    def _kl(self, packs: Sequence[Pack]) -> torch.Tensor:
        """Mean log ratio of every question with the answer to another."""
        others = mismatched(packs)
        logps = answer_logps(self.model, others, self.pad_id, self.dtype)
        return (logps - self._reference([e for pack in others for e in pack], logps)).mean()


def _needs_reference(method: str) -> bool:
    """Whether a method is anchored to the model it starts from. Raises TrainingError for a name that is none.

    >>> _needs_reference("dpo"), _needs_reference("orpo")
    (True, False)
    """
    if method not in METHODS:
        raise TrainingError(f"There is no method '{method}' here. Choose one of: {', '.join(METHODS)}.")
    return method != "orpo"


def mismatched(packs: Sequence[Pack]) -> list[Pack]:
    """The same prompts, each with the answer of the example two before it, a winner's with a winner's: for KTO's z.

    Raises TrainingError for a single pair, whose z would be its own log ratio.
    """
    examples = [e for pack in packs for e in pack]
    if len(examples) < 4:
        raise TrainingError(
            "KTO compares with answers to other questions, and here one pair goes through the model alone. Give it packs of "
            "two pairs at least, or raise packs_per_forward."
        )
    answers = iter([e.answer for e in [*examples[-2:], *examples[:-2]]])
    return [[replace(e, answer=next(answers)) for e in pack] for pack in packs]


@torch.no_grad()
def reference_logps(model, packs: Iterable[Sequence[Pack]], pad_id: int, dtype: str) -> dict[Example, float]:
    """log π of each example by the model as it is now, a few packs at a time: what stands in for a second model in memory."""
    known: dict[Example, float] = {}
    for some in packs:
        values = answer_logps(model, some, pad_id, dtype).tolist()
        known |= zip((e for pack in some for e in pack), values, strict=True)
    return known


def train_on_pairs(
    model, steps: Sequence[Sequence[Pack]], pad_id: int, settings: PreferenceSettings,
    validate: Callable[[int], dict] | None = None, validate_at: Sequence[int] = (), progress: bool = True,
    state: Path | None = None, track: Callable[[dict], object] | None = None,
) -> list[dict]:  # fmt: skip
    """Train the adapter of `model` (the SFT model, loaded trainable) on steps of `preference_packs`; a record a step.

    The reference is `model` as it is given, the SFT adapter and not the base: its log-probabilities of all answers are
    computed once, before the first step, so nothing but the adapter and its optimizer is in memory. A record is that of
    `forge_lib.training.sft.train` (its loss a mean over pairs) with `PairLoss.told`. state: a file from which a killed
    training goes on; load the same SFT adapter for that.

    Raises TrainingError for an unknown method, a beta that is not above 0, packs in which pairs are not whole, and where
    `sft.train` does.
    """
    anchored = _needs_reference(settings.method)
    if not settings.beta > 0:
        raise TrainingError(f"beta is {settings.beta:g}, and what leaving the reference costs is above 0.")
    check_steps(steps)
    if any(len(pack) % 2 for packs in steps for pack in packs):
        raise TrainingError("A pack holds half a pair. Make the packs of this training with preference_packs.")
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    settings = replace(settings, anchor=digest(weights))
    model.eval()
    seen = _forward_passes(steps, settings) if anchored else ()
    loss_of = PairLoss(model, pad_id, settings, reference_logps(model, seen, pad_id, settings.dtype))

    def told(record: dict) -> None:
        record |= loss_of.told()
        if track:
            track(record)

    return train(loss_of, steps, pad_id, settings, validate, validate_at, progress, state=state, track=told)


def _forward_passes(steps: Sequence[Sequence[Pack]], settings: PreferenceSettings) -> Iterable[Sequence[Pack]]:
    """What the model is asked for in training, pass by pass, so that a reference is rounded as its policy is."""
    size = settings.packs_per_forward
    for packs in steps:
        for at in range(0, len(packs), size):
            yield packs[at : at + size]
            if settings.method == "kto":
                yield mismatched(packs[at : at + size])
