"""The library behind the FORGE course: what two notebooks share, or what would bury a lesson.

Data flows one way: lab → engine → models → data → tasks → lessons → training → evaluation → export → publishing → serving.
A later room imports earlier ones, never the reverse.
"""

import logging
import os
import sys
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parent.parent  # the checkout: data/, notebooks/, runs/

# Nothing is reported home. Each library reads its variable when it is imported; TRL and transformers heed the Hub's.
SILENT = {
    "DO_NOT_TRACK": "true", "HF_HUB_DISABLE_TELEMETRY": "1", "MLFLOW_DISABLE_TELEMETRY": "true",
    "GRADIO_ANALYTICS_ENABLED": "False", "VLLM_NO_USAGE_STATS": "1",
}  # fmt: skip


def place(variable: str, otherwise: str) -> Path:
    """The folder that an environment variable names, absolute: `~` and `$HOME` are your home, a relative path begins at
    the checkout.

    Unset and empty mean `otherwise`. So a folder is the same for the runner, its kernels and Jupyter.

    >>> place("FORGE_NOWHERE", "runs") == ROOT / "runs"
    True
    """
    given = os.environ.get(variable, "").strip() or otherwise
    return Path(os.path.normpath(ROOT / os.path.expandvars(os.path.expanduser(given))))


CACHE = place("FORGE_CACHE", ".cache")  # what can be made again: unpacked weights, databases

for _name, _value in SILENT.items():
    os.environ.setdefault(_name, _value)
if "huggingface_hub.constants" in sys.modules:  # imported before us, by a cell above
    sys.modules["huggingface_hub.constants"].HF_HUB_DISABLE_TELEMETRY = True

# Where the processor has bfloat16 it remarks, on every start, on a package of kernels that nothing here needs.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
