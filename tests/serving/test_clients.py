"""What is printed for a client is JSON that starts this server from any folder."""

import json
import os
import shlex
import sys

import pytest

from forge_lib import ROOT
from forge_lib.serving import ServingError
from forge_lib.serving.clients import CLIENTS, advice, configuration, server_name


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("FORGE_RUNS", "FORGE_CACHE", "FORGE_PROFILE", "FORGE_ENGINE"):
        monkeypatch.delenv(name, raising=False)


def entry(client, file, **options) -> dict:
    [servers] = configuration(client, file, **options).values()
    [found] = servers.values()
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_paths_are_absolute_and_the_interpreter_is_this_one(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my shop.db").touch()
    found = entry(client, (tmp_path / "my shop.db").relative_to(tmp_path), model="model.gguf")
    assert found["command"] == sys.executable and os.path.isabs(found["command"])
    assert found["args"] == ["-m", "forge_lib.serving.mcp", "--db", str(tmp_path / "my shop.db"),
                             "--model", str(tmp_path / "model.gguf")]  # fmt: skip
    assert found["env"] == {"PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(("client", "key"), [("claude-code", "mcpServers"), ("claude-desktop", "mcpServers"), ("vscode", "servers")])  # fmt: skip
def test_servers_stand_where_the_client_looks(client, key, tmp_path):
    assert configuration(client, tmp_path / "a.db").keys() == {key}


@pytest.mark.parametrize("model", ["base", "run:default"])
def test_names_of_models_are_no_paths(tmp_path, model):
    assert entry("vscode", tmp_path / "a.db", model=model, profile="cpu")["args"][-4:] == ["--model", model, "--profile", "cpu"]  # fmt: skip


def test_what_the_shell_sets_for_the_course_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", "elsewhere")
    monkeypatch.setenv("FORGE_PROFILE", "")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert entry("claude-code", tmp_path / "a.db")["env"] == {"PYTHONPATH": str(ROOT), "FORGE_RUNS": "elsewhere"}


def test_a_running_server_is_named_by_its_url(tmp_path):
    assert entry("claude-code", tmp_path / "a.db", port=8765) == {"type": "http", "url": "http://127.0.0.1:8765/mcp"}
    with pytest.raises(ServingError, match="leave out --http"):
        configuration("claude-desktop", tmp_path / "a.db", port=8765)
    with pytest.raises(ServingError, match="fixed port"):
        configuration("vscode", tmp_path / "a.db", port=0)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_command_beside_it_holds_the_same_server(client, tmp_path):
    file = tmp_path / "it's a shop.db"
    text = advice(client, configuration(client, file))
    assert text.startswith("Belongs into ")
    if client == "claude-desktop":
        assert "Or run" not in text
        return
    *command, last = shlex.split(text.partition("Or run: ")[2])
    assert command == {"claude-code": ["claude", "mcp", "add-json", server_name(file)], "vscode": ["code", "--add-mcp"]}[client]  # fmt: skip
    assert {k: v for k, v in json.loads(last).items() if k != "name"} == entry(client, file)


@pytest.mark.parametrize("stem", ["a" * 200, "...", "ünï cöde", "a/b", "--"])
def test_a_server_has_a_name_that_clients_take(tmp_path, stem):
    name = server_name(tmp_path / f"{stem}.db")
    assert name.isascii() and name.replace("-", "").replace("_", "").isalnum() and len(name) < 60
