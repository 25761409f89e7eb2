"""The training of 04_sft on several devices:

accelerate launch --config_file forge_lib/launch/ddp.yaml --num_processes 4 -m forge_lib.training.launch --run NAME

Each process computes the gradient of its share of every step's packs; together they make the steps that one would.
The adapter after the last step is kept; notebooks 05 to 09 go on from it: `run_all.py --from 05 --run NAME`.
"""

from __future__ import annotations

import argparse
import datetime
import math
import random
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace

from accelerate import Accelerator
from accelerate.utils import DistributedType, InitProcessGroupKwargs

from forge_lib.data.items import DataError, Item, fingerprint, spread, training_part
from forge_lib.lab.files import RunError
from forge_lib.lab.lock import held
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import PROFILES, ProfileError, get_profile
from forge_lib.lab.runs import SEED, Run, seed_argument, start
from forge_lib.lab.tracking import TrackingError, tracked
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import load_base, load_tokenizer
from forge_lib.tasks import COURSE, TaskData, get
from forge_lib.training import TrainingError
from forge_lib.training.loss import PackLoss
from forge_lib.training.packing import Pack, make_packs, make_steps
from forge_lib.training.processes import gather_full
from forge_lib.training.sft import add_lora, mean_loss, save_adapter, settings_for, train

_SPREAD = (DistributedType.FSDP, DistributedType.DEEPSPEED)  # no process has all of weights and optimizer


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="auto", help=f"auto or one of: {', '.join(PROFILES)}")
    parser.add_argument("--run", default="default", help="name of the run folder under runs/")
    parser.add_argument("--seed", type=seed_argument, default=SEED)
    parser.add_argument("--task", default=COURSE, help="what is learnt; see forge_lib/tasks")
    parser.add_argument(
        "--data",
        default="course",
        help="where it comes from; for sql: course, spider:DIR, bird:DIR, my:DIR or sqlite:FILE",
    )
    parser.add_argument("--steps", type=whole_number(1), help="make no more than so many optimizer steps")
    parser.add_argument(
        "--packs-per-step",
        type=whole_number(1),
        help="instead of the profile's; with less than one a process some idle",
    )
    return parser


def _all_packs(data: TaskData, items: Sequence[Item], tokenizer, lab: Run) -> list[Pack]:
    """What a run trains on, as in 04_sft: every pass shuffled, packed and augmented afresh."""
    profile, packs = lab.profile, []
    for number in range(math.ceil(profile.sft_passes)):
        rng = random.Random(f"{lab.seed}-{number}")
        fresh = make_packs(data, items, tokenizer, profile.pack_questions, profile.max_length, rng)
        packs += fresh[: max(1, round(min(1, profile.sft_passes - number) * len(fresh)))]
    return packs


def fit(options: argparse.Namespace, accelerator: Accelerator) -> None:
    """Train, and write `sft/adapter`, `sft/records.jsonl` and `sft/result.json` of the run, which no other may use then."""
    with accelerator.main_process_first():  # it builds what the others find: databases, unpacked weights
        lab = start(options.profile, options.run, options.seed, options.task, options.data)
        lab = replace(lab, profile=replace(lab.profile, engine="torch"))  # what trains here, whatever FORGE_ENGINE says
        data, tokenizer = get(lab.task).load(options.data, lab), load_tokenizer(lab.profile)
        # FSDP takes the weights from main memory, so that no device has to hold all of them.
        sharded = accelerator.distributed_type == DistributedType.FSDP
        base = load_base(replace(lab.profile, device="cpu") if sharded else lab.profile)
    accelerator.wait_for_everyone()  # each has seen that nobody holds the run; only now one of them may
    with held(lab.dir) if accelerator.is_main_process else nullcontext():
        _fit(lab, data, tokenizer, base, options, accelerator)


def _fit(lab: Run, data: TaskData, tokenizer, base, options: argparse.Namespace, accelerator: Accelerator) -> None:
    kind, first = accelerator.distributed_type, accelerator.is_main_process
    profile, pad_id = lab.profile, tokenizer.pad_token_id
    settings = replace(settings_for(profile), patience=None)  # it asks for an accuracy, which nobody measures here
    if kind == DistributedType.DEEPSPEED:  # it wants to know, and would take it from a data loader
        accelerator.state.deepspeed_plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = (
            settings.packs_per_forward
        )

    items = training_part(data.train, profile.sft_pairs, profile.sft_sampled, options.seed)
    packs_per_step = options.packs_per_step or profile.packs_per_step
    steps = make_steps(_all_packs(data, items, tokenizer, lab), packs_per_step)[: options.steps]
    held_out = spread(data.validation, profile.validation_items, options.seed)
    held_out = make_packs(data, held_out, tokenizer, profile.pack_questions, profile.max_length)
    loss_of = PackLoss(add_lora(base, profile), pad_id, settings.dtype)
    accelerator.print(
        f"{accelerator.num_processes} processes ({kind.value}), {len(steps)} steps of {packs_per_step} packs."
    )

    def validate(step: int) -> dict:
        return {"validation_loss": mean_loss(loss_of, held_out, pad_id, settings, accelerator)}

    about = asdict(settings) | {"processes": accelerator.num_processes, "packs_per_step": packs_per_step}
    with tracked(lab, "sft", about, pairs=fingerprint(items)) if first else nullcontext() as track:
        records = train(
            loss_of, steps, pad_id, settings, validate,
            [round(len(steps) * (n + 1) / profile.checkpoints) for n in range(profile.checkpoints)],
            state=None if kind in _SPREAD else lab.path("sft", "launch.pt"), track=track, accelerator=accelerator,
        )  # fmt: skip
        weights = {name: gather_full(p).float() for name, p in loss_of.model.named_parameters() if p.requires_grad}
        if first:
            save_adapter(loss_of.model, lab.path("sft", "adapter"), weights)
            lab.save_records("sft/records.jsonl", records)
            seconds = sum(r["seconds"] for r in records)
            result = lab.save_json("sft/result.json", {
                "step": len(records), "validation_loss": records[-1]["validation_loss"],
                "examples": sum(r["examples"] for r in records), "train_seconds": seconds,
                "tokens_per_second": sum(r["tokens"] for r in records) / seconds, "processes": accelerator.num_processes,
            })  # fmt: skip
            track.artifact(lab.path("sft", "adapter"))
            track.artifact(result)


def main(given: list[str] | None = None) -> int:
    """Command line of one process; returns the exit status."""
    options = arguments().parse_args(given)
    try:
        cpu = get_profile(options.profile)[0].device == "cpu"
        patient = InitProcessGroupKwargs(timeout=datetime.timedelta(hours=2))  # while the first one downloads
        accelerator = Accelerator(cpu=cpu, kwargs_handlers=[patient])
        fit(options, accelerator)
    except (DataError, ModelError, ProfileError, RunError, TrackingError, TrainingError) as error:
        print(f"launch: {error}", file=sys.stderr)
        return 2
    accelerator.end_training()
    return 0


if __name__ == "__main__":
    sys.exit(main())
