"""What GRPO learns from: groups of answers to one question, sampled and paid for; and a fixed set of questions to probe."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from forge_lib.data.items import Item
from forge_lib.lab.profiles import Profile
from forge_lib.models.chat import Example, Prompt, encode_prompt
from forge_lib.models.generate import Completion, generate
from forge_lib.tasks import GoldError, TaskData
from forge_lib.training import TrainingError
from forge_lib.training.packing import Pack

Reward = Callable[[Item, str], float]


@dataclass(frozen=True)
class Group:
    """One question's answers, and what they earned."""

    prompt: Prompt
    completions: tuple[Completion, ...]
    rewards: tuple[float, ...]

    @property
    def silent(self) -> bool:
        """Whether all earned the same, so that none is better than its group."""
        return min(self.rewards) == max(self.rewards)

    @property
    def pack(self) -> Pack:
        """The answers behind their prompt, its last token apart: it predicts each answer's first, so each needs its own."""
        ids = (*self.prompt.prefix, *self.prompt.rest)
        return [Example(ids[:-1], ids[-1:], c.ids) for c in self.completions]


def graded(data: TaskData) -> Reward:
    """The reward that is the grade: what the scorer that also grades the test pays for an answer to an item.

    An item whose own answer fails pays nothing to any of its group, so the step learns nothing from it and goes on.
    """

    def reward(item: Item, text: str) -> float:
        try:
            return data.score(item, text).reward
        except GoldError as error:
            warnings.warn(f"Its group earns nothing. {error}", stacklevel=2)
            return 0.0

    return reward


def draw_groups(
    model,
    tokenizer,
    data: TaskData,
    order: Iterator[Item],
    profile: Profile,
    most: int,
    temperature: float,
    reward: Reward,
) -> tuple[list[Group], dict[str, float]]:
    """Groups for the items that come next in `order`, until as many as a step wants have a spread or `most` are made.

    A silent group is left where it is and another question asked: the dynamic sampling of DAPO (Yu et al. 2025,
    https://arxiv.org/abs/2503.14476, section 3.2), with a budget. Also returns the seconds of rollouts and of rewards.
    Raises TrainingError for a reward that is not a number.
    """
    groups: list[Group] = []
    spent = {"rollout_time": 0.0, "reward_time": 0.0}
    while (lacking := profile.grpo_prompts - sum(not g.silent for g in groups)) > 0 and len(groups) < most:
        items = list(itertools.islice(order, min(lacking, most - len(groups))))
        began = time.perf_counter()
        answers = _sample(model, tokenizer, data, items, profile, temperature)
        sampled = time.perf_counter()
        groups += [_paid(item, *answer, reward) for item, answer in zip(items, answers, strict=True)]
        spent["rollout_time"] += sampled - began
        spent["reward_time"] += time.perf_counter() - sampled
    return groups, spent


def _sample(
    model, tokenizer, data, items, profile: Profile, temperature: float
) -> list[tuple[Prompt, list[Completion]]]:
    """A group of completions for each item; each prompt goes through the model once."""
    model.eval()  # in training mode gradient checkpointing would switch the key-value cache off
    size = profile.grpo_generations
    prompts = [encode_prompt(tokenizer, data.messages(item)) for item in items]
    rows = [prompt for prompt in prompts for _ in range(size)]
    done = generate(model, tokenizer, rows, profile.max_new_tokens, len(rows), False, temperature)
    return [(prompt, done[size * n : size * (n + 1)]) for n, prompt in enumerate(prompts)]


def _paid(item: Item, prompt: Prompt, completions: Sequence[Completion], reward: Reward) -> Group:
    """The group with its rewards; what was said twice is graded once."""
    paid = {text: float(reward(item, text)) for text in {c.text: None for c in completions}}
    if not all(map(math.isfinite, paid.values())):
        raise TrainingError("A reward is not a number. Let the reward function give 0 to what it cannot grade.")
    return Group(prompt, tuple(completions), tuple(paid[c.text] for c in completions))


def summary(groups: Sequence[Group]) -> dict:
    """What a step's record says of its groups; the names are TRL's."""
    rewards = torch.tensor([g.rewards for g in groups])  # (groups, completions)
    completions = [c for g in groups for c in g.completions]
    return {
        "reward": rewards.mean().item(), "groups": len(groups),
        "reward_std": rewards.std(1).mean().item() if rewards.shape[1] > 1 else 0.0,
        "frac_reward_zero_std": sum(g.silent for g in groups) / len(groups),
        "completions/clipped_ratio": sum(not c.finished for c in completions) / len(completions),
        "completions/mean_length": sum(len(c.ids) for c in completions) / len(completions),
    }  # fmt: skip


def probe_reward(model, tokenizer, data: TaskData, items: Sequence[Item], profile: Profile) -> float:
    """Mean grade (0 to 1) of the greedy answers to a fixed set of items: the same questions at every step, and no dice."""
    model.eval()
    prompts = [encode_prompt(tokenizer, data.messages(i)) for i in items]
    done = generate(model, tokenizer, prompts, profile.max_new_tokens, profile.eval_batch, progress=False)
    grade = graded(data)
    return sum(grade(item, c.text) for item, c in zip(items, done, strict=True)) / len(items)
