"""Group-relative policy optimization on execution reward, through TRL's GRPOTrainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from forge_lib.data.pairs import DataSet, Pair
from forge_lib.evaluation.contenders import messages_for
from forge_lib.profiles import Profile
from forge_lib.tasks.sql.prompt import extract_sql
from forge_lib.tasks.sql.score import score

KL_WEIGHT = 0.02  # β: how much the policy pays for leaving the SFT model
TEMPERATURE = 1.0  # the groups must differ to teach anything


def group_advantages(rewards: torch.Tensor, epsilon: float = 1e-4) -> torch.Tensor:
    """How much better each completion is than its group: A = (r - mean) / (std + ε).

    rewards: (groups, completions). Equation in Shao et al. 2024, https://arxiv.org/abs/2402.03300, section 4.1.2.
    A group whose rewards are all equal gets zeros: it teaches nothing.

    >>> group_advantages(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).round(decimals=2).tolist()
    [[0.71, -0.71], [0.0, 0.0]]
    """
    mean, spread = rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)
    return (rewards - mean) / (spread + epsilon)


def execution_reward(prompts, completions, database, gold, **_) -> list[float]:
    """TRL reward function: the grade of each completion, by the scorer that also grades the test."""
    texts = [c[0]["content"] if isinstance(c, list) else c for c in completions]
    return [
        score(extract_sql(t), g, d).reward for t, d, g in zip(texts, database, gold, strict=True)
    ]


def prompts_for_grpo(data: DataSet, pairs: Sequence[Pair]):
    """A `datasets.Dataset` of prompts with what the reward needs beside them."""
    from datasets import Dataset

    return Dataset.from_list(
        [{"prompt": messages_for(data, p), "database": str(data.database(p.db_id)), "gold": p.sql} for p in pairs]
    )


def run_grpo(
    model, tokenizer, data: DataSet, pairs: Sequence[Pair], profile: Profile, seed: int, folder: Path,
    reward: Callable[..., list[float]] = execution_reward,
) -> list[dict]:  # fmt: skip
    """Train the adapter of `model` (a PeftModel from SFT) with TRL; returns its log, one record a step.

    TRL copies the adapter as the reference of the KL term, so the anchor is the SFT model, not the base.
    """
    from trl import GRPOConfig, GRPOTrainer

    config = GRPOConfig(
        output_dir=str(folder), max_steps=profile.grpo_steps, learning_rate=profile.grpo_learning_rate,
        per_device_train_batch_size=profile.grpo_generations * profile.grpo_prompts,
        num_generations=profile.grpo_generations, max_completion_length=profile.max_new_tokens,
        temperature=TEMPERATURE, beta=KL_WEIGHT, scale_rewards="group", loss_type="grpo",
        lr_scheduler_type="constant_with_warmup", warmup_steps=min(3, profile.grpo_steps - 1),
        bf16=profile.dtype == "bfloat16", fp16=profile.dtype == "float16", use_cpu=profile.device == "cpu",
        gradient_checkpointing=profile.device == "cuda",
        logging_steps=1, save_strategy="no", report_to="none", seed=seed, disable_tqdm=False,
        chat_template_kwargs={"enable_thinking": False},
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=model, reward_funcs=reward, args=config, train_dataset=prompts_for_grpo(data, pairs),
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.train()
    model.eval()
    return [record for record in trainer.state.log_history if "reward" in record]
