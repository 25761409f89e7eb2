"""What the methods of reinforcement learning and preferences keep in memory and do in a step, counted on a real model."""

from __future__ import annotations

import pandas as pd

from forge_lib.models.load import causal_lm
from forge_lib.training import TrainingError


def parts_table(model, answers: int = 8, epochs: int = 1) -> pd.DataFrame:
    """SFT, DPO, GRPO and PPO side by side, as textbooks have them (each model whole) and with this LoRA model as the policy.

    Columns: `models` that are in memory, `weights` (millions) and of them `trained`, all copies counted, where each model is
    held whole; `weights, LoRA` and `trained, LoRA` where all share one frozen base and differ by adapters and heads;
    then, for each prompt, `sampled` answers, `forward` passes over an answer and of them `backward` ones.
    answers: in a group (GRPO; PPO samples as many, to compare); epochs: of updates on the same samples.

    PPO (Ouyang et al. 2022, https://arxiv.org/abs/2203.02155): policy, reference, reward model, and a value model as large as
    the policy; old log-probabilities and values are a pass each, like the reference's and the reward's. GRPO
    (https://arxiv.org/abs/2402.03300) has no value model, and here a program gives the reward. DPO reads two answers a
    pair and samples nothing. Reading what a method samples as it is sampled is left out: it is the same for both.
    Raises TrainingError for a model without trained matrices on a frozen base.
    """
    if answers < 1 or epochs < 1:
        raise TrainingError(f"{answers} answers and {epochs} epochs are none: give one at least of each.")
    base = sum(p.numel() for n, p in model.named_parameters() if "lora_" not in n) / 1e6
    lora = sum(p.numel() for n, p in model.named_parameters() if "lora_" in n and ".ref." not in n) / 1e6
    if not lora:
        raise TrainingError("This model has no LoRA matrices to count. Load it with its adapter (load_adapted).")
    head = causal_lm(model).config.get_text_config().hidden_size / 1e6
    rows = {  # models, heads of one number, trained models, trained heads, sampled, forward, backward
        "SFT": ("policy", 1, 0, 1, 0, 0, 1, 1),
        "DPO": ("policy, reference", 2, 0, 1, 0, 0, 4, 2),
        "GRPO": ("policy, reference", 2, 0, 1, 0, answers, answers * (2 + epochs), answers * epochs),
        "PPO": ("policy, reference, reward model, value model", 4, 2, 2, 1, answers,
                answers * (4 + 2 * epochs), answers * 2 * epochs),
    }  # fmt: skip
    table = {
        name: {
            "models": models, "weights": count * base + heads * head, "trained": trained * base + trained_heads * head,
            "weights, LoRA": base + count * lora + heads * head, "trained, LoRA": trained * lora + trained_heads * head,
            "sampled": sampled, "forward": forward, "backward": backward,
        }
        for name, (models, count, heads, trained, trained_heads, sampled, forward, backward) in rows.items()
    }  # fmt: skip
    return pd.DataFrame(table).T.infer_objects().rename_axis("method")
