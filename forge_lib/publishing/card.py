"""The model card, every number of it read from the run folder."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from forge_lib.data.course import VERSION
from forge_lib.embedded import describe_base
from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison, compare
from forge_lib.files import RunError, read_jsonl
from forge_lib.models import base_id
from forge_lib.publishing.hub import check_repo_id
from forge_lib.runs import Run

APACHE = (  # bases of the profiles whose cards on the Hub say Apache-2.0, looked up in November 2026
    "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen3-4B-Instruct-2507", "Qwen/Qwen3-8B",
)  # fmt: skip
DATA_LICENCES = {"course": "CC BY 4.0", "spider": "CC BY-SA 4.0", "bird": "CC BY-SA 4.0"}


def model_card(
    run: Run,
    rows: Sequence[dict],
    comparisons: Sequence[Comparison],
    formats: Sequence[dict],
    repo_id: str,
    gguf: bool = False,
) -> str:
    """README.md of the model repository, with the Hub's metadata on top.

    rows: `summary_row`s of the frozen test; comparisons: paired, the shipped model against its base's best first;
    formats: the GGUF table; gguf: the card of the folder of GGUF files, else of the adapter's. A file is shown with the
    score that this very file got. Raises PublishError for an ill-formed repo_id, and RunError where results lack something.
    """
    check_repo_id(repo_id)
    try:
        check_numbers([*rows, *map(vars, comparisons), *formats])
        return _card(run, rows, comparisons, formats, repo_id, gguf)
    except (LookupError, TypeError, AttributeError, ValueError, StopIteration) as error:
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


def licence(base: str, data: str) -> tuple[str, str]:
    """The Hub's id for the licence of what was made, and the reason: it follows from the base's and the data's.

    base: Hub id; data: the run's source ("course", "spider:…", "my:…"). "other" where one of the two is not known, or
    does not let the result go under the base's.

    >>> licence("Qwen/Qwen3-8B", "course")[0], licence("Qwen/Qwen3-8B", "my:shop")[0]
    ('apache-2.0', 'other')
    """
    made_from = f"base: {'Apache-2.0' if base in APACHE else 'look it up on its card'}"
    made_from += f"; training data: {DATA_LICENCES.get(data.partition(':')[0], 'not stated')}"
    if base in APACHE and data == "course":
        return "apache-2.0", f"Apache-2.0, as the base's; this is a derived work of it ({made_from})."
    return (
        "other",
        f"not stated ({made_from}). Whoever publishes this must say under which licence, and may have to ask.",
    )


def format_prices(folder: Path, formats: Sequence[dict]) -> list[Comparison]:
    """Each quantized file against the first (F16) on the same questions: gained, lost, interval, McNemar's p.

    folder: of the run. Empty where its answers were not kept. A file that lost answers is never called lossless: what is
    not significant is only not shown.
    """
    files = [folder / "export" / f"{f['format']}.jsonl" for f in formats]
    if not all(file.exists() for file in files):
        return []
    first, *others = (read_jsonl(file, "Run notebook 07_quantization again.") for file in files)
    return [compare(first, records) for records in others]


def _card(
    run: Run, rows: Sequence[dict], comparisons: Sequence[Comparison], formats: Sequence[dict], repo_id: str, gguf: bool
) -> str:
    profile, gain = run.profile, comparisons[0]
    base = base_id(profile)
    tuned = next(r for r in rows if r["contender"] == gain.second)
    shown = shipped_file(run, formats) if gguf else tuned
    versions = run.config("sft")["versions"]  # those of the training; later notebooks may run under others
    measured = f"the file `{shown['file']}`" if gguf else "it"
    quantized = "\n".join(
        f"| `{f['file']}` | {f['format']} | {f['megabytes']:.0f} | {f['all']:.1f} [{f['all_low']:.1f}, {f['all_high']:.1f}] "
        f"| {100 * f['finished']:.0f} | {f['tokens_per_second']:.0f} | `{f['sha256'][:12]}…` |"
        for f in formats
    )
    return f"""{_metadata(base, repo_id, formats if gguf else [tuned], gguf, run.data)}
# {repo_id.split("/")[-1]}

A LoRA adapter (rank {profile.lora_rank}, {gain.second}) that makes `{base}` translate {_language(run.data)}questions into SQLite
queries{", merged into its base as GGUF files" if gguf else ""}. Trained with the FORGE course: profile
`{profile.name}`, seed {run.seed}. {_base_statement(profile.base_model, gguf)}

## What it is good for, and what not

It answers questions about small SQLite databases whose schema stands in the prompt. On {shown["items"]} frozen test
questions {measured} was right {_percent(shown, "all")} of the time, on schemas it never saw {_percent(shown, "unseen")}. **It is wrong
on {100 - shown["all"]:.0f}% of them, often with a query that runs** ({shown["valid_sql"]:.0f}% of its answers run): a teaching model,
not a product. Read the SQL before you believe a number, and run it read-only, in a sandbox.

## Results on the frozen test

Execution accuracy in percent, greedy, one attempt, with 95% intervals ({tuned.get("interval_note", gain.note) or "over databases"}). "strict": the answer
is one statement and nothing else. "runs": SQLite accepts the query.{" These rows are of the model in PyTorch, before it was made files." if gguf else ""}

{result_table(rows).reset_index().to_markdown(index=False, disable_numparse=True)}

{chr(10).join(f"- {c}" for c in comparisons)}

## Files

Every GGUF file was reloaded by llama.cpp and asked the same questions, with the same scorer. "stops": ended by itself.

| file | format | MB | accuracy (%) | stops (%) | tokens/s | SHA-256 |
|---|---|---|---|---|---|---|
{quantized}

{chr(10).join(f"- {p}" for p in format_prices(run.dir, formats))}

## How to use it

{_usage(base, repo_id, gguf)}

The prompt is one system message (the instruction, `Tables:`, one line `table(column, …) [key->table.column]` a table)
and one user message (the question). Another prompt is another model: it was not measured.

## Limits

- Test and training questions come from the same source, so real users' questions are further away than these.
- One seed of one training run: the intervals cover the choice of questions, not of the seed.
- {_scope(run.data)} Other languages, dialects and larger schemas were not measured.
- No safety tuning was done, and none was measured; what the base says to anything but SQL, this model may say too.
- A query may read anything in the database. Permissions belong in the database, not in the prompt.

## How it was made

{_data_statement(run)} The checkpoint and the adapter that ships were chosen on validation. Loss on answer tokens only,
learning rate {profile.learning_rate:g} with a cosine, {profile.sft_passes:g} passes with schema augmentation.

Licence: {licence(base, run.data)[1]}

Versions: {", ".join(f"{k} {v}" for k, v in versions.items() if v != "absent")}.
"""


def shipped_file(run: Run, formats: Sequence[dict]) -> dict:
    """The row of the file that the run's Modelfile names; without one, of the file that scored least."""
    modelfile = run.path("export", "Modelfile")
    text = modelfile.read_text(encoding="utf-8") if modelfile.exists() else ""
    named = re.search(r"^FROM \./(\S+)$", text, re.M)
    return next((f for f in formats if named and f["file"] == named[1]), min(formats, key=lambda f: f["all"]))


def _language(data: str) -> str:
    return "" if data.startswith("my") else "English "


def _scope(data: str) -> str:
    if data.startswith("my"):
        return "Only questions and schemas like those of its own data were asked."
    return "English and SQLite only, schemas of a few tables."


def _base_statement(base_model: str, gguf: bool) -> str:
    described = describe_base(base_model)
    if described == base_model:
        return ""
    other = "" if gguf else " On the Hub's own weights of that name this adapter was not measured."
    return f"The base was {described}.{other}"


def _data_name(data: str) -> str:
    return f"FORGE course v{VERSION}" if data == "course" else data


def _data_statement(run: Run) -> str:
    if run.data != "course":
        return (f"Data: {run.data}, in the splits that the course draws. Name its authors, its licence and who is in it "
                "before you publish this.")  # fmt: skip
    return (
        f"Data: the course's own pairs, version {VERSION}, written (or sampled from schemas by a program and then worded) and "
        "reviewed by language models under human direction, no personal data (datasheet: `data/README.md` of the course; "
        "CC BY 4.0). The test was frozen, with hashes, before any training."
    )


def _percent(row: dict, part: str) -> str:
    if part not in row:
        return "not measured"
    return f"{row[part]:.1f}% [{row[part + '_low']:.1f}, {row[part + '_high']:.1f}]"


def _metadata(base: str, repo_id: str, measured: Sequence[dict], gguf: bool, data: str) -> str:
    """The YAML block that the Hub reads (https://huggingface.co/docs/hub/model-cards): one result a file of its own."""
    from huggingface_hub import EvalResult, ModelCardData

    kind = data.partition(":")[0]
    results = [
        EvalResult(
            task_type="text-generation", task_name="text-to-SQL", dataset_type=f"forge-{kind}",
            dataset_name=f"{_data_name(data)}, frozen test", metric_type="execution_accuracy",
            metric_name=f"execution accuracy, {row['file']}" if gguf else None, metric_value=round(row["all"], 1),
        )
        for row in measured
    ]  # fmt: skip
    name = licence(base, data)[0]
    card = ModelCardData(
        base_model=base, base_model_relation="quantized" if gguf else "adapter", library_name="gguf" if gguf else "peft",
        license=name, license_name="not-stated" if name == "other" else None,
        language=None if kind == "my" else "en", pipeline_tag="text-generation",
        tags=["text-to-sql", "sqlite", "gguf" if gguf else "lora"], model_name=repo_id.split("/")[-1],
        eval_results=results,
    )  # fmt: skip
    return f"---\n{card.to_yaml()}\n---\n"


def _usage(base: str, repo_id: str, gguf: bool) -> str:
    if gguf:
        return "```bash\nollama create forge-sql -f Modelfile\nollama run forge-sql\n```"
    return f"""```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{repo_id}")
tokenizer = AutoTokenizer.from_pretrained("{repo_id}")
```"""
