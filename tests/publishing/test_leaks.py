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
    "a word before": f"dop_v1_{LONG * 4}",
    "a short word before": f"ntn_{LONG * 4}",
    "points between": f"dp.pt.{LONG * 4}",
    "numbers between": f"xapp-1-A0123456789-1234567890123-{LONG * 4}",
    "Google, refresh": f"1//0g{LONG * 5}",
    "webhook": f"https://discord.com/api/webhooks/123456789012345678/{LONG * 4}",
    "netrc": "machine h login bob password s3cretpw",
    "npm's own": "_auth=dXNlcjpwYXNzd29yZDEyMzQ=",
    "Docker": '{"auths": {"h": {"auth": "dXNlcjpwYXNzd29yZDEyMzQ="}}}',
    "HTTP basic": "Authorization: Basic dXNlcjpwYXNzd29yZDEyMzQ=",
    "a header": f"x-api-key: {LONG * 3}",
    "in a query": f"https://x.com/?access_token={LONG * 3}",
    "a signature": f"https://a.blob.core.windows.net/c?sv=2020&sig={LONG * 3}%3D",
    "a bus": f"Endpoint=sb://x.net/;SharedAccessKey={LONG * 4}=",
    "cookie": f"Set-Cookie: session={LONG * 3}",
    "Kaggle": '{"username": "bob", "key": "' + "0a1b2c3d" * 4 + '"}',
    "no user": "redis://:p4ssw0rd@h:6379",
    "a driver's scheme": "mysql+pymysql://root:Passw0rd!@10.0.0.1/x",
    "a token as user": f"https://{'a1b2' * 8}@github.com/o/r",
    "tags": "<password>hunter2horse</password>",
    "another language": "passwort: hunter2horse",
    "a hash": "bob:$apr1$ab12$" + LONG * 3,
    "a cluster": "client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF",
}
HOMES = {
    "Linux": "see /home/ada/x", "bare": "/home/ada", "macOS": "`/Users/ada/forge`", "root": "/root/.cache/huggingface",
    "Windows": r"C:\Users\ada\x", "in JSON": r"C:\\Users\\ada\\x", "forward": "C:/Users/ada", "address": "file:///home/ada/x",
    "WSL": "/mnt/c/Users/ada/x", "Silverblue": "/var/home/ada/x", "other script": "(/Users/Ада/x)",
    "network": r"\\server\share\ada", "network, JSON": r"\\\\server\\home$\\ada", "old Windows": r"c:\Documents and Settings\ada",
    "Cygwin": "/cygdrive/c/Users/ada/x", "Git Bash": "/c/Users/ada/x", "cluster": "/gpfs/home/ada/x", "disk": "/Volumes/Ada/x",
    "in a list": "PATH=/usr/bin:/home/ada/bin", "encoded": "path=%2Fhome%2Fada%2Fx", "small": r"c:\users\ada",
}  # fmt: skip
INNOCENT = {
    "an address": "https://example.com/home/ada", "a hash": "sha256 " + "ab12" * 16, "versions": "torch 2.13.0, 127.0.0.1",
    "placeholders": "HF_TOKEN=$HF_TOKEN api_key=${KEY} password: {{ password }}", "prose": "Never write a secret: into a text.",
    "words with sk-": "task-abcdefghijklmnopqrstuvwxyz sk-learn-abcdefghijklmnopqrst", "SQL": "SELECT password FROM users WHERE id = 3",
    "a schema": "users(user_id, password, secret_key) [user_id->people.id]", "vocabulary": '"password": 8899, "secret": 12345678',
    "the course's advice": "Set push=True and HF_TOKEN to upload.", "code": "os.environ['OPENAI_API_KEY']",
    "a named hash": "sha256-" + "ab12" * 16, "special tokens": '{"eos_token": "<|im_end|>", "pad_token": "<|reserved_250|>"}',
    "expressions": r"(?:\\r\\n|\\s+\\p{L})[\\u4e00-\\u9fff]", "shards": "model-00001-of-00002.safetensors", "server": "http://localhost:11434/v1",
    "placeholders of addresses": "postgres://USER:<password>@host/db https://${USER}:${PASS}@h", "relative": "data/home/x ../Users/x",
    "LaTeX": r"a \\ \hline \\alpha", "key of a join": 'foreign_key="orders.customer_id", primary key: user_id, key->users.id',
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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_another_encoding_hides_nothing(tmp_path, encoding):
    (tmp_path / "notes").write_bytes(f"Größe\nhf_{LONG * 3}".encode(encoding))
    assert len(kinds(tmp_path)) == 1


def test_the_texts_in_a_binary_file_are_searched(tmp_path):
    """transformers' training_args.bin holds the Hub's token and the output folder."""
    import torch

    torch.save({"hub_token": "hf_" + LONG * 3, "output_dir": "/home/ada/x"}, tmp_path / "training_args.bin")
    assert len(kinds(tmp_path)) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be"])
def test_a_token_far_inside_a_large_binary_file_is_found(tmp_path, encoding):
    """GGUF keeps texts behind a vocabulary of a megabyte; a block ends within the token."""
    token = ("hf_" + LONG * 3).encode(encoding)
    noise = bytes(range(128, 256)) * (2**24 // 128)
    (tmp_path / "model.gguf").write_bytes(b"GGUF\0" + noise[: -5 - len(token) // 2] + token + noise[:2000])
    assert kinds(tmp_path) == ["model.gguf: Hugging Face token"]


def test_an_archive_is_one_by_its_first_bytes_and_what_lies_open_is_looked_into(tmp_path):
    import gzip
    import io
    import tarfile
    import zipfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(__file__, "x.py")
    (tmp_path / "a.bin").write_bytes(buffer.getvalue())
    (tmp_path / "b.bin").write_bytes(gzip.compress(b"hf_" + LONG.encode() * 3))
    with zipfile.ZipFile(tmp_path / "c.safetensors", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", f"hf_{LONG * 3}")
    with zipfile.ZipFile(tmp_path / "d.pt", "w") as archive:
        archive.writestr("x", f"hf_{LONG * 3}")
    found = [kind.split(",")[0] for kind in kinds(tmp_path)]
    assert found[:3] == [f"{name}: an archive" for name in ("a.bin", "b.bin", "c.safetensors")]
    assert len(found) == 4 and found[3].startswith("d.pt: ")


NAMES = [".bash_history", "terraform.tfvars", "secrets.yaml", "wheel.whl", ".env", ".env.local", "prod.env", ".netrc", "id_ed25519", "server.pem", "tls.key", ".git/config",
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


def test_the_title_that_a_gguf_file_gives_itself_is_no_folder(tmp_path):
    """The embedded base has one, so that no merged model of it could be published."""
    (tmp_path / "config.json").write_text('{"_model_name_or_path": "Smollm2 135M 8k Lc100K Mix1 Ep2"}')
    assert kinds(tmp_path) == []


@pytest.mark.slow
def test_the_courses_own_tokenizer_passes_in_seconds_and_offline(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    tokenizer.save_pretrained(tmp_path)
    began = time.process_time()
    assert kinds(tmp_path) == []
    assert time.process_time() - began < 10
