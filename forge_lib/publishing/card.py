"""The model card, every number of it read from the run folder."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from jinja2 import Environment, StrictUndefined, TemplateError

from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison, compare
from forge_lib.lab.files import RunError
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.lab.runs import Run, shipped_file
from forge_lib.models.chat import Message
from forge_lib.models.embedded import describe_base
from forge_lib.models.load import base_id
from forge_lib.publishing.evidence import (
    accuracy_by,
    error_counts,
    examples,
    forgotten,
    shipped_records,
    training_table,
)
from forge_lib.publishing.hub import check_repo_id
from forge_lib.publishing.snippets import snippet
from forge_lib.tasks import COURSE, get

_APACHE = (  # bases of the profiles whose cards on the Hub say Apache-2.0, looked up in November 2026
    "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen3-4B-Instruct-2507", "Qwen/Qwen3-8B",
)  # fmt: skip


def model_card(
    run: Run,
    rows: Sequence[dict],
    comparisons: Sequence[Comparison],
    formats: Sequence[dict],
    repo_id: str,
    gguf: bool = False,
    merged: bool = False,
) -> str:
    """README.md of the model repository, with the Hub's metadata on top.

    rows: `summary_row`s of the frozen test; comparisons: paired, the shipped model against its base's best first;
    formats: the GGUF table (see `shipped_file`); gguf: the card of the folder of GGUF files; merged: of the folder that `prepare_merged` fills;
    else of the adapter's. A file is shown with the score that this very file got.
    Raises PublishError for an ill-formed repo_id, and RunError where results lack something.
    """
    check_repo_id(repo_id)
    kind = "gguf" if gguf else "merged" if merged else "adapter"
    try:
        check_numbers([*rows, *map(vars, comparisons), *formats])
        return _card(run, rows, comparisons, formats, repo_id, kind)
    except (LookupError, TypeError, AttributeError, ValueError, StopIteration, TemplateError) as error:
        raise RunError(
            f"The run's results cannot be made a card ({type(error).__name__}: {error}): they are damaged, or of another "
            "version of the course. Run 06_evaluation and 07_quantization again."
        ) from error


def check_numbers(results: Sequence[dict]) -> None:
    """Raise ValueError where a number in these rows is none: a card with "nan%" would be read as a result."""
    for row in results:
        for name, value in row.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} is {value}")


def is_own(run: Run) -> bool:
    """Whether the run's data is somebody's own: no licence is known for it, so nothing of it is quoted."""
    return run.data.partition(":")[0] not in get(run.task).DATA_LICENCES


def licence(base: str, data: str, task: str = COURSE) -> tuple[str, str]:
    """The Hub's id for the licence of what was made, and the reason: it follows from the base's and the data's.

    base: Hub id; data: the run's source ("course", "spider:…", "my:…"). "other" where one of the two is not known, or
    does not let the result go under the base's.

    >>> licence("Qwen/Qwen3-8B", "course")[0], licence("Qwen/Qwen3-8B", "my:shop")[0]
    ('apache-2.0', 'other')
    """
    made_from = f"base: {'Apache-2.0' if base in _APACHE else 'look it up on its card'}"
    made_from += f"; training data: {get(task).DATA_LICENCES.get(data.partition(':')[0], 'not stated')}"
    if base in _APACHE and data == "course":
        return "apache-2.0", f"Apache-2.0, as the base's; this is a derived work of it ({made_from})."
    return (
        "other",
        f"not stated ({made_from}). Whoever publishes this must say under which licence, and may have to ask.",
    )


def format_prices(folder: Path, formats: Sequence[dict], on_validation: bool = False) -> list[Comparison]:
    """Each quantized file against the first (F16) on the same questions: gained, lost, interval, McNemar's p.

    folder: of the run; on_validation: there instead of on the frozen test, which only some files were asked. Empty where
    its answers were not kept. A file that lost answers is never called lossless: what is not significant is only not shown.
    """
    where, figure = (folder / "export/validation", "validation") if on_validation else (folder / "export", "all")
    files = [where / f"{f['format']}.jsonl" for f in formats if figure in f]
    if not files or not all(file.exists() for file in files):
        return []
    first, *others = (read_jsonl(file, "Run notebook 07_quantization again.") for file in files)
    return [compare(first, records) for records in others]


def _card(
    run: Run, rows: Sequence[dict], comparisons: Sequence[Comparison], formats: Sequence[dict], repo_id: str, kind: str
) -> str:
    """The task's template, filled: its head becomes the Hub's metadata."""
    task, base, tuned = get(run.task), base_id(run.profile), comparisons[0].second
    facts = task.card_facts(run.data)
    shipped = next(r for r in rows if r["contender"] == tuned)
    shown = shipped_file(run, formats) if kind == "gguf" else shipped
    records, own = shipped_records(run, shown), is_own(run)
    versions = run.config("sft")["versions"]  # those of the training; later notebooks may run under others
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(
        task.CARD.read_text("utf-8")
    )
    filled = template.render(
        facts, run=run, name=repo_id.split("/")[-1], base=base, tuned=tuned, kind=kind, own=own, shown=shown, percent=_percent,
        note=shipped.get("interval_note", comparisons[0].note), base_statement=_base_statement(run.profile.base_model, kind),
        results=result_table(rows).reset_index().to_markdown(index=False, disable_numparse=True),
        comparisons=_listed(comparisons), files=_file_table(formats), format_prices=_listed(format_prices(run.dir, formats)),
        errors=error_counts(records, facts.get("error_class", itemgetter("verdict"))),
        cuts=[accuracy_by(records, *cut) for cut in facts.get("cuts", {}).items()], forgotten=forgotten(run),
        examples=[] if own else examples(records),  # nobody's own questions go out by default
        training=training_table(run), usage=_usage(run, repo_id, kind, shown, facts.get("example", [])),
        licence=licence(base, run.data, run.task)[1],
        versions=", ".join(f"{k} {v}" for k, v in versions.items() if v != "absent"),
    )  # fmt: skip
    head, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", filled, re.S).groups()
    measured = [f for f in formats if "all" in f] if kind == "gguf" else [shipped]
    return _metadata(yaml.safe_load(head), run, base, repo_id, measured, kind, facts.get("datasets")) + body


def score_cell(row: dict) -> str:
    """Accuracy with its interval for a table, a dash where it was not measured: a file may not have been asked the test.

    >>> score_cell({"all": 27.94, "all_low": 21.8, "all_high": 35.1}), score_cell({})
    ('27.9 [21.8, 35.1]', '–')
    """
    return f"{row['all']:.1f} [{row['all_low']:.1f}, {row['all_high']:.1f}]" if "all" in row else "–"


def _listed(comparisons: Sequence[Comparison]) -> str:
    return "\n".join(f"- {c}" for c in comparisons)


def _file_table(formats: Sequence[dict]) -> str:
    head = "| file | format | MB | validation (%) | frozen test (%) | stops (%) | tokens/s | SHA-256 |"
    rows = [
        f"| `{f['file']}` | {f['format']} | {f['megabytes']:.0f} | {score_cell(f.get('validation', {}))} | {score_cell(f)} "
        f"| {100 * f['finished']:.0f} | {f['tokens_per_second']:.0f} | `{f['sha256'][:12]}…` |"
        for f in formats
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows])


def _base_statement(base_model: str, kind: str) -> str:
    described = describe_base(base_model)
    if described == base_model:
        return ""
    other = (
        "**On the Hub's own weights of that name this adapter was not measured**: put it on the package's, as below."
        if kind == "adapter"
        else "The Hub's own weights of that name are not bit for bit these."
    )
    return f"The base was {described}. {other}"


def _percent(row: dict, part: str) -> str:
    if part not in row:
        return "not measured"
    return f"{row[part]:.1f}% [{row[part + '_low']:.1f}, {row[part + '_high']:.1f}]"


_LIBRARY = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}
_RELATION = {"adapter": "adapter", "merged": "finetune", "gguf": "quantized"}  # to the base, in the Hub's words


def _metadata(
    about: dict, run: Run, base: str, repo_id: str, measured: Sequence[dict], kind: str, datasets: list[str] | None
) -> str:
    """The YAML block that the Hub reads (https://huggingface.co/docs/hub/model-cards): one result a file of its own.

    about: the head of the task's template; datasets: by the Hub's ids, where it has them.
    """
    source = f"forge-{run.data.partition(':')[0]}"
    results = [
        EvalResult(
            task_type="text-generation", task_name=about["task_name"], dataset_type=source, dataset_split="test",
            dataset_name=f"{about['data_name']}, frozen test", metric_type=about["metric_type"],
            metric_name=f"{about['metric_name']}, {row['file']}" if kind == "gguf" else None,
            metric_value=round(row["all"], 1), metric_args={
                "interval": [round(row["all_low"], 1), round(row["all_high"], 1)], "level": 0.95, "questions": row["items"],
            },
        )
        for row in measured
    ]  # fmt: skip
    name = licence(base, run.data, run.task)[0]
    card = ModelCardData(
        base_model=base, base_model_relation=_RELATION[kind], library_name=_LIBRARY[kind], datasets=datasets,
        license=name, license_name="not-stated" if name == "other" else None,
        language=about["language"], pipeline_tag="text-generation",
        tags=[*about["tags"], "gguf" if kind == "gguf" else "lora"], model_name=repo_id.split("/")[-1], eval_results=results,
    )  # fmt: skip
    text = f"---\n{card.to_yaml()}\n---\n\n"
    ModelCard(text)  # ValueError for what the Hub's own reader would not take
    return text


def _usage(run: Run, repo_id: str, kind: str, shown: dict, messages: Sequence[Message]) -> str:
    code = snippet(run.profile, repo_id, kind, shown.get("file", ""), messages)
    if kind != "gguf":
        return code
    name = f"forge-{run.task.rpartition('.')[2]}"
    return f"```bash\nollama create {name} -f Modelfile\nollama run {name}\n```\n\nOr in Python:\n\n{code}"
