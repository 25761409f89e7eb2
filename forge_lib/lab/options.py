"""What command lines share: a whole number within bounds."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable


def whole_number(least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """A `type` for argparse: digits alone, from `least` to `most` (None: without end).

    It raises argparse's error, which ends the command line with a sentence.

    >>> whole_number(1)("12")
    12
    >>> whole_number(0, 65535)("65536")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: '65536' is no whole number from 0 to 65535
    """

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= (int(text) if most is None else most):
            bounds = f"from {least} on" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number {bounds}")
        return int(text)

    return number
