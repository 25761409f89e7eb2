"""What goes up, comes down and is loaded: the real client against a server of the Hub's protocol, on this machine."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub_server import READER, TOKEN, environment
from huggingface_hub import constants, snapshot_download

from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import grade
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.load import load_adapted
from forge_lib.publishing.hub import PublishError, prepare_folder, publish

pytestmark = pytest.mark.enable_socket
CPU = PROFILES["cpu"]
MB = 2**20


@pytest.fixture
def adapter(tmp_path) -> Path:
    """The folder of an adapter, by its files."""
    folder = tmp_path / "publish" / "adapter"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# An adapter\n")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base", "r": 2}))
    (folder / "adapter_model.safetensors").write_bytes(os.urandom(3 * MB))
    return folder


@pytest.fixture
def files(tmp_path) -> Path:
    """A folder of GGUF files, by its files; one lies deeper."""
    folder = tmp_path / "publish" / "gguf"
    (folder / "more").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Files\n")
    (folder / "Modelfile").write_text("FROM ./model-a.gguf\n")
    for name in ("model-a.gguf", "model-b.gguf", "more/model-c.gguf"):
        (folder / name).write_bytes(b"GGUF\0" + os.urandom(2 * MB))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder; the client's own notes beside a download left out."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if not name.startswith(".")}


def download(repo: str, target: Path, **options) -> Path:
    return Path(snapshot_download(repo, local_dir=target, token=TOKEN, max_workers=1, **options))


@pytest.mark.parametrize("folder", ["adapter", "files"])
def test_what_goes_up_comes_down_byte_for_byte(folder, hub, tmp_path, request):
    folder = request.getfixturevalue(folder)
    said = publish(folder, "ada/x", push=True, tag="v1", collection="FORGE, my models")
    assert said.startswith(f"{len(content(folder))} files") and f"uploaded to {hub.url}/ada/x (private)" in said
    assert "equal by its hash, version v1, in the collection 'FORGE, my models'." in said and TOKEN not in said
    there = hub.repositories["ada/x"]
    assert there.private and len(there.commits) == 2, "the Hub's own first commit, and one with everything"
    assert there.tags == {"v1": there.commits[-1][0]}
    [collection] = hub.collections.values()
    assert collection["private"] and [i["id"] for i in collection["items"]] == ["ada/x"]
    assert content(download("ada/x", tmp_path / "down", revision="v1")) == content(folder)


def test_a_space_goes_up_as_one(files, hub, tmp_path):
    (files / "README.md").write_text("---\nsdk: gradio\n---\n# A page\n")
    assert "would go to the private Space ada/x." in publish(files, "ada/x", repo_type="space") and hub.log == []
    for _ in range(2):  # one that is there already is changed
        said = publish(files, "ada/x", push=True, tag="v1", collection="Mine", repo_type="space")
        assert f"uploaded to {hub.url}/spaces/ada/x (private)" in said
    [(name, there)] = hub.repositories.items()
    assert (name, there.sdk, list(there.tags)) == ("spaces/ada/x", "gradio", ["v1"])
    [collection] = hub.collections.values()
    assert [(item["id"], item["type"]) for item in collection["items"]] == [("ada/x", "space")]
    assert content(download("ada/x", tmp_path / "down", revision="v1", repo_type="space")) == content(files)
    with pytest.raises(PublishError, match='no kind of repository .*Say "model" or "space"'):
        publish(files, "ada/x", repo_type="dataset")


def test_a_dry_run_lists_exactly_what_goes_up(files, hub):
    said = publish(files, "ada/x", tag="v1", collection="Mine")
    assert hub.log == [] and "private repository ada/x, as version v1, into the collection 'Mine'" in said
    listed = dict(re.findall(r"^  (\S+): \S+ MB, SHA-256 (\w+)…$", said, re.M))
    publish(files, "ada/x", push=True)
    there = hub.repositories["ada/x"].commits[-1][1]
    assert listed.keys() == there.keys() - {".gitattributes"}
    assert all(there[name][2].startswith(listed[name]) for name in listed if name.endswith(".gguf"))


def test_a_lost_connection_is_a_sentence_and_the_next_call_sends_what_is_missing(files, hub):
    publish_until_second_file_breaks(hub, files)
    assert len(hub.repositories["ada/x"].commits) == 1, "nothing of it can be downloaded yet"
    before = len(hub.asked("PUT", ""))
    assert "uploaded to" in publish(files, "ada/x", push=True)
    sent = hub.asked("PUT", "")[before:]
    assert [entry[3] for entry in sent] == [2 * MB + 5] * 2, "the first file was there already"


def publish_until_second_file_breaks(hub, files) -> None:
    """Every connection breaks while the second large file is sent."""
    second = hashlib.sha256((files / "model-b.gguf").read_bytes()).hexdigest()
    hub.cut("PUT", second, after=1 * MB, times=100)
    with pytest.raises(PublishError, match="connection to the Hub was lost.*not sent twice"):
        publish(files, "ada/x", push=True)
    assert len(hub.asked("PUT", second)) == 6, "the client itself tries again, for a while"
    hub.faults.clear()


def test_a_connection_that_comes_back_is_not_even_noticed(files, hub):
    hub.cut("PUT", "", after=1 * MB, times=2)
    assert "uploaded to" in publish(files, "ada/x", push=True)


@pytest.mark.slow
def test_a_killed_upload_goes_on(files, hub, tmp_path):
    """A process that knows the server by HF_ENDPOINT alone is killed while it sends the second file."""
    script = "import sys; from pathlib import Path; from forge_lib.publishing.hub import publish\n"
    script += "publish(Path(sys.argv[1]), 'ada/x', push=True)"
    hub.pause = 0.2  # seconds a block: some six seconds for each file
    child = subprocess.Popen([sys.executable, "-c", script, files], env=environment(hub, tmp_path))
    assert hub.uploading.wait(120)
    while not hub.asked("PUT", "") and child.poll() is None:
        time.sleep(0.05)
    hub.uploading.clear()
    assert hub.uploading.wait(30)
    child.kill()
    assert child.wait(60) < 0 and len(hub.repositories["ada/x"].commits) == 1
    hub.pause = 0
    assert "uploaded to" in publish(files, "ada/x", push=True)
    first = hashlib.sha256((files / "model-a.gguf").read_bytes()).hexdigest()
    assert len(hub.asked("PUT", first)) == 1, "what had arrived was not sent again"
    assert content(download("ada/x", tmp_path / "down")) == content(files)


def test_a_download_goes_on_where_its_connection_was_lost(adapter, hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", MB // 4)  # it keeps whole chunks, of 10 MB otherwise
    publish(adapter, "ada/x", push=True)
    hub.cut("GET", "adapter_model", after=1 * MB)
    assert content(download("ada/x", tmp_path / "down")) == content(adapter)
    first, second = hub.asked("GET", "adapter_model")
    assert first[4] >= 1 * MB and second[2] == 206 and first[4] + second[4] <= 3 * MB + 2**17, (
        "not from the start again"
    )


def test_a_download_that_was_given_up_fetches_only_what_is_missing(files, hub, tmp_path):
    publish(files, "ada/x", push=True)
    hub.cut("GET", "model-c", times=100)
    with pytest.raises(Exception, match="(?i)server disconnected|peer closed|reset|connection"):
        download("ada/x", tmp_path / "down")
    hub.faults.clear()
    before = len(hub.log)
    assert content(download("ada/x", tmp_path / "down")) == content(files)
    again = [e[1] for e in hub.log[before:] if e[0] == "GET" and "/resolve/" in e[1]]
    assert [path.rpartition("/")[2] for path in again] == ["model-c.gguf"]


REFUSALS = [
    ("POST", "repos/create", 500, "fault of its own"), ("POST", "preupload", 401, "does not know this token"),
    ("POST", "objects/batch", 403, "may not write there"), ("PUT", "/lfs/", 413, "too large"),
    ("POST", "/commit/", 409, "Somebody else changes it"), ("POST", "/commit/", 412, "has changed it meanwhile"),
    ("POST", "/commit/", 503, "fault of its own"), ("POST", "repos/create", 429, "too many requests"),
    ("POST", "repos/create", 402, "pay first"), ("GET", "/tree/", 404, "not there"), ("POST", "/tag/", 500, "fault of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status", "sentence"), REFUSALS)
def test_what_the_hub_refuses_is_a_sentence_and_the_next_call_goes_on(adapter, hub, method, path, status, sentence):
    hub.fail(method, path, status, "No, says the test.", times=100)
    with pytest.raises(PublishError, match=f"ada/x is not published. .*{sentence}.*No, says the test") as caught:
        publish(adapter, "ada/x", push=True, tag="v1")
    assert TOKEN not in str(caught.value) and "\n" not in str(caught.value)
    hub.faults.clear()
    assert "version v1" in publish(adapter, "ada/x", push=True, tag="v1")


@pytest.mark.parametrize(
    ("token", "repo", "sentence"),
    [("made-up", "ada/x", "does not know this token"), (READER, "ada/x", "may not write there"),
     (TOKEN, "bob/x", "Is the name before the slash yours")],
)  # fmt: skip
def test_a_token_that_may_not_is_told_apart(adapter, hub, monkeypatch, token, repo, sentence):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(PublishError, match=sentence) as caught:
        publish(adapter, repo, push=True)
    assert token not in str(caught.value) and hub.repositories == {}


def test_a_full_storage_is_told_in_the_hubs_words(adapter, hub):
    hub.full = "Private repository storage limit reached"
    with pytest.raises(PublishError, match="ada/x is not published. .*storage limit reached"):
        publish(adapter, "ada/x", push=True)


def test_a_hub_that_is_not_there_is_a_sentence(adapter, hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PublishError, match="connection to the Hub was lost"):
        publish(adapter, "ada/x", push=True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE is set"):
        publish(adapter, "ada/x", push=True)


def test_public_only_when_asked_for_and_never_by_accident(adapter, hub):
    assert "(private)" in publish(adapter, "ada/x", push=True)
    assert "(private)" in publish(adapter, "ada/x", push=True, private=False), "it stays so"
    assert "(public)" in publish(adapter, "ada/open", push=True, private=False)
    assert not hub.repositories["ada/open"].private and hub.repositories["ada/x"].private
    (adapter / "new.txt").write_text("of a private run")
    with pytest.raises(PublishError, match="everybody can read it"):
        publish(adapter, "ada/open", push=True)
    assert "new.txt" not in hub.repositories["ada/open"].commits[-1][1]


def test_a_version_never_changes(adapter, hub):
    publish(adapter, "ada/x", push=True, tag="v1")
    assert "version v1" in publish(adapter, "ada/x", push=True, tag="v1"), "the same files: nothing to do"
    there = hub.repositories["ada/x"]
    before = list(there.commits)
    (adapter / "README.md").write_text("---\nlicense: mit\n---\n# Another card\n")
    with pytest.raises(PublishError, match="has a version v1 already, with other files"):
        publish(adapter, "ada/x", push=True, tag="v1")
    assert there.commits == before
    publish(adapter, "ada/x", push=True, tag="v2")
    assert there.tags == {"v1": before[-1][0], "v2": there.commits[-1][0]} and len(set(there.tags.values())) == 2


@pytest.mark.parametrize("tag", ["", "main", "v 1", "../v1", "v1\n", "-v", "a..b"])
def test_an_ill_formed_version_is_named_in_a_dry_run(adapter, hub, tag):
    with pytest.raises(PublishError, match="cannot name a version"):
        publish(adapter, "ada/x", tag=tag)
    assert hub.log == []


def test_a_file_that_did_not_arrive_is_found(adapter, hub):
    hub.loses = {"adapter_config.json"}
    with pytest.raises(PublishError, match=r"adapter_config.json of ada/x are missing or not what was sent"):
        publish(adapter, "ada/x", push=True, tag="v1")
    assert hub.repositories["ada/x"].tags == {}, "no version of what is not whole"


def test_what_the_repository_holds_besides_is_named(adapter, hub):
    (adapter / "old.txt").write_text("of the first version")
    publish(adapter, "ada/x", push=True)
    (adapter / "old.txt").unlink()
    assert publish(adapter, "ada/x", push=True).endswith(
        "it also holds old.txt: delete there what no longer belongs to it."
    )


def test_a_card_that_the_hub_could_not_read_is_named_before_anything_is_sent(adapter, hub):
    (adapter / "README.md").write_text("---\nlicense: [\n---\n# An adapter\n")
    for push in (False, True):
        with pytest.raises(PublishError, match="metadata on top of README.md are damaged"):
            publish(adapter, "ada/x", push=push)
    (adapter / "README.md").write_text("---\nlicense: Not One\n---\n")  # what only the Hub knows
    with pytest.raises(PublishError, match="metadata on top of README.md .*license"):
        publish(adapter, "ada/x", push=True)


@pytest.mark.slow
def test_what_was_downloaded_is_loaded_and_scores_as_before(trained, hub, library, tokenizer, tmp_path):
    target = tmp_path / "publish" / "adapter"
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    prepare_folder(
        target,
        "---\nlicense: apache-2.0\n---\n# A card\n",
        [trained, tmp_path / "tokenizer"],
        base="HuggingFaceTB/SmolLM2-135M-Instruct",
    )
    publish(target, "ada/x", push=True, tag="v1")
    down = download("ada/x", tmp_path / "down", revision="v1")
    records = []
    for folder in (trained, down):
        answer = local_model(load_adapted(CPU, folder), tokenizer, library, 4, 2, progress=False)
        records.append(grade("SFT", library, library.test[:2], answer(library.test[:2])))
    before, after = ([(r["answer"], r["verdict"], r["correct"]) for r in found] for found in records)
    assert before == after and any(answer for answer, _, _ in before)
