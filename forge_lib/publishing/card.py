"""The model card, every number of it read from the run folder."""

from __future__ import annotations

from collections.abc import Sequence

from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison
from forge_lib.runs import Run


def model_card(run: Run, rows: Sequence[dict], gain: Comparison, formats: Sequence[dict], repo_id: str) -> str:
    """README.md of the model repository, with the Hub's metadata on top.

    rows: `summary_row`s of the frozen test; gain: the tuned model against its base's best; formats: the GGUF table.
    """
    profile = run.profile
    base = "HuggingFaceTB/SmolLM2-135M-Instruct" if profile.base_model.startswith("embedded:") else profile.base_model
    tuned = next(r for r in rows if r["contender"] == gain.second)
    quantized = "\n".join(
        f"| `{f['file']}` | {f['format']} | {f['megabytes']:.0f} | {f['all']:.1f} | {f['tokens_per_second']:.0f} |"
        for f in formats
    )
    return f"""---
base_model: {base}
library_name: peft
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [text-to-sql, lora, sqlite, gguf]
---

# {repo_id.split("/")[-1]}

A LoRA adapter (rank {profile.lora_rank}) that makes `{base}` translate English questions into SQLite queries,
trained with the FORGE course (profile `{profile.name}`, seed {run.seed}).

## What it is good for, and what not

It answers questions about small SQLite databases whose schema stands in the prompt. On {tuned["items"]} frozen test
questions it was right {tuned["all"]:.1f}% of the time; on schemas it never saw, {tuned["unseen"]:.1f}%. **Most of the rest it gets
wrong, often with a query that runs.** Do not show its numbers to anybody without looking at the SQL, and run the SQL
read-only. It was trained on English and SQLite only; other languages and dialects were not measured.

## Results on the frozen test

Execution accuracy in percent with 95% intervals (bootstrap over databases). "strict": the answer is one statement and
nothing else. "runs": SQLite accepts the query.

{result_table(rows).reset_index().to_markdown(index=False)}

{gain}

## Files

| file | format | MB | accuracy | tokens/s |
|---|---|---|---|---|
{quantized}

## How it was made

Data: the course's own pairs, written and reviewed by language models under human direction; see the course's
`data/README.md`. The test was frozen, with hashes, before any training. Loss on answer tokens only, learning rate
{profile.learning_rate:g} with a cosine, {profile.sft_passes:g} passes with schema augmentation.

Versions: {", ".join(f"{k} {v}" for k, v in run.load_json("config.json", "01_setup")["versions"].items())}.
"""
