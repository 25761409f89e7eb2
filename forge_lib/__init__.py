"""The library behind the FORGE course: what two notebooks share, or what would bury a lesson.

Data flows one way: ground floor (profiles, runs, chat, endpoint, attention, fused, models) → tasks → data → lora → training
→ evaluation → export → publishing → analysis. A later stage imports earlier ones, never the reverse.
"""

import os
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parent.parent  # the checkout: data/, notebooks/, runs/
CACHE = Path(os.environ.get("FORGE_CACHE", ROOT / ".cache"))  # what can be made again: unpacked weights, databases
