"""What `forge_instructions.yaml` asks Python for: the items, and the verdict of the course's own scorer."""

from __future__ import annotations

import json

from forge_lib.evaluation import capability


def dataset(**_) -> dict:
    """The instructions as lm-eval's one part, "test". The checks travel as JSON: their parameters differ by item."""
    from datasets import Dataset

    rows = [{**item, "checks": json.dumps(item["checks"])} for item in capability.load_instructions()]
    return {"test": Dataset.from_list(rows)}


def process_results(doc: dict, results: list[str]) -> dict:
    """1 where the answer does what is asked, else 0: `instruction_fault` decides, as everywhere in the course."""
    item = {**doc, "checks": json.loads(doc["checks"])}
    return {"acc": float(not capability.instruction_fault(item, results[0]))}
