"""lm-eval (EleutherAI's harness) on a model in this process: the course's own task offline, its public ones by name."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from forge_lib.lab.files import RunError, said
from forge_lib.models.load import causal_lm

_OFFLINE = "forge_instructions"  # data/capability_probe.jsonl, by the verifiers of the course
_PUBLIC = {  # lm-eval's folder of each: to read all of its thousands of tasks takes a minute; their data is the Hub's
    "arc_easy": "arc", "arc_challenge": "arc", "hellaswag": "hellaswag", "ifeval": "ifeval", "gsm8k": "gsm8k",
    "humaneval": "humaneval", "mbpp": "mbpp",
}  # fmt: skip
_RUNS_CODE = ("humaneval", "mbpp")  # what the model writes is executed on this machine
_METRICS = ("acc", "acc_norm", "exact_match", "prompt_level_strict_acc", "pass@1", "pass_at_1")  # one a task is told by
_TASKS = Path(__file__).with_name("lm_eval_tasks")


def lm_eval_scores(
    model, tokenizer, tasks: Sequence[str] = (_OFFLINE,), limit: int | None = None, batch_size: int = 8,
    run_code: bool = False, chat: bool = True,
) -> list[dict]:  # fmt: skip
    """One record a task and metric: {"task", "metric", "items", "value" (0 to 1), "error" (standard error, or None)}.

    tasks: "forge_instructions", or of `_PUBLIC`; limit: the first so many items of each task
    run_code: humaneval and mbpp execute what the model wrote, with the rights of this process: True only in a container
    chat: ask through the tokenizer's chat template, as the course does

    Raises RunError with what to do: for an unknown task, without lm-eval, where code would be run and must not be, and
    where a public task's data cannot be fetched.
    """
    unknown = [t for t in tasks if t not in (_OFFLINE, *_PUBLIC)]
    if unknown or not tasks:
        raise RunError(
            f"There is no task {', '.join(unknown) or 'given'}. Choose from: {', '.join((_OFFLINE, *_PUBLIC))}."
        )
    risky = [t for t in tasks if t in _RUNS_CODE]
    if risky and not run_code:
        raise RunError(
            f"{' and '.join(risky)} execute what the model writes. Ask for that with run_code=True, in a container."
        )
    if limit is not None and limit < 1:
        raise RunError(f"limit is the number of items of each task, 1 or more; {limit} is not.")
    simple_evaluate, HFLM, manager = _lm_eval(tasks)
    if run_code:
        os.environ["HF_ALLOW_CODE_EVAL"] = "1"  # what the metric of both asks for beside the argument
    wrapped = HFLM(pretrained=causal_lm(model), tokenizer=tokenizer, batch_size=batch_size)
    try:
        found = simple_evaluate(
            wrapped, tasks=list(tasks), limit=limit, task_manager=manager, apply_chat_template=chat, bootstrap_iters=0,
            confirm_run_unsafe_code=run_code, log_samples=False,
        )  # fmt: skip
    except (OSError, ImportError) as error:  # of the Hub's and of `datasets`; IFEval asks for packages of its own
        raise RunError(
            f"lm-eval could not run {', '.join(tasks)} ({said(error)}). Public tasks fetch their data from the Hub and may "
            f"need more packages; without a network choose {_OFFLINE}."
        ) from error
    return [_record(task, key, result, found) for task, result in found["results"].items() for key in _told_by(result)]


def _lm_eval(tasks: Sequence[str]):
    """The harness's evaluation, its wrapper of a model, and an index of the folders that hold `tasks`."""
    try:
        import lm_eval.tasks
        from lm_eval.models.huggingface import HFLM
    except ImportError as error:
        raise RunError(f"lm-eval is not installed ({said(error)}): pip install -r requirements-lm-eval.txt") from error
    logging.getLogger("lm_eval").setLevel(logging.ERROR)  # it remarks on every model that was loaded already
    theirs = Path(lm_eval.tasks.__file__).parent
    folders = sorted({str(_TASKS if t == _OFFLINE else theirs / _PUBLIC[t]) for t in tasks})
    return lm_eval.simple_evaluate, HFLM, lm_eval.tasks.TaskManager(include_path=folders, include_defaults=False)


def _told_by(result: dict) -> list[str]:
    """Keys of the metrics ("acc,none") of one task's result."""
    return [key for key in result if key.partition(",")[0] in _METRICS]


def _record(task: str, key: str, result: dict, found: dict) -> dict:
    metric, _, filtered = key.partition(",")
    error = result.get(f"{metric}_stderr,{filtered}")
    items = found["n-samples"][task]["effective"]
    return {"task": task, "metric": metric, "items": items, "value": float(result[key]),
            "error": error if isinstance(error, float) else None}  # fmt: skip
