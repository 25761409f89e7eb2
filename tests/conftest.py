"""Fixtures: tiny models and databases made in memory, and the reasons for which a test is skipped."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, at the first import of huggingface_hub

from forge_lib.tasks.sql.dataset import DataSet  # noqa: E402
from forge_lib.tasks.sql.pairs import Pair  # noqa: E402


def pytest_collection_modifyitems(items):
    """Skip `gpu` and `spider` tests where the machine lacks what they need, and say what that is; the longest goes first."""
    import torch

    items.sort(key=lambda item: "whole_course" not in item.name)  # at the end the other process would wait for it
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA GPU on this machine"))
        if "spider" in item.keywords and not os.environ.get("FORGE_SPIDER_DIR"):
            item.add_marker(pytest.mark.skip(reason="FORGE_SPIDER_DIR does not name a Spider folder"))


SCRIPT = """
CREATE TABLE authors (author_id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
CREATE TABLE books (book_id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES authors(author_id), title TEXT, price REAL);
INSERT INTO authors VALUES (1, 'Ada', 1900), (2, 'Bo', 1950), (3, 'Cy', NULL);
INSERT INTO books VALUES (1, 1, 'One', 10.0), (2, 1, 'Two', 12.5), (3, 2, 'Three', 0.1), (4, 2, 'Four', 0.2);
"""

PAIRS = [
    Pair("l-1", "library", "How many books are there?", "SELECT COUNT(*) FROM books", "easy", "seen"),
    Pair("l-2", "library", "Titles from cheapest to dearest", "SELECT title FROM books ORDER BY price", "easy", "seen"),
    Pair("l-3", "library", "Which authors wrote nothing?",
         "SELECT name FROM authors WHERE author_id NOT IN (SELECT author_id FROM books)", "hard", "unseen"),
]  # fmt: skip


@pytest.fixture
def library(tmp_path) -> DataSet:
    """A data set over one small database in Spider's layout; every split holds the same three pairs."""
    path = tmp_path / "database" / "library" / "library.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(SCRIPT)
    connection.close()
    return DataSet("library", tmp_path / "database", list(PAIRS), list(PAIRS), list(PAIRS))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function: the folder that `make(folder)` fills, one for all workers of `-n`: what takes a minute is made once."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker in which it failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def tokenizer():
    """The embedded model's tokenizer."""
    from forge_lib.lab.profiles import PROFILES
    from forge_lib.models.load import load_tokenizer

    return load_tokenizer(PROFILES["cpu"])


@pytest.fixture
def shallow_base(made_once, monkeypatch):
    """Processes of this test find four of the embedded base's thirty layers in their cache: its weights, shapes and vocabulary.

    Every cell runs as it does with all thirty, in a fraction of the time; what the model answers means nothing on `smoke` either way.
    """
    monkeypatch.setenv("FORGE_CACHE", str(made_once("shallow", _cut_to_four_layers)))


def _cut_to_four_layers(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    from forge_lib import CACHE
    from forge_lib.lab.profiles import PROFILES
    from forge_lib.models.load import base_dir

    whole = Path(base_dir(PROFILES["smoke"]))
    cut = folder / "models" / whole.name
    shutil.copytree(whole, cut, ignore=shutil.ignore_patterns("*.safetensors"))
    model = AutoModelForCausalLM.from_pretrained(whole, dtype="auto")
    model.model.layers = model.model.layers[:4]
    model.config.num_hidden_layers = 4
    model.save_pretrained(cut)
    for kept in CACHE.iterdir():
        if kept.name != "models":
            (folder / kept.name).symlink_to(kept)


@pytest.fixture(scope="session")
def random_llama(tokenizer):
    """A function: a random Llama of two narrow layers with the real vocabulary, in fp32, with other options if given."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id,
             "pad_token_id": tokenizer.pad_token_id}  # fmt: skip

    def make(**options):
        torch.manual_seed(0)
        return LlamaForCausalLM(LlamaConfig(**shape | options)).eval()

    return make


@pytest.fixture
def tiny_llama(random_llama):
    """The plain one."""
    return random_llama()


@pytest.fixture(scope="session")
def go_rendered():
    """A function: what Ollama makes of messages by a Go template, as far as `go_template` writes them."""

    def rendered(template: str, messages: list[dict]) -> str:
        if "range" not in template:
            system, prompt = (m["content"] for m in messages)
            text = template.replace("{{ .System }}", system).replace("{{ .Prompt }}", prompt)
            return text.replace('{{ "{{" }}', "{{")
        body, _, tail = template.removeprefix("{{- range .Messages }}").rpartition("{{ end }}")
        by_role = re.fullmatch(
            r'{{ if eq .Role "system" }}(.*){{ else if eq .Role "user" }}(.*){{ else }}(.*){{ end }}', body, re.S
        )
        bodies = dict(zip(("system", "user", "assistant"), by_role.groups(), strict=True)) if by_role else {}
        turns = [
            bodies.get(m["role"], body).replace("{{ .Role }}", m["role"]).replace("{{ .Content }}", m["content"])
            for m in messages
        ]
        return "".join(turns) + tail

    return rendered


@pytest.fixture
def spider_dir() -> Path:
    """The Spider folder that FORGE_SPIDER_DIR names."""
    return Path(os.environ["FORGE_SPIDER_DIR"])
