"""Whether a model says that the tables do not answer a question when, and only when, they do not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forge_lib.tasks.sql.prompt import says_no_answer


def answerability(records: Sequence[dict]) -> pd.DataFrame:
    """How often "no answer" is said, of the questions that the tables answer and of those that they do not.

    Index "unanswerable" (should be 100%) and "answerable" (should be 0%); columns items, said, percent. A kind that
    does not occur has 0 items and no percent (nan). records: of `forge_lib.evaluation.metrics.evaluate`
    """
    kinds = {"unanswerable": [], "answerable": []}
    for r in records:
        unanswerable = r.get("wording") == "unanswerable" or says_no_answer(r["sql"])
        kinds["unanswerable" if unanswerable else "answerable"].append(says_no_answer(r["predicted"] or ""))
    rows = {kind: {"items": len(said), "said": sum(said), "percent": 100 * sum(said) / len(said) if said else float("nan")}
            for kind, said in kinds.items()}  # fmt: skip
    return pd.DataFrame(rows).T.astype({"items": int, "said": int})
