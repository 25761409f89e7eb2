"""What would leave the machine unseen, and what only looks as if."""

import os
import socket
import time
from pathlib import Path

import pytest

from forge_lib.publishing.leaks import leaks

LONG = "aB3dEfGhIj"
SECRETS = {
    "Hugging Face": f"token: hf_{LONG * 3}",
    "OpenAI, project": f"OPENAI_API_KEY=sk-proj-{LONG * 4}",
    "Anthropic": f"sk-ant-api03-{LONG * 3}",
    "GitHub": "ghp_" + "a1" * 18,
    "GitHub, fine-grained": "github_pat_" + "A1b2" * 10,
    "AWS": "AKIAIOSFODNN7EXAMPLA",
    "Google": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "Slack": "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "encrypted private key": "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "database address": "postgres://ada:s3cr3tpw@db.example.com/x",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "bearer": f'curl -H "Authorization: Bearer {LONG * 3}"',
    "password": 'password = "hunter2horse"',
    "Weights & Biases": "WANDB_API_KEY=" + "0a1b" * 10,
}
HOMES = {
    "Linux": "see /home/ada/x", "bare": "/home/ada", "macOS": "`/Users/ada/forge`", "root": "/root/.cache/huggingface",
    "Windows": r"C:\Users\ada\x", "in JSON": r"C:\\Users\\ada\\x", "forward": "C:/Users/ada", "address": "file:///home/ada/x",
    "WSL": "/mnt/c/Users/ada/x", "Silverblue": "/var/home/ada/x", "other script": "(/Users/Ада/x)",
}  # fmt: skip
INNOCENT = {
    "an address": "https://example.com/home/ada", "a hash": "sha256 " + "ab12" * 16, "versions": "torch 2.13.0, 127.0.0.1",
    "placeholders": "HF_TOKEN=$HF_TOKEN api_key=${KEY} password: {{ password }}", "prose": "Never write a secret: into a text.",
    "words with sk-": "task-abcdefghijklmnopqrstuvwxyz sk-learn-abcdefghijklmnopqrst", "SQL": "SELECT password FROM users WHERE id = 3",
    "a schema": "users(user_id, password, secret_key) [user_id->people.id]", "vocabulary": '"password": 8899, "secret": 12345678',
    "the course's advice": "Set push=True and HF_TOKEN to upload.", "code": "os.environ['OPENAI_API_KEY']",
}  # fmt: skip


def kinds(folder: Path) -> list[str]:
    return [str(leak) for leak in leaks(folder)]


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "config.yaml", "chat_template.jinja", "Modelfile"])
@pytest.mark.parametrize("text", [*SECRETS.values(), *HOMES.values()], ids=[*SECRETS, *HOMES])
def test_a_secret_or_a_home_is_found_in_any_text_with_its_line(tmp_path, name, text):
    (tmp_path / name).write_text(f"one\ntwo\n{text}\nfour\n", encoding="utf-8")
    assert kinds(tmp_path) and all(kind.startswith(f"{name}, line 3: ") for kind in kinds(tmp_path))
    assert not any(word in "".join(kinds(tmp_path)) for word in (LONG, "hunter2", "ada"))


@pytest.mark.parametrize("text", INNOCENT.values(), ids=INNOCENT)
def test_what_only_looks_like_a_secret_passes(tmp_path, text):
    for name in ("README.md", "tokenizer.json", "adapter_config.json", "chat_template.jinja"):
        (tmp_path / name).write_text(text)
    assert kinds(tmp_path) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_another_encoding_hides_nothing(tmp_path, encoding):
    (tmp_path / "notes").write_bytes(f"Größe\nhf_{LONG * 3}".encode(encoding))
    assert len(kinds(tmp_path)) == 1


def test_the_texts_in_a_binary_file_are_searched(tmp_path):
    """transformers' training_args.bin holds the Hub's token and the output folder."""
    import torch

    torch.save({"hub_token": "hf_" + LONG * 3, "output_dir": "/home/ada/x"}, tmp_path / "training_args.bin")
    assert len(kinds(tmp_path)) == 2


NAMES = [".env", ".env.local", "prod.env", ".netrc", "id_ed25519", "server.pem", "tls.key", ".git/config",
         ".ssh/known_hosts", "mlruns/0/meta.yaml", "all.zip", "data.tar.gz", "deep/down/.npmrc"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_private_by_name_are_refused_unread(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("nothing in it")
    assert [kind.split(":")[0] for kind in kinds(tmp_path)] == [name]


def test_what_is_no_plain_file_is_named_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert [kind.split(":")[0] for kind in kinds(tmp_path)] == ["dangling", "folder", "link", "pipe"]
    assert kinds(tmp_path / "folder") == ["folder: a link; links are not followed, put the file itself there"]


def test_the_machines_own_secrets_and_folders_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "swordfish-and-more")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false-and-longer")
    (tmp_path / "a.txt").write_text("x\nswordfish-and-more false-and-longer")
    (tmp_path / "b.txt").write_text(f"made in {Path.cwd()}")
    assert kinds(tmp_path)[0] == "a.txt, line 2: the value of MY_SERVICE_TOKEN"
    assert kinds(tmp_path)[1].startswith("b.txt, line 1: ") and len(kinds(tmp_path)) == 2


@pytest.mark.parametrize("name", ["/content/base", "../base", "runs/default/base", "./base", "C:\\base"])
def test_a_base_named_by_a_folder_is_found(tmp_path, name):
    import json

    for field in ("base_model_name_or_path", "_name_or_path"):
        (tmp_path / "config.json").write_text(json.dumps({"r": 8, field: name}, indent=1))
        assert kinds(tmp_path)[0].startswith("config.json, line 3: ")
        (tmp_path / "config.json").write_text(json.dumps({"r": 8, field: "Qwen/Qwen3-8B"}))
        assert kinds(tmp_path) == []


def test_the_courses_own_tokenizer_passes_in_seconds_and_offline(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    tokenizer.save_pretrained(tmp_path)
    began = time.process_time()
    assert kinds(tmp_path) == []
    assert time.process_time() - began < 10
