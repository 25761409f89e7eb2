"""The grade of an order: half of it for JSON with the right keys."""

import json
import re

from forge_lib.tasks import GoldError, Score


def grade(text: str, gold: str, strict: bool) -> Score:
    """`strict`: the text is the object and nothing else."""
    try:
        wanted = json.loads(gold)
    except ValueError as error:
        raise GoldError(f"The gold is no JSON ({error}): {gold}") from error
    found = re.fullmatch(r"\s*(\{.*\})\s*", text, re.S) if strict else re.search(r"(\{.*\})", text, re.S)
    predicted = found[1] if found else ""
    try:
        got = json.loads(predicted)
    except ValueError as error:
        return Score("no JSON", 0.0, str(error), valid=False, predicted=predicted)
    if got == wanted:
        return Score("correct", 1.0, predicted=predicted)
    return Score(
        "wrong value" if got.keys() == wanted.keys() else "wrong keys",
        0.5 * (got.keys() == wanted.keys()),
        predicted=predicted,
    )
