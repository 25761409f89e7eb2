"""`python -m forge_lib.prepare`: what an installation makes once, so that everything after it works offline.

Unpacks the embedded model, builds the databases of the course's task and fetches llama.cpp's converter.
"""

from forge_lib.export.gguf import converter
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.load import base_dir
from forge_lib.tasks import COURSE, get


def main() -> None:
    """Make everything; each part is skipped where it is there already."""
    converter()
    base_dir(PROFILES["cpu"])
    get(COURSE).prepare()
    print("Ready: the model is unpacked, the databases are built, the GGUF converter is here.")


if __name__ == "__main__":
    main()
