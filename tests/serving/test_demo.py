"""The demo's command line: what it offers, and how it ends where something is the matter."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from forge_lib import ROOT
from forge_lib.serving import ServingError
from forge_lib.serving.demo import _NO_RUN, contenders, main, offered, upload_folder
from forge_lib.serving.ports import listen


@pytest.fixture(autouse=True)
def no_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))


@pytest.mark.enable_socket
def test_a_port_in_use_is_named_before_anything_is_loaded(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"demo: Port {port} of 127.0.0.1 cannot be used (") and said.count("\n") == 1
    with listen("127.0.0.1", port), pytest.raises(ServingError, match=f"Port {port} of 127.0.0.1"):
        listen("127.0.0.1", port)
    with pytest.raises(SystemExit):
        main(["--port", "70000"])
    assert "no whole number from 1 to 65535" in capsys.readouterr().err


def test_your_file_comes_first_and_a_csv_file_becomes_a_database(tmp_path):
    (tmp_path / "sales.csv").write_text("city,sold\nLund,3\n")
    (tmp_path / "up").mkdir()
    databases, examples = offered(tmp_path / "sales.csv", tmp_path / "up")
    first, second, *_ = databases
    assert first == "sales (yours)" and databases[first].suffix == ".sqlite"
    assert databases[second].exists() and 1 <= len(examples[second]) <= 4


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "given, sentence",
    [
        (["--db", "nowhere.db"], "There is no file nowhere.db"),
        (["--db", "~nobody-here/nowhere.db"], "There is no file nowhere.db"),
        (["--db", "x" * 300], "There is no file xxx"),
        (["--run", "nothing"], "The run 'nothing' has no model to open. There is no run 'nothing'."),
        (["--model", "nowhere.gguf"], "nowhere.gguf"),
        (["--model", "something"], "There is no model 'something'."),
        (["--profile", "huge"], "There is no profile 'huge'."),
        (["--db", __file__], "test_demo.py is not a SQLite database"),
    ],
)
def test_what_is_not_there_is_named_in_a_sentence(given, sentence, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main([*given, "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("demo: ") and sentence in said and said.count("\n") == 1


def test_where_there_is_no_run_the_adapter_of_the_course_answers_on_its_own_base(monkeypatch):
    opened = []
    monkeypatch.setattr(
        "forge_lib.serving.demo.open_model", lambda which, profile: opened.append(profile.name) or which
    )
    assert contenders(None, None, "smoke") == (["course", "base"], _NO_RUN)
    assert contenders(None, "course", "smoke") == (["course", "base"], "")
    assert opened == ["cpu"] * 4
    assert contenders(None, "base", "smoke") == (["base"], "") and contenders(None, "mine", "smoke") == (
        ["mine", "base"],
        "",
    )
    assert opened[4:] == ["smoke"] * 3


def test_what_a_killed_demo_left_goes_at_the_next_start(monkeypatch, tmp_path):
    monkeypatch.setattr("forge_lib.serving.demo.CACHE", tmp_path)
    left = tmp_path / "demo" / ".uploads.new-999999999-00000000"
    left.mkdir(parents=True)
    with upload_folder() as folder:
        assert folder.is_dir() and not left.exists() and os.environ["GRADIO_TEMP_DIR"].startswith(str(folder))
    assert not folder.exists()


@pytest.mark.slow  # it loads the base in a process of its own: 20 s and more
@pytest.mark.enable_socket
def test_the_command_serves_a_page_and_ends_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "forge_lib.serving.demo", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        try:
            assert f"http://127.0.0.1:{port}/" in demo.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                assert b"FORGE: ask your database" in answer.read()
            demo.send_signal(signal.SIGINT)
            out, err = demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert (demo.returncode, out.strip()) == (0, "The demo has ended, and the uploads are deleted.")
    assert "Traceback" not in err
