"""Group-relative policy optimization on the grade of a task, in plain PyTorch; TRL's trainer is the tests' reference."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from forge_lib.data.items import Item
from forge_lib.engine import give_back
from forge_lib.lab.profiles import Profile
from forge_lib.tasks import TaskData
from forge_lib.training import TrainingError
from forge_lib.training.diagnosis import stop_reason
from forge_lib.training.loss import answer_logits
from forge_lib.training.packing import Pack
from forge_lib.training.policy_loss import GRPO, Objective, clipped, k3, token_losses, token_weights
from forge_lib.training.rollouts import Group, Reward, draw_groups, graded, probe_reward, summary
from forge_lib.training.sft import GIVE_BACK_EVERY
from forge_lib.training.state import StateFile

KL_WEIGHT = GRPO.beta
CLIP = GRPO.epsilon_low
TEMPERATURE = 1.0  # the groups must differ to teach anything


@dataclass(frozen=True)
class GRPOSettings:
    """How a run learns; its size (steps, groups, answers, rate) is the profile's."""

    objective: Objective = GRPO
    updates: int = 1  # optimizer steps on one batch of answers; from the second on the clip has something to do
    draws: int = 2  # groups sampled at most for each that a step wants, silent ones being skipped
    max_grad_norm: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)  # PyTorch's, and TRL's
    patience: int | None = 5  # steps in a row without a group to learn from before the run ends; None = never
    probe_every: int = 1  # steps between two rewards on the probe set
    save_every: int = 2  # steps between two writings of the file that a killed run goes on from


def group_advantages(rewards: torch.Tensor, epsilon: float = 1e-4, scale: str = "group") -> torch.Tensor:
    """How much better each completion is than its group: A = (r - mean) / (std + ε).

    rewards: (groups, completions). Equation in Shao et al. 2024, https://arxiv.org/abs/2402.03300, section 4.1.2.
    scale: std is that of the "group", that of the "batch", or there is no division ("none": Liu et al. 2025,
    https://arxiv.org/abs/2503.20783).
    A group whose rewards are all equal, or that has one completion, gets zeros: it teaches nothing.
    Raises TrainingError for a reward that is not a number.

    >>> [[round(a, 2) for a in group] for group in group_advantages(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist()]
    [[0.71, -0.71], [0.0, 0.0]]
    """
    if not rewards.isfinite().all():
        raise TrainingError("A reward is not a number. Let the reward function give 0 to what it cannot grade.")
    rewards = rewards.float()
    if not len(rewards) or rewards.shape[1] < 2:  # torch's deviation of one value is not a number
        return torch.zeros_like(rewards)
    silent = rewards.amax(1, keepdim=True) == rewards.amin(1, keepdim=True)  # the mean of equal numbers is rounded
    centred = torch.where(silent, 0.0, rewards - rewards.mean(1, keepdim=True))
    if scale == "none":
        return centred
    return centred / ((rewards.std() if scale == "batch" else rewards.std(1, keepdim=True)) + epsilon)


def shared_prompt_logps(
    model, packs: Sequence[Pack], pad_id: int, dtype: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-probability and entropy (nats) of every answer token of `packs`, whose answers share their prompt's forward pass.

    Returns two (B, C), a row an answer in the order of the packs, 0 behind an answer's end; and the mask, 1 up to there.
    """
    lengths = [len(e.answer) for pack in packs for e in pack]
    logits, targets = answer_logits(model, packs, pad_id, dtype)  # (N, V), (N,)
    logp = torch.log_softmax(logits / TEMPERATURE, -1)
    entropy = -(logp.detach().exp() * logp.detach()).sum(-1)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    where = mask.nonzero().to(logp.device).unbind(1)
    empty = logp.new_zeros(mask.shape)
    said = empty.index_put(where, logp.gather(1, targets[:, None])[:, 0])
    return said, empty.index_put(where, entropy), mask.to(logp.device)


def run_grpo(
    model, tokenizer, data: TaskData, items: Sequence[Item], profile: Profile, seed: int,
    reward: Reward | None = None, progress: bool = True, settings: GRPOSettings = GRPOSettings(),
    probe: Sequence[Item] = (), state: Path | None = None, track: Callable[[dict], object] | None = None,
) -> list[dict]:  # fmt: skip
    """Train the adapter of `model` (a PeftModel from SFT, loaded trainable); returns its log, a record a step.

    The anchor of the KL term is the adapter as it comes: the SFT model, not the base. Items come in an order of `seed`'s,
    all of them before one comes again.
    reward: what a text earns as the answer to an item; the task's own grade where none is given.
    probe: items for whose greedy answers the task's grade is logged as "probe_reward", after every `probe_every` steps.
    state: a file that keeps where the run is; one that was killed goes on from it to the same weights.
    track: called with each record.
    A record: step, reward and reward_std (of all groups sampled), frac_reward_zero_std (the share of them that is silent),
    groups (sampled), drawn (so far), loss, grad_norm, kl (nats a token), entropy (the same), clip_ratio/region_mean,
    completions/clipped_ratio (unfinished answers), completions/mean_length, rollout_time, reward_time, step_time (s), and
    where the run ended before its time "stopped", the reason.
    Raises TrainingError for no items, a model without a trainable parameter, a reward, loss or gradient that is not a
    number, and a `state` that is damaged or of another run.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    if not items:
        raise TrainingError("There is nothing to train on: no items. Choose at least one.")
    learner, reward = _Learner(model, tokenizer.pad_token_id, profile, settings), reward or graded(data)
    torch.manual_seed(seed)
    file = StateFile(state, model, learner.parts, (), settings, _plan(profile, seed, items))
    records = file.load()
    order = itertools.islice(_in_turn(items, seed), records[-1]["drawn"] if records else 0, None)
    over = bool(records) and "stopped" in records[-1]
    bar = tqdm(total=profile.grpo_steps, initial=len(records), desc="GRPO", disable=not progress)
    try:
        with _checkpointing(model, profile), bar:
            for number in [] if over else range(len(records) + 1, profile.grpo_steps + 1):
                drawn = records[-1]["drawn"] if records else 0
                record = _recorded(learner, tokenizer, data, order, reward, number, drawn)
                if probe and number % settings.probe_every == 0:
                    record["probe_reward"] = probe_reward(model, tokenizer, data, probe, profile)
                records.append(record)
                if settings.patience and (reason := stop_reason(records, settings.patience)):
                    record["stopped"] = reason  # before the state is saved: who goes on from there stops too
                    warnings.warn(reason, stacklevel=2)
                if track:
                    track(record)
                bar.set_postfix(reward=f"{record['reward']:.2f}", refresh=False)
                bar.update()
                if number % GIVE_BACK_EVERY == 0:
                    give_back()
                if "stopped" in record or number % settings.save_every == 0:
                    file.save(records)
                if "stopped" in record:
                    break
    finally:
        model.eval()
    file.remove()
    return records


def _plan(profile: Profile, seed: int, items: Sequence[Item]) -> tuple:
    """What a run goes by beside its settings: what of the profile it reads, the seed, and the items."""
    return (profile.grpo_steps, profile.grpo_prompts, profile.grpo_generations, profile.grpo_learning_rate,
            profile.max_new_tokens, seed, [(i.id, i.question, i.answer) for i in items])  # fmt: skip


def _recorded(
    learner: _Learner, tokenizer, data: TaskData, order: Iterator[Item], reward: Reward, number: int, drawn: int
) -> dict:
    """Step `number`: groups of answers to the next items of `order`, what is learnt from them, and the record of both.

    drawn: groups of the steps before.
    """
    began, profile = time.perf_counter(), learner.profile
    most = learner.settings.draws * profile.grpo_prompts
    groups, spent = draw_groups(learner.model, tokenizer, data, order, profile, most, TEMPERATURE, reward)
    record = {"step": number, **summary(groups), "drawn": drawn + len(groups), **spent}
    return record | learner.learn(groups, number) | {"step_time": time.perf_counter() - began}


def _in_turn(items: Sequence[Item], seed: int) -> Iterator[Item]:
    """The items shuffled, without end: each round another order."""
    rng = random.Random(seed)
    while True:
        yield from rng.sample(list(items), len(items))


class _Anchor:
    """The trained weights as they were when the run began."""

    def __init__(self, model):
        self.trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.weights = {n: p.detach().clone() for n, p in self.trained.items()}

    def state_dict(self) -> dict:
        return self.weights

    def load_state_dict(self, weights: dict) -> None:
        for name, own in self.weights.items():
            own.copy_(weights[name])

    @contextlib.contextmanager
    def in_place(self):
        """Let the model be the anchor for a while."""
        now = {n: p.data for n, p in self.trained.items()}
        try:
            for name, parameter in self.trained.items():
                parameter.data = self.weights[name]
            yield
        finally:
            for name, parameter in self.trained.items():
                parameter.data = now[name]


class _Learner:
    """Optimizer steps on groups."""

    def __init__(self, model, pad_id: int, profile: Profile, settings: GRPOSettings):
        self.model, self.pad_id, self.profile, self.settings = model, pad_id, profile, settings
        self.trained = [p for p in model.parameters() if p.requires_grad]
        if not self.trained:
            raise TrainingError("Nothing of this model can be trained. Load its adapter with trainable=True.")
        self.anchor = _Anchor(model)
        self.optimizer = torch.optim.AdamW(
            self.trained, profile.grpo_learning_rate, settings.betas, weight_decay=0.0, fused=True
        )
        self.scaler = torch.amp.GradScaler(model.device.type, enabled=profile.dtype == "float16")
        self.parts = {"optimizer": self.optimizer, "scaler": self.scaler, "anchor": self.anchor}

    def learn(self, groups: Sequence[Group], number: int) -> dict:
        """Step `number` on the groups with a spread, of which a step wants so many; nothing changes where there is none."""
        loud = [g for g in groups if not g.silent][: self.profile.grpo_prompts]
        if loud:
            return self._update(loud, number)
        some = groups[: self.profile.packs_per_forward]  # to measure: as many as go through the model at once
        with torch.no_grad():
            said, entropy, mask = self._logps(some)
            with self.anchor.in_place():
                anchored = self._logps(some)[0]
        still = {"loss": 0.0, "grad_norm": 0.0, "clip_ratio/region_mean": 0.0}
        return still | {"kl": k3(said, anchored)[mask].mean().item(), "entropy": entropy[mask].mean().item()}

    def _update(self, groups: Sequence[Group], number: int) -> dict:
        size = self.profile.packs_per_forward
        parts = [groups[at : at + size] for at in range(0, len(groups), size)]
        rewards = torch.tensor([g.rewards for g in groups])
        advantages = group_advantages(rewards, scale=self.settings.objective.scale_rewards).to(self.model.device)
        weights = self._weights(groups).split(size * rewards.shape[1])  # (rows of a part, longest answer) each
        with torch.no_grad(), self.anchor.in_place():
            anchored = [self._logps(part)[0] for part in parts]
        self.model.train()
        old: list[torch.Tensor | None] = [None] * len(parts)  # None: the policy is still the one that sampled
        for _ in range(self.settings.updates):
            done = [
                self._backward(*given)
                for given in zip(parts, old, anchored, advantages.split(size), weights, strict=True)
            ]
            loss, old = sum(d["loss"] for d in done), [d["old"] for d in done]
            norm = self._step(loss, number)
        means = {
            name: torch.cat([d[name] for d in done]).mean().item()
            for name in ("kl", "entropy", "clip_ratio/region_mean")
        }
        return {"loss": loss, "grad_norm": norm, **means}

    def _backward(self, groups, old, anchored, advantages, weights) -> dict:
        """The gradient of some groups' share of the loss, what that is, and what is to be seen of each token."""
        objective, advantages = self.settings.objective, advantages.flatten()
        logps, entropy, mask = self._logps(groups)
        now = logps.detach()
        old = now if old is None else old
        losses = token_losses(logps, old, anchored, advantages, objective)
        share = (losses * weights[:, : logps.shape[1]]).sum()
        self.scaler.scale(share).backward()
        cut = clipped(now, old, advantages, objective).float()
        return {"loss": share.item(), "old": old, "kl": k3(now, anchored)[mask], "entropy": entropy[mask],
                "clip_ratio/region_mean": cut[mask]}  # fmt: skip

    def _weights(self, groups: Sequence[Group]) -> torch.Tensor:
        """What each token of the step counts for: of all its answers, though they go through the model in parts."""
        lengths = torch.tensor([len(c.ids) for g in groups for c in g.completions])
        mask = torch.arange(int(lengths.max()))[None] < lengths[:, None]
        return token_weights(mask, self.settings.objective, self.profile.max_new_tokens).to(self.model.device)

    def _logps(self, groups: Sequence[Group]):
        return shared_prompt_logps(self.model, [g.pack for g in groups], self.pad_id, self.profile.dtype)

    def _step(self, loss: float, number: int) -> float:
        """One optimizer step, and the norm of its gradient; the weights stay where loss or gradient are not numbers."""
        self.scaler.unscale_(self.optimizer)
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained, self.settings.max_grad_norm))
        if not math.isfinite(loss) or not (math.isfinite(norm) or self.scaler.is_enabled()):
            self.optimizer.zero_grad(set_to_none=True)
            raise TrainingError(
                f"The loss is {loss} and its gradient {norm} at step {number}. Lower the learning rate (now "
                f"{self.profile.grpo_learning_rate:g}). The weights are those of the step before."
            )
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm


@contextlib.contextmanager
def _checkpointing(model, profile: Profile):
    """Gradient checkpointing on a card, where memory is what lacks."""
    if profile.device != "cuda":
        yield
        return
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        yield
    finally:
        model.gradient_checkpointing_disable()
