"""Configurations by which Claude Code, Claude Desktop and VS Code start the MCP server, or find it where it runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

from forge_lib import ROOT
from forge_lib.models import BASE, READY_MADE
from forge_lib.serving import ServingError

SERVER = "forge_lib.serving.mcp"
PATH = "/mcp"  # of the server's URL
_PASSED_ON = (
    "FORGE_RUNS",
    "FORGE_CACHE",
    "FORGE_PROFILE",
    "FORGE_ENGINE",
)  # a client starts servers without your shell
# By client: under which name its file lists servers, and where that file is.
CLIENTS = {
    "claude-code": ("mcpServers", ".mcp.json in the folder where you work"),
    "claude-desktop": ("mcpServers", "claude_desktop_config.json (Settings, Developer, Edit Config)"),
    "vscode": ("servers", ".vscode/mcp.json in the folder where you work"),
}


def configuration(
    client: str, file: Path, model: str | None = None, profile: str = "auto", port: int | None = None
) -> dict:
    """What the file of `client` (one of `CLIENTS`) holds for the server on `file`.

    With this interpreter and absolute paths, for a client starts the server from anywhere; with `port` the URL of a
    server that already runs. Raises ServingError for a client that cannot be told of one.

    >>> configuration("vscode", Path("shop.sqlite"), port=8765)
    {'servers': {'forge-shop': {'type': 'http', 'url': 'http://127.0.0.1:8765/mcp'}}}
    """
    if client == "claude-desktop" and port is not None:
        raise ServingError("Claude Desktop's file names servers that it starts itself: leave out --http.")
    if port == 0:
        raise ServingError("A configuration names a fixed port: give --http one, such as 8765.")
    key, _ = CLIENTS[client]
    entry = (
        _command(file, model, profile) if port is None else {"type": "http", "url": f"http://127.0.0.1:{port}{PATH}"}
    )
    return {key: {server_name(file): entry}}


def advice(client: str, found: dict) -> str:
    """Where the configuration belongs, and the command that puts it there, where the client has one."""
    key, place = CLIENTS[client]
    [(name, entry)] = found[key].items()
    command = {
        "claude-code": ["claude", "mcp", "add-json", name, json.dumps(entry, ensure_ascii=False)],
        "vscode": ["code", "--add-mcp", json.dumps({"name": name, **entry}, ensure_ascii=False)],
    }.get(client)
    return f"Belongs into {place}." + (f" Or run: {shlex.join(command)}" if command else "")


def server_name(file: Path) -> str:
    """What a client calls the server on `file`: letters, digits, - and _ only.

    >>> server_name(Path("my shop.sqlite")), server_name(Path("библиотека.sqlite"))
    ('forge-my-shop', 'forge-database')
    """
    return "forge-" + (re.sub(r"[^A-Za-z0-9_]+", "-", file.stem).strip("-")[:40] or "database")


def _command(file: Path, model: str | None, profile: str) -> dict:
    args = ["-m", SERVER, "--db", os.path.abspath(file)]
    if model is not None:
        named = model in (BASE, READY_MADE) or model.startswith("run:")
        args += ["--model", model if named else os.path.abspath(os.path.expanduser(model))]
    if profile != "auto":
        args += ["--profile", profile]
    env = {"PYTHONPATH": str(ROOT)} | {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    return {"type": "stdio", "command": sys.executable, "args": args, "env": env}
