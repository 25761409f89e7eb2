"""Engine "trl": TRL's SFTTrainer on CPU, CUDA and MPS. Padded batches, no shared prefixes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import PrinterCallback, TrainerCallback

from forge_lib.training import TrainingError
from forge_lib.training.engines import Journal
from forge_lib.training.engines.torch_loop import generate, load, loss, save  # noqa: F401  (all verbs but one)
from forge_lib.training.packing import Pack
from forge_lib.training.sft import SFTSettings, cosine_schedule


def train(
    model, steps: Sequence[Sequence[Pack]], tokenizer, settings: SFTSettings, progress: bool = True, **hooks
) -> list[dict]:
    """Train with SFTTrainer on tokens and labels as they are; nothing is written to disk.

    Raises TrainingError when steps before the last differ in their number of forward passes (TRL accumulates over a
    fixed number), and when the loss is not a number.
    """
    from datasets import Dataset
    from tqdm import tqdm

    journal = Journal(model, steps, settings, **hooks)
    batches, accumulate = _forward_passes(steps, settings.packs_per_forward)
    examples = [e for packs in steps for pack in packs for e in pack]
    trained = [p for p in model.parameters() if p.requires_grad]
    kept = [p.data for p in trained]
    optimizer = torch.optim.AdamW(
        trained, settings.learning_rate, settings.betas, weight_decay=settings.weight_decay, fused=True
    )
    schedule = LambdaLR(optimizer, lambda done: cosine_schedule(done, len(steps), settings.warmup))
    with tempfile.TemporaryDirectory() as folder, tqdm(desc="train", total=len(steps), disable=not progress) as bar:
        trainer = _trainer()(
            model=model, args=_sft_config(settings, accumulate, model.device.type, folder), processing_class=tokenizer,
            train_dataset=Dataset.from_list([{"input_ids": e.input_ids, "labels": e.labels} for e in examples]),
            optimizers=(optimizer, schedule), callbacks=[_Log(journal, bar.update)],
        )  # fmt: skip
        trainer.batches = batches
        trainer.remove_callback(PrinterCallback)
        for parameter, data in zip(trained, kept, strict=True):
            parameter.data = data  # TRL has rounded them to bf16 where the base is quantized
        trainer.train()
    model.eval()
    return journal.records


def _forward_passes(steps: Sequence[Sequence[Pack]], packs_per_forward: int) -> tuple[list[list[int]], int]:
    """The examples (numbered through) of each forward pass, and how many passes an optimizer step takes.

    >>> _forward_passes([[["a", "b"], ["c"]], [["d"]]], 1)
    ([[0, 1], [2], [3]], 2)
    """
    batches, counts, first = [], [], 0
    for packs in steps:
        starts = range(0, len(packs), packs_per_forward)
        counts.append(len(starts))
        for at in starts:
            size = sum(map(len, packs[at : at + packs_per_forward]))
            batches.append([*range(first, first + size)])
            first += size
    if any(count != max(counts) for count in counts[:-1]):
        raise TrainingError(
            "TRL takes the same number of forward passes in every step but the last, and these steps do not. "
            "Give them the same number of packs (make_steps does), or use the engine 'torch'."
        )
    return batches, max(counts)


def _sft_config(settings: SFTSettings, accumulate: int, device: str, folder: str):
    """The settings as TRL's SFTConfig; optimizer and schedule are given to the trainer itself."""
    from trl import SFTConfig

    return SFTConfig(
        output_dir=folder, num_train_epochs=1, gradient_accumulation_steps=accumulate,
        learning_rate=settings.learning_rate, max_grad_norm=settings.max_grad_norm,
        dataset_kwargs={"skip_prepare_dataset": True}, max_length=None, padding_free=False, loss_type="nll",
        bf16=settings.dtype == "bfloat16", fp16=settings.dtype == "float16", use_cpu=device == "cpu",
        gradient_checkpointing=device == "cuda",
        logging_steps=1, logging_nan_inf_filter=False,  # else a loss that is not a number is replaced by the mean
        save_strategy="no", report_to="none", disable_tqdm=True, seed=torch.initial_seed() % 2**32,
    )  # fmt: skip


def completion_loss(model, inputs: dict, count: torch.Tensor | int) -> torch.Tensor:
    """Cross-entropy over the answer tokens of a padded batch, summed and divided by `count`.

    TRL 1.15 computes the same with a Triton kernel under every setting of SFTConfig, and neither a CPU nor a Mac has
    one. Like it, this spares the output layer the columns without any answer token.
    """
    wanted = inputs["labels"][:, 1:]
    columns = (wanted != -100).any(0).nonzero().squeeze(1)
    logits = model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], logits_to_keep=columns, use_cache=False
    ).logits  # (B, columns, V)
    return F.cross_entropy(logits.float().flatten(0, 1), wanted[:, columns].flatten(), reduction="sum") / count


def _trainer() -> type:
    from trl import SFTTrainer  # looked up at the call: unsloth puts its own in the same place

    class Trainer(SFTTrainer):
        batches: list[list[int]]

        def get_train_dataloader(self):
            return DataLoader(self.train_dataset, batch_sampler=self.batches, collate_fn=self.data_collator)

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            if self.args.device.type == "cuda":
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            return completion_loss(model, inputs, num_items_in_batch)

    return Trainer


class _Log(TrainerCallback):
    def __init__(self, journal: Journal, tick: Callable[[], object]):
        self.journal, self.tick = journal, tick

    def on_step_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_log(self, args, state, control, logs, **_):
        if "loss" not in logs:  # the summary at the end
            return
        self.journal.check(logs["loss"])
        control.should_training_stop |= not self.journal.add(
            logs["loss"], logs["grad_norm"], time.perf_counter() - self.began
        )
        self.tick()
