"""The model card, every number of it read from the run folder."""

from __future__ import annotations

from collections.abc import Sequence

from forge_lib.data.course import VERSION
from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison
from forge_lib.models import base_id
from forge_lib.publishing.hub import check_repo_id
from forge_lib.runs import Run


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
    formats: the GGUF table; gguf: the card of the folder of GGUF files, else of the adapter's.
    """
    check_repo_id(repo_id)
    profile, gain = run.profile, comparisons[0]
    base = base_id(run.profile)
    tuned = next(r for r in rows if r["contender"] == gain.second)
    versions = run.load_json("config.json", "01_setup")["versions"]
    quantized = "\n".join(
        f"| `{f['file']}` | {f['format']} | {f['megabytes']:.0f} | {f['all']:.1f} [{f['all_low']:.1f}, {f['all_high']:.1f}] "
        f"| {100 * f['finished']:.0f} | {f['tokens_per_second']:.0f} | `{f['sha256'][:12]}…` |"
        for f in formats
    )
    return f"""{_metadata(base, repo_id, tuned["all"], gguf, _data_name(run))}
# {repo_id.split("/")[-1]}

A LoRA adapter (rank {profile.lora_rank}, {gain.second}) that makes `{base}` translate English questions into SQLite
queries{", merged into its base as GGUF files" if gguf else ""}. Trained with the FORGE course: profile
`{profile.name}`, seed {run.seed}.

## What it is good for, and what not

It answers questions about small SQLite databases whose schema stands in the prompt. On {tuned["items"]} frozen test
questions it was right {_percent(tuned, "all")} of the time, on schemas it never saw {_percent(tuned, "unseen")}. **It is wrong
on {100 - tuned["all"]:.0f}% of them, often with a query that runs** ({tuned["valid_sql"]:.0f}% of its answers run): a teaching model,
not a product. Read the SQL before you believe a number, and run it read-only, in a sandbox.

## Results on the frozen test

Execution accuracy in percent, greedy, one attempt, with 95% intervals (bootstrap over databases). "strict": the answer
is one statement and nothing else. "runs": SQLite accepts the query.

{result_table(rows).reset_index().to_markdown(index=False, disable_numparse=True)}

{chr(10).join(f"- {c}" for c in comparisons)}

## Files

Every GGUF file was reloaded and asked the same questions, with the same scorer. "stops": ended by itself.

| file | format | MB | accuracy (%) | stops (%) | tokens/s | SHA-256 |
|---|---|---|---|---|---|---|
{quantized}

## How to use it

{_usage(base, repo_id, gguf)}

The prompt is one system message (the instruction, `Tables:`, one line `table(column, …) [key->table.column]` a table)
and one user message (the question). Another prompt is another model: it was not measured.

## Limits

- Test and training questions come from the same source, so real users' questions are further away than these.
- One seed of one training run: the intervals cover the choice of questions, not of the seed.
- English and SQLite only, schemas of a few tables. Other languages, dialects and larger schemas were not measured.
- No safety tuning was done, and none was measured; what the base says to anything but SQL, this model may say too.
- A query may read anything in the database. Permissions belong in the database, not in the prompt.

## How it was made

{_data_statement(run)} The checkpoint and the adapter that ships were chosen on validation. Loss on answer tokens only,
learning rate {profile.learning_rate:g} with a cosine, {profile.sft_passes:g} passes with schema augmentation.

Licence: Apache-2.0, as the base's; the adapter is a derived work of it.

Versions: {", ".join(f"{k} {v}" for k, v in versions.items() if v != "absent")}.
"""


def _data_name(run: Run) -> str:
    return f"FORGE course v{VERSION}" if run.data == "course" else run.data


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


def _metadata(base: str, repo_id: str, accuracy: float, gguf: bool, data_name: str) -> str:
    """The YAML block that the Hub reads (https://huggingface.co/docs/hub/model-cards)."""
    from huggingface_hub import EvalResult, ModelCardData

    result = EvalResult(
        task_type="text-generation", task_name="text-to-SQL", dataset_type="forge-course",
        dataset_name=f"{data_name}, frozen test", metric_type="execution_accuracy", metric_value=round(accuracy, 1),
    )  # fmt: skip
    data = ModelCardData(
        base_model=base, base_model_relation="quantized" if gguf else "adapter", library_name="gguf" if gguf else "peft",
        license="apache-2.0", language="en", pipeline_tag="text-generation",
        tags=["text-to-sql", "sqlite", "gguf" if gguf else "lora"], model_name=repo_id.split("/")[-1],
        eval_results=[result],
    )  # fmt: skip
    return f"---\n{data.to_yaml()}\n---\n"


def _usage(base: str, repo_id: str, gguf: bool) -> str:
    if gguf:
        return "```bash\nollama create forge-sql -f Modelfile\nollama run forge-sql\n```"
    return f"""```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{repo_id}")
tokenizer = AutoTokenizer.from_pretrained("{repo_id}")
```"""
