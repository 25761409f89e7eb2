"""A GRPO step on the CPU, side by side in one run: this course's loop against TRL's GRPOTrainer at its defaults.

`python -m benchmarks.grpo_speed` lets both sides make steps of the same size (16 questions × 8 answers of 48 new tokens)
from the same adapter on the same questions, each in a process of its own, and writes benchmarks/grpo_speed.json:

forge           `run_grpo`: prompts read once a group, log-probabilities behind a shared prompt, in the profile's type
TRL, defaults   GRPOTrainer with the same reward. Defaults: float32 weights under bf16 autocast (without it where the processor
                would have to emulate bf16), generation by transformers, gradient checkpointing, padded batches, GRPOConfig's loss. Required: `use_cpu`, the size of the step, and log-probabilities
                without Triton, which TRL 1.15 has no other of: the same numbers from logits, eight rows at a time

Both answer at full length (the end of sequence is never sampled), so that both make as many tokens. A third process takes
one batch of answers through both losses, in float32 with the course's settings, and says how far they are apart.
The adapter is untrained unless --adapter names one.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from forge_lib import ROOT
from forge_lib.data.items import spread
from forge_lib.lab.files import write_atomically
from forge_lib.lab.profiles import get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.models.load import load_adapted, load_base, load_tokenizer
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training.grpo import GRPOSettings, group_advantages, run_grpo, shared_prompt_logps
from forge_lib.training.policy_loss import GRPO, policy_loss
from forge_lib.training.rollouts import Group, draw_groups, graded
from forge_lib.training.sft import add_lora

RESULTS = ROOT / "benchmarks/grpo_speed.json"


class Material:
    """What both sides get."""

    def __init__(self, options):
        self.profile = dataclasses.replace(
            get_profile("cpu")[0], grpo_steps=options.steps, grpo_prompts=options.prompts,
            grpo_generations=options.generations, max_new_tokens=options.tokens,
        )  # fmt: skip
        self.adapter, self.data = options.adapter, load_course()
        self.tokenizer = load_tokenizer(self.profile)
        self.items = spread(self.data.train, options.steps * options.prompts, 17)

    def model(self):
        if self.adapter:
            return load_adapted(self.profile, self.adapter, trainable=True)
        return add_lora(load_base(self.profile), self.profile)

    def plain_model(self):
        """As transformers and PEFT load it: float32, no layer of it the course's."""
        from peft import LoraConfig, PeftModel, get_peft_model

        base = load_base(self.profile, dtype="float32", attn_implementation="sdpa")
        if self.adapter:
            return PeftModel.from_pretrained(base, self.adapter, is_trainable=True)
        return get_peft_model(base, LoraConfig(r=self.profile.lora_rank, lora_alpha=self.profile.lora_alpha,
                                               target_modules="all-linear", task_type="CAUSAL_LM"))  # fmt: skip


def endless(model):
    """No answer ends before the limit: the head never says the end of sequence."""
    head = model.get_base_model().get_output_embeddings()
    ends = torch.tensor([model.get_base_model().config.eos_token_id]).flatten()
    head.register_forward_hook(lambda module, given, logits: logits.index_fill(-1, ends.to(logits.device), -1e4))
    return model


def forge(m: Material) -> dict:
    """The course's loop; every group is learnt from, as TRL learns from every group."""
    model = endless(m.model())
    pays = iter(range(10**9))
    log = run_grpo(model, m.tokenizer, m.data, m.items, m.profile, 17, progress=False,
                   reward=lambda item, text: graded(m.data)(item, text) + 1e-3 * (next(pays) % 2), settings=GRPOSettings(draws=1))  # fmt: skip
    return {"seconds": [r["step_time"] for r in log], "rewards_share": sum(r["reward_time"] for r in log) / sum(r["step_time"] for r in log),
            "rollout_share": sum(r["rollout_time"] for r in log) / sum(r["step_time"] for r in log),
            "mean_length": sum(r["completions/mean_length"] for r in log) / len(log)}  # fmt: skip


def plain_logps(policy, ids, mask, keep, **_):
    """Log-probabilities and entropies of the last `keep` tokens, from the logits of those alone."""
    from trl.trainer.utils import entropy_from_logits, selective_log_softmax

    found = []
    for rows, seen in zip(ids.split(8), mask.split(8), strict=True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=plain_logps.autocast):
            logits = policy(rows, attention_mask=seen, logits_to_keep=keep + 1).logits[:, :-1]
        entropy = entropy_from_logits(logits.detach().float())
        found.append((selective_log_softmax(logits.float(), rows[:, -keep:]), entropy))
    return *(torch.cat(x) for x in zip(*found, strict=True)), None


plain_logps.autocast = True


def trainer_of(m: Material, model, folder: str, **settings):
    """TRL's trainer on the same questions, paid by the same scorer."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    size = m.profile.grpo_prompts * m.profile.grpo_generations
    grade = graded(m.data)

    def reward(completions, item, **_):
        return [grade(m.items[n], c[0]["content"]) for c, n in zip(completions, item, strict=True)]

    trainer = GRPOTrainer(
        model=model, reward_funcs=reward, processing_class=m.tokenizer,
        train_dataset=Dataset.from_list([{"prompt": m.data.messages(i), "item": n} for n, i in enumerate(m.items)]),
        args=GRPOConfig(output_dir=folder, max_steps=m.profile.grpo_steps, per_device_train_batch_size=size,
                        num_generations=m.profile.grpo_generations, max_completion_length=m.profile.max_new_tokens, use_cpu=True,
                        logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True, **settings),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer._get_per_token_logps_and_entropies = plain_logps
    return trainer


def trl_at_defaults(m: Material) -> dict:
    """GRPOTrainer at its defaults."""
    model, narrow = endless(m.plain_model()), m.profile.dtype != "float32"
    plain_logps.autocast = narrow
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(m, model, folder, **({} if narrow else {"bf16": False}))
        trainer.train()
    log = [r for r in trainer.state.log_history if "reward" in r]
    return {"seconds": [r["step_time"] for r in log], "mean_length": sum(r["completions/mean_length"] for r in log) / len(log)}  # fmt: skip


def same_loss(m: Material) -> dict:
    """One batch of answers through both losses, float32: what each says, ours at the course's settings and TRL's at the same."""
    m.profile = dataclasses.replace(m.profile, dtype="float32")
    model, plain_logps.autocast = m.plain_model(), False
    groups, _ = draw_groups(
        model, m.tokenizer, m.data, iter(m.items), m.profile, m.profile.grpo_prompts, 1.0, graded(m.data)
    )
    rewards = torch.arange(sum(len(g.rewards) for g in groups)).remainder(3).view(len(groups), -1).float()
    groups = [Group(g.prompt, g.completions, tuple(r)) for g, r in zip(groups, rewards.tolist(), strict=True)]
    advantages = group_advantages(rewards).flatten()
    with torch.no_grad():
        logps, _, mask = shared_prompt_logps(model, [g.pack for g in groups], m.tokenizer.pad_token_id, "float32")
        torch.manual_seed(17)
        old, anchored = (logps + 0.3 * torch.randn(logps.shape) * mask for _ in range(2))
        ours = policy_loss(logps, old, anchored, advantages, mask, GRPO, m.profile.max_new_tokens)
        prompts = [[*g.prompt.prefix, *g.prompt.rest] for g in groups for _ in g.completions]
        answers = [[*c.ids] for g in groups for c in g.completions]
        pad, wide, long = m.tokenizer.pad_token_id, max(map(len, prompts)), max(map(len, answers))
        inputs = {
            "prompt_ids": torch.tensor([[pad] * (wide - len(p)) + p for p in prompts]),
            "prompt_mask": torch.tensor([[0] * (wide - len(p)) + [1] * len(p) for p in prompts]),
            "completion_ids": torch.tensor([a + [pad] * (long - len(a)) for a in answers]), "completion_mask": mask.long(),
            "advantages": advantages, "old_per_token_logps": old, "ref_per_token_logps": anchored,
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            trainer = trainer_of(m, model, folder, beta=GRPO.beta, loss_type="grpo", use_bias_correction_kl=False,
                                 bf16=False, gradient_checkpointing=False)  # fmt: skip
            trainer.current_gradient_accumulation_steps = 1
            theirs = trainer._compute_loss(model, inputs)
    return {"loss": ours.item(), "trl_loss": theirs.item()}


SIDES = {"forge": forge, "TRL, defaults": trl_at_defaults, "same loss": same_loss}


def in_own_process(side: str, arguments: list[str]) -> dict:
    """Run one side and read what it measured."""
    from run_all import kernel_environment

    kernel_environment()
    done = subprocess.run([sys.executable, "-m", "benchmarks.grpo_speed", *arguments, "--side", side],
                          cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ, check=True)  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run all sides, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2, help="the last ones count: the first of each side warms up")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--adapter", type=Path, help="folder of a trained adapter")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--side", choices=SIDES, help="one side only, as JSON")
    options = parser.parse_args()
    if options.side:
        seed_everything(17)
        print(json.dumps(SIDES[options.side](Material(options))))
        return
    sides = {side: in_own_process(side, sys.argv[1:]) for side in SIDES}
    losses = sides.pop("same loss")
    answers = options.prompts * options.generations
    for name, row in sides.items():
        timed = row["seconds"][1:] or row["seconds"]
        row["step_seconds"] = sum(timed) / len(timed)
        row["answers_per_second"] = answers / row["step_seconds"]
        print(
            f"{name:<15} {row['step_seconds']:7.1f} s a step  {row['answers_per_second']:5.2f} answers/s  {row['mean_length']:.0f} tokens each"
        )
    faster = sides["TRL, defaults"]["step_seconds"] / sides["forge"]["step_seconds"]
    sentence = (
        f"A step of {options.prompts} questions × {options.generations} answers of {options.tokens} tokens takes the course's "
        f"loop {sides['forge']['step_seconds']:.1f} s and TRL's GRPOTrainer at its defaults {sides['TRL, defaults']['step_seconds']:.1f} s "
        f"on the same machine ({platform.machine()}, {torch.get_num_threads()} threads): {faster:.1f} times as long. Rewards take "
        f"{100 * sides['forge']['rewards_share']:.1f}% of the loop's step, sampling {100 * sides['forge']['rollout_share']:.0f}%. On the same "
        f"answers the two losses are {losses['loss']:.6f} and {losses['trl_loss']:.6f}."
    )
    print(sentence)
    kept = {"sides": sides, "same_answers": losses, "sentence": sentence,
            "size": {k: getattr(options, k) for k in ("steps", "prompts", "generations", "tokens")}}  # fmt: skip
    write_atomically(options.out, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
