"""`python -m forge_lib.serving.demo`: the tuned model and its base in the browser, on the course's databases and yours."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.items import DataError
from forge_lib.lab.files import RunError, beside, sweep
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import PROFILES, ProfileError, get_profile
from forge_lib.lab.runs import run_folder
from forge_lib.models import BASE, READY_MADE
from forge_lib.models.embedded import ModelError
from forge_lib.models.opening import run_file
from forge_lib.serving import ServingError
from forge_lib.serving.model import Model, open_model
from forge_lib.serving.ports import listen, unusable
from forge_lib.serving.uploads import CSV, MAX_MB, take_upload
from forge_lib.tasks.sql.assistant import Assistant
from forge_lib.tasks.sql.sources.course import load_course

_PORT, _HOST = 7860, "127.0.0.1"
_DEFAULT_RUN = "default"
_NO_RUN = (
    "There is no model of yours yet, so the one that comes with the course answers beside its base: `make course` trains "
    "another, and --model takes one that is there."
)
_MAX_EXAMPLES, _MAX_EXAMPLE = 4, 60  # a database's questions to try, and the characters of one


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    tuned = parser.add_mutually_exclusive_group()
    tuned.add_argument("--run", help=f"the run whose GGUF answers (default: {_DEFAULT_RUN}, where there is one)")
    tuned.add_argument("--model", help="run:NAME, a .gguf file, a folder with an adapter, course or base")
    parser.add_argument(
        "--db", type=Path, help="a SQLite or CSV file of yours, of any size; a SQLite file is read in place"
    )
    parser.add_argument("--profile", default="auto", help=f"whose base answers: {', '.join(PROFILES)} (default: auto)")
    parser.add_argument("--port", type=whole_number(1, 65535), default=_PORT)
    parser.add_argument("--host", default=_HOST, help="0.0.0.0 lets other machines in, and then everybody may upload")
    parser.add_argument("--about", default="", help="a sentence of yours on the model, to stand under its name")
    parser.add_argument(
        "--public", action="store_true", help="a page for others: it says that files go to a server, and has no thumbs"
    )
    return parser


def main(given: list[str] | None = None) -> int:
    """Command line; returns the exit status: 0 after Ctrl-C, 2 where something is the matter, in a sentence."""
    options = arguments().parse_args(given)
    try:
        listen(options.host, options.port).close()  # before models are loaded; the page takes it again
        with upload_folder() as folder:
            databases, examples = offered(options.db, folder)
            models, remark = contenders(options.run, options.model, options.profile, options.about)
            review_file = None
            if not options.public:
                review_file = run_folder(options.run or _DEFAULT_RUN) / "own" / "decisions.jsonl"
            with serving(models, databases, folder, review_file, examples, remark, options.host, options.port) as url:
                print(f"The demo is at {url} ; Ctrl-C ends it.", flush=True)
                _wait()
            for model in models:
                model.retire()
    except (DataError, ProfileError, RunError, ServingError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped before the page was up.", file=sys.stderr)
        return 130
    print("\nThe demo has ended, and the uploads are deleted.")
    return 0


@contextlib.contextmanager
def upload_folder() -> Iterator[Path]:
    """A folder for what visitors upload, gone at the end; one that a killed demo left goes at the next start."""
    sweep(CACHE / "demo")
    folder = beside(CACHE / "demo" / "uploads")
    folder.mkdir(parents=True)
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
    try:
        yield folder
    finally:
        os.environ.pop("GRADIO_TEMP_DIR") if before is None else os.environ.update(GRADIO_TEMP_DIR=before)
        shutil.rmtree(folder, ignore_errors=True)


def offered(own: Path | None, folder: Path) -> tuple[dict[str, Path], dict[str, list[str]]]:
    """The databases to choose from, your own first, then those that no training saw; and questions to try on each.

    Raises DataError where your file is no database.
    """
    databases = {}
    if own is not None:
        own = Path(os.path.expanduser(own))
        if not os.path.isfile(own):
            raise DataError(f"There is no file {own.name[-80:]}. Give --db the path of a SQLite or CSV file.")
        file = take_upload(own, folder, float("inf")) if own.suffix.lower() in CSV else own
        with Assistant(file) as assistant:
            assistant.schema()
        databases[f"{own.stem} (yours)"] = file
    course = load_course()
    pairs = [p for _, part in course.splits() for p in part]
    unseen = {p.db_id for p in pairs if p.part == "unseen"}
    names = sorted({p.db_id for p in pairs}, key=lambda name: (name not in unseen, name))
    plain = [
        p for p in pairs if not p.wording and p.difficulty in ("easy", "medium") and len(p.question) <= _MAX_EXAMPLE
    ]
    examples = {name: [p.question for p in plain if p.db_id == name][:_MAX_EXAMPLES] for name in names}
    return databases | {name: course.database(name) for name in names}, examples


def contenders(run: str | None, model: str | None, profile: str = "auto", about: str = "") -> tuple[list[Model], str]:
    """The models side by side, the tuned one first; and a sentence for the page where it is the one that comes with the course.

    about: what the page says of the tuned one, where that is not what its run says of it.
    Raises ServingError where the run or model that was named is not there.
    """
    chosen, remark = get_profile(profile)[0], ""
    which = model or f"run:{run or _DEFAULT_RUN}"
    if which.startswith("run:"):
        try:
            chosen = run_file(which.removeprefix("run:"))[2]
        except ModelError as error:
            if run or model:
                raise ServingError(str(error)) from error
            which, remark = READY_MADE, _NO_RUN
    if which == READY_MADE:
        chosen = get_profile("cpu")[0]  # its base, beside which it answers
    tuned = [open_model(which, chosen)] if which != BASE else []  # first: what was named may not be there
    if tuned and about:
        tuned[0].about = about
    return [*tuned, open_model(BASE, chosen)], remark


@contextlib.contextmanager
def serving(
    models: Sequence[Model], databases: Mapping[str, Path], folder: Path, review_file: Path | None,
    examples: Mapping[str, Sequence[str]] | None = None, remark: str = "", host: str = _HOST, port: int = _PORT,
    max_mb: float = MAX_MB,
) -> Iterator[str]:  # fmt: skip
    """Serve the page while the block runs; gives its address. Raises ServingError where the port is in use.

    The arguments are those of `page.build_page`.
    """
    import gradio as gr

    from forge_lib.serving.page import CSS, FONTS, build_page

    page, sessions = build_page(models, databases, folder, review_file, examples, remark, max_mb)
    theme = gr.themes.Default(primary_hue="blue", font=FONTS[0], font_mono=FONTS[1])
    try:
        try:
            _, url, _ = page.launch(
                server_name=host, server_port=port, prevent_thread_lock=True, quiet=True, inbrowser=False, share=False,
                max_file_size=int(max_mb * 2**20), theme=theme, css=CSS, footer_links=[], run_history=False,
                enable_monitoring=False, ssr_mode=False, mcp_server=False, pwa=False,
            )  # fmt: skip
        except OSError as error:  # taken since it was looked at
            raise unusable(host, port, error) from error
        yield url
    finally:
        page.close(verbose=False)
        sessions.close()


def _wait() -> None:
    """Sleep until Ctrl-C, SIGTERM or a closed terminal; then return, so that uploads are deleted."""
    numbers = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
    done = threading.Event()
    before = {n: signal.signal(n, lambda *_: done.set()) for n in numbers}
    try:
        while not done.wait(0.5):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
