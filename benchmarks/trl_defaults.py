"""TRL's SFTTrainer on a CPU, at its defaults but for what a CPU requires, as a side of benchmarks/sft_speed.py.

Defaults: float32 weights under bf16 autocast, gradient checkpointing, batches of 8 padded to their longest, AdamW, rate
2e-5 falling in a line, LoRA through PEFT. Required: `use_cpu`, and a loss without Triton: TRL 1.15 knows no other, so the same sum comes from PyTorch
(`engines.trl_trainer.completion_loss`). Examples come tokenized, so that all sides see the same tokens.
"""

import tempfile
import time


def trl_defaults(profile, examples, tokenizer) -> dict:
    """Train one pass over `examples`; seconds of the training alone, and the loss of each step."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from forge_lib.models.load import load_base
    from forge_lib.training.engines.trl_trainer import completion_loss

    class Trainer(SFTTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            return completion_loss(model, inputs, num_items_in_batch)

    lora = LoraConfig(r=profile.lora_rank, lora_alpha=profile.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=load_base(profile, dtype="float32", attn_implementation="sdpa"), peft_config=lora,
            processing_class=tokenizer,
            train_dataset=Dataset.from_list([{"input_ids": e.input_ids, "labels": e.labels} for e in examples]),
            args=SFTConfig(output_dir=folder, num_train_epochs=1, use_cpu=True, logging_steps=1,
                           dataset_kwargs={"skip_prepare_dataset": True}, save_strategy="no", report_to="none", disable_tqdm=True),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
    return {
        "seconds": time.perf_counter() - began,
        "losses": [r["loss"] for r in trainer.state.log_history if "loss" in r],
    }
