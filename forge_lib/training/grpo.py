"""Group-relative policy optimization on the grade of a task, through TRL's GRPOTrainer."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence

import torch

from forge_lib.data.items import Item
from forge_lib.lab.profiles import Profile
from forge_lib.models.chat import Example, encode_prompt
from forge_lib.models.generate import generate
from forge_lib.tasks import GoldError, TaskData
from forge_lib.training import TrainingError
from forge_lib.training.loss import answer_logits

KL_WEIGHT = 0.02  # β: how much the policy pays for leaving the SFT model
CLIP = 0.2  # ε: how far the ratio of new to old probability may move before its gradient is cut off
TEMPERATURE = 1.0  # the groups must differ to teach anything


def group_advantages(rewards: torch.Tensor, epsilon: float = 1e-4) -> torch.Tensor:
    """How much better each completion is than its group: A = (r - mean) / (std + ε).

    rewards: (groups, completions). Equation in Shao et al. 2024, https://arxiv.org/abs/2402.03300, section 4.1.2.
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
    mean, spread = rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)
    silent = rewards.amax(1, keepdim=True) == rewards.amin(1, keepdim=True)  # the mean of equal numbers is rounded
    return torch.where(silent, 0.0, (rewards - mean) / (spread + epsilon))


def graded(data: TaskData, items: Sequence[Item]) -> Callable[..., list[float]]:
    """TRL reward function for the prompts of `items`: the grade of each completion, by the scorer that also grades the test.

    An item whose own answer fails pays nothing to any of its group, so the step learns nothing from it and goes on.
    """

    def reward(prompts, completions, item, **_) -> list[float]:
        texts = [c[0]["content"] if isinstance(c, list) else c for c in completions]
        return [_reward(data, items[number], text) for text, number in zip(texts, item, strict=True)]

    return reward


def _reward(data: TaskData, item: Item, text: str) -> float:
    try:
        return data.score(item, text).reward
    except GoldError as error:
        warnings.warn(f"Its group earns nothing. {error}", stacklevel=2)
        return 0.0


def prompts_for_grpo(data: TaskData, items: Sequence[Item]):
    """A `datasets.Dataset` of prompts, each with the place of its item. Raises TrainingError for no items."""
    from datasets import Dataset

    if not items:
        raise TrainingError("There is nothing to train on: no items. Choose at least one.")
    return Dataset.from_list([{"prompt": data.messages(i), "item": number} for number, i in enumerate(items)])


def _rollout(profile: Profile, tick: Callable[[], object]) -> Callable[..., dict]:
    """TRL rollout function: sampled completions from `forge_lib.models.generate`; `tick` is called once a step.

    A group repeats one prompt: it goes through the model once, and its completions look back on the same keys and values.
    """

    def sample(prompts, trainer) -> dict:
        tokenizer, model = trainer.processing_class, trainer.accelerator.unwrap_model(trainer.model)
        encoded = [encode_prompt(tokenizer, p) for p in prompts]
        model.eval()  # in training mode gradient checkpointing would switch the key-value cache off
        done = generate(model, tokenizer, encoded, profile.max_new_tokens, len(prompts), False, TEMPERATURE)
        model.train()
        tick()
        return {"prompt_ids": [[*p.prefix, *p.rest] for p in encoded], "completion_ids": [[*c.ids] for c in done],
                "logprobs": None}  # fmt: skip

    return sample


def shared_prompt_logps(model, ids, mask, completion_width: int, pad_id: int, dtype: str):
    """Log-probability and entropy (nats) of every completion token; rows with an equal prompt share its forward pass.

    ids, mask: (B, P + C), prompts padded on the left, completions on the right. Returns two (B, C), 0 at padding.
    """
    rows = [[(i, m) for i, m in zip(*row, strict=True)] for row in zip(ids.tolist(), mask.tolist(), strict=True)]
    cut = ids.shape[1] - completion_width
    groups: dict[tuple, list[tuple[int, Example]]] = {}
    for number, row in enumerate(rows):
        prompt, answer = (tuple(i for i, m in part if m) for part in (row[:cut], row[cut:]))
        # The prompt's last token predicts the answer's first, so each item of the pack needs its own.
        groups.setdefault(prompt, []).append((number, Example(prompt[:-1], prompt[-1:], answer)))
    # Sorted, because TRL shuffles rows between the anchor's pass and the policy's, and 16 bits round by place.
    ordered = [sorted(groups[prompt], key=lambda item: item[1].answer) for prompt in sorted(groups)]
    packs = [[example for _, example in group] for group in ordered]
    logits, targets = answer_logits(model, packs, pad_id, dtype)  # (N, V), (N,)
    logp = torch.log_softmax(logits / TEMPERATURE, -1)
    entropy = -(logp.detach().exp() * logp.detach()).sum(-1)
    where = torch.tensor(
        [(n, at) for group in ordered for n, e in group for at in range(len(e.answer))], device=ids.device
    ).unbind(1)
    empty = logp.new_zeros(len(rows), completion_width)
    return empty.index_put(where, logp.gather(1, targets[:, None])[:, 0]), empty.index_put(where, entropy)


def run_grpo(
    model, tokenizer, data: TaskData, items: Sequence[Item], profile: Profile, seed: int,
    reward: Callable[..., list[float]] | None = None, progress: bool = True,
) -> list[dict]:  # fmt: skip
    """Train the adapter of `model` (a PeftModel from SFT, loaded trainable) with TRL; returns its log, a record a step.

    TRL copies the adapter as "ref", the anchor of the KL term: the SFT model, not the base. The copy is deleted at
    the end, an error's too, so that `model` carries, and saves, one adapter as before. Nothing is written to disk.
    reward: a TRL reward function; the task's own grade where none is given.
    """
    try:
        return _run_grpo(model, tokenizer, data, items, profile, seed, reward or graded(data, items), progress)
    finally:
        if "ref" in model.peft_config:
            model.delete_adapter("ref")
        model.eval()


def _run_grpo(model, tokenizer, data, items, profile: Profile, seed: int, reward, progress: bool) -> list[dict]:
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    sft = {name: p.detach().clone() for name, p in model.named_parameters() if ".default." in name}
    bar = tqdm(total=profile.grpo_steps, desc="GRPO", disable=not progress)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), bar:
        warnings.filterwarnings("ignore", "You are using 'rollout_func'")
        trainer = GRPOTrainer(
            model=model, reward_funcs=reward, args=_grpo_config(profile, seed, folder),
            train_dataset=prompts_for_grpo(data, items), processing_class=tokenizer,
            rollout_func=_rollout(profile, bar.update),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        pad, kind = tokenizer.pad_token_id, profile.dtype

        def logps(policy, input_ids, attention_mask, logits_to_keep, **_):
            policy = trainer.accelerator.unwrap_model(policy)
            return *shared_prompt_logps(policy, input_ids, attention_mask, logits_to_keep, pad, kind), None

        # TRL 1.15 computes these with a Triton kernel, which a CPU and a Mac lack, and a prompt once per completion.
        trainer._get_per_token_logps_and_entropies = logps
        for name, parameter in model.named_parameters():
            # TRL keeps its copy (for QLoRA the trained matrices too) in 16 bits: a KL to a rounded SFT model.
            if (twin := name.replace(".ref.", ".default.")) in sft:
                parameter.data = sft[twin].clone()
        trainer.train()
    return [record for record in trainer.state.log_history if "reward" in record]


def _grpo_config(profile: Profile, seed: int, folder: str):
    """The profile's numbers as TRL's GRPOConfig."""
    from trl import GRPOConfig

    return GRPOConfig(
        output_dir=folder, max_steps=profile.grpo_steps, learning_rate=profile.grpo_learning_rate,
        lr_scheduler_type="constant",  # no warm-up: its first step would sample groups and learn at rate zero
        per_device_train_batch_size=profile.grpo_generations * profile.grpo_prompts,
        num_generations=profile.grpo_generations, max_completion_length=profile.max_new_tokens,
        temperature=TEMPERATURE, beta=KL_WEIGHT, epsilon=CLIP, scale_rewards="group", loss_type="grpo",
        use_bias_correction_kl=False,  # the paper's estimator; TRL's default multiplies it by the ratio
        bf16=profile.dtype == "bfloat16", fp16=profile.dtype == "float16", use_cpu=profile.device == "cpu",
        gradient_checkpointing=profile.device == "cuda",
        logging_steps=1, save_strategy="no", report_to="none", seed=seed, disable_tqdm=True,
        chat_template_kwargs={"enable_thinking": False},
    )  # fmt: skip
