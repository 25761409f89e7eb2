"""Cards whose numbers are the run's, folders that load elsewhere, and nothing uploaded unasked."""

import dataclasses
import json
import socket

import pytest
from huggingface_hub import ModelCard
from made_up import answers

from forge_lib.evaluation.metrics import summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import shipped_file
from forge_lib.models.load import base_id
from forge_lib.publishing.card import format_prices, licence, model_card
from forge_lib.publishing.hub import PublishError, prepare_folder, publish


def test_the_card_contains_the_runs_own_numbers(run, measured):
    card = model_card(run, **measured, repo_id="me/forge-x")
    for row in measured["rows"]:
        assert f"{row['all']:.1f} [{row['all_low']:.1f}, {row['all_high']:.1f}]" in card
    for wanted in (
        "seed 23",
        "rank 32",
        "torch 9.9.9",
        "| 144 |",
        "| 87 |",
        "| 75 |",
        "abcdef012345",
        "on 12 items",
        "41.7%",
        "58% of them",
    ):
        assert wanted in card, wanted
    assert "absent" not in card
    for comparison in measured["comparisons"]:
        assert str(comparison) in card


def test_the_card_says_of_its_rows_what_their_intervals_rest_on(run, measured):
    """It said what the comparison's rests on, which is another where no answer changed."""
    same = answers("SFT", {0})
    changed = measured | {"rows": [summary_row(same)], "comparisons": [compare(answers("base", {0}), same)]}
    [line] = [
        x for x in model_card(run, **changed, repo_id="me/x").split("\n") if x.startswith("Execution accuracy in")
    ]
    assert "95% intervals (4 databases are few" in line


def test_the_card_names_the_versions_of_the_training(run, measured):
    run.save_json("sft/config.json", {"versions": {"torch": "8.8.8"}})
    assert "torch 8.8.8" in model_card(run, **measured, repo_id="me/forge-x")


def test_other_numbers_make_another_card(run, measured):
    """Guards against a number typed into the template."""
    rows = [summary_row(answers("SFT", {3}))]
    changed = measured | {"rows": rows, "comparisons": [compare(answers("base", set()), answers("SFT", {3}))]}
    card = model_card(run, **changed, repo_id="me/forge-x")
    assert "41.7" not in card and "8.3%" in card and "not significant" in card


def test_the_metadata_is_what_the_hub_reads(run, measured):
    adapter, gguf = (
        ModelCard(model_card(run, **measured, repo_id="me/forge-x", gguf=kind)).data for kind in (False, True)
    )
    assert adapter.base_model == gguf.base_model == base_id(run.profile) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (adapter.license, adapter.library_name, gguf.library_name) == ("apache-2.0", "peft", "gguf")
    assert (adapter["base_model_relation"], gguf["base_model_relation"]) == ("adapter", "quantized")
    assert adapter.eval_results[0].metric_value == 41.7


def test_the_card_of_the_files_claims_what_the_files_scored(run, measured):
    """It stated the adapter's 41.7% for a Q4 file that scored 33.3."""
    formats = [measured["formats"][0] | {"format": k, "file": f"model-{k}.gguf"} | summary_row(answers(k, right))
               for k, right in (("F16", {0, 1, 2, 5, 7, 9}), ("Q8_0", {0, 1, 2, 5}), ("Q4_K_M", {0, 1}))]  # fmt: skip
    run.path("export").mkdir(parents=True)
    run.path("export", "Modelfile").write_text("FROM ./model-Q8_0.gguf\n")
    card = model_card(run, **measured | {"formats": formats}, repo_id="me/forge-x", gguf=True)
    results = ModelCard(card).data.eval_results
    assert {r.metric_name: r.metric_value for r in results} == {
        "execution accuracy, model-F16.gguf": 50.0, "execution accuracy, model-Q8_0.gguf": 33.3,
        "execution accuracy, model-Q4_K_M.gguf": 16.7,
    }  # fmt: skip
    claim = card.split("## What it is good for")[1].split("## Results")[0]
    assert "`model-Q8_0.gguf` was right 33.3%" in claim and "41.7" not in claim and "67% of them" in claim
    run.path("export", "Modelfile").unlink()
    careful = model_card(run, **measured | {"formats": formats}, repo_id="me/forge-x", gguf=True)
    assert "`model-Q4_K_M.gguf` was right 16.7%" in careful, "nobody said which file ships: the least of them"


def test_what_a_file_lost_is_said_where_its_answers_were_kept(run, measured):
    for kind, right in (("F16", {0, 1, 2}), ("Q8_0", {0, 3})):
        run.save_records(f"export/{kind}.jsonl", answers(kind, right))
    formats = [{"format": kind, "all": 25.0} for kind in ("F16", "Q8_0")]
    [price] = format_prices(run.dir, formats)
    assert (price.only_first, price.only_second) == (2, 1) and "1 gained and 2 lost" in str(price)
    assert format_prices(run.dir, [*formats, {"format": "Q4_0", "all": 25.0}]) == []


def test_files_that_were_not_asked_the_test_are_compared_on_validation(run, measured):
    """Answers of the test and of validation in one comparison would be of different questions."""
    kinds = {"F16": {0, 1, 2}, "Q8_0": {0, 3}, "Q4_0": {0}}
    formats = []
    for kind, right in kinds.items():
        on_validation = answers(kind, right)
        run.save_records(f"export/validation/{kind}.jsonl", on_validation)
        row = {"format": kind, "file": f"model-{kind}.gguf", "validation": summary_row(on_validation)}
        formats.append(measured["formats"][0] | row)
    asked = {name for name in summary_row(answers("x", {0}))}
    formats[2] = {name: value for name, value in formats[2].items() if name not in asked}
    run.path("export", "Modelfile").write_text("FROM ./model-Q8_0.gguf\n")
    card = model_card(run, **measured | {"formats": formats}, repo_id="me/forge-x", gguf=True)
    assert "| `model-Q4_0.gguf` | Q4_0 | 144 | 8.3 [" in card and "] | – | 75 |" in card
    assert len(ModelCard(card).data.eval_results) == 2, "the Hub gets numbers of the test only"
    for kind in ("F16", "Q8_0"):
        run.save_records(f"export/{kind}.jsonl", answers(kind, {5, 6}))
    rehearsed, final = format_prices(run.dir, formats, on_validation=True), format_prices(run.dir, formats)
    assert [(p.second, p.only_first) for p in rehearsed] == [("Q8_0", 2), ("Q4_0", 2)]
    assert [(p.second, p.only_first) for p in final] == [("Q8_0", 0)]
    run.path("export", "Modelfile").unlink()
    assert shipped_file(run, formats)["format"] != "Q4_0", "whose figure on the test nobody knows"


@pytest.mark.parametrize(
    ("base", "data", "wanted"),
    [("Qwen/Qwen3-8B", "course", "apache-2.0"), ("Qwen/Qwen3-8B", "my:shop", "other"), ("Qwen/Qwen3-8B", "spider:x", "other"),
     ("meta-llama/Llama-3.2-1B", "course", "other"), ("HuggingFaceTB/SmolLM2-135M-Instruct", "course", "apache-2.0")],
)  # fmt: skip
def test_the_licence_follows_from_base_and_data(base, data, wanted):
    assert licence(base, data)[0] == wanted
    assert ("CC BY 4.0" in licence(base, data)[1]) == (data == "course")


@pytest.mark.parametrize("kind", ["my", "sqlite"])
def test_own_data_are_not_licensed_named_or_described_as_the_courses(kind, run, measured):
    own = dataclasses.replace(run, data=f"{kind}:shop")
    card = model_card(own, **measured, repo_id="me/forge-x")
    data = ModelCard(card).data
    assert (data.license, data["license_name"], data.language) == ("other", "not-stated", None)
    assert data.eval_results[0].dataset_type == f"forge-{kind}" and "CC BY 4.0" not in card
    assert "no personal data" not in card and "English" not in card
    assert ("questions that a program drew" in card) == (kind == "sqlite")


def test_the_embedded_base_is_called_what_it_is(run, measured):
    for gguf in (False, True):
        assert "quantized to Q4_1" in model_card(run, **measured, repo_id="me/x", gguf=gguf)
    other = dataclasses.replace(run, profile=PROFILES["t4"])
    assert "Q4_1" not in model_card(other, **measured, repo_id="me/x")


def test_results_that_lack_something_are_named_in_a_sentence(run, measured):
    broken = {
        "rows": ([], [{}], [{"contender": "SFT"}], None, [3], [measured["rows"][-1] | {"all_low": float("inf")}]),
        "comparisons": ([], None, [3]),
        "formats": (
            [{}],
            None,
            [3],
            [{"file": "x"}],
            [measured["formats"][0] | {"finished": "all"}],
            [measured["formats"][0] | {"all": float("nan")}],
        ),
    }
    for field, values in broken.items():
        for value in values:
            with pytest.raises(RunError, match="06_evaluation and 07_quantization again"):
                model_card(run, **measured | {field: value}, repo_id="me/x", gguf=True)
    run.path("config.json").write_text("{")
    with pytest.raises(RunError, match="config.json"):
        model_card(run, **measured, repo_id="me/x")


def test_a_base_from_the_hub_is_named_as_it_is(run):
    other = dataclasses.replace(run, profile=PROFILES["t4"])
    assert base_id(other.profile) == PROFILES["t4"].base_model


def test_a_test_without_unseen_schemas_gives_a_card(run, measured):
    rows = [summary_row(answers("SFT", {1}, parts=("seen",)))]
    comparisons = [compare(answers("base", set(), parts=("seen",)), answers("SFT", {1}, parts=("seen",)))]
    assert "never saw not measured" in model_card(run, rows, comparisons, measured["formats"], "me/x")


@pytest.fixture
def adapter(tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "README.md").write_text("PEFT's own, empty card")
    (folder / "adapter_model.safetensors").write_bytes(b"x" * 2000)
    (folder / "adapter_config.json").write_text(
        json.dumps({"r": 32, "base_model_name_or_path": "/home/ada/secret/base"})
    )
    return folder


def test_a_prepared_folder_has_our_card_and_no_path_of_this_machine(adapter, tmp_path):
    extra = tmp_path / "Modelfile"
    extra.write_text("FROM x")
    target = tmp_path / "publish" / "adapter"
    listing = prepare_folder(target, "# our card", [adapter, extra], base="org/base")
    assert (target / "README.md").read_text() == "# our card"
    assert json.loads((target / "adapter_config.json").read_text()) == {"r": 32, "base_model_name_or_path": "org/base"}
    assert not any("ada" in p.read_text() for p in target.iterdir())
    assert [f["file"] for f in listing] == [
        "Modelfile",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert listing[3]["megabytes"] == 0.002 and len(listing[3]["sha256"]) == 64
    assert "ada" in (adapter / "adapter_config.json").read_text(), "the run's own adapter stays as it is"


def test_a_failed_preparation_keeps_the_old_folder(adapter, tmp_path):
    target = tmp_path / "publish"
    prepare_folder(target, "old", [adapter], base="org/base")
    with pytest.raises(FileNotFoundError):
        prepare_folder(target, "new", [adapter, tmp_path / "missing.gguf"])
    assert (target / "README.md").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_full_disk_is_named_before_anything_is_copied(adapter, tmp_path, monkeypatch):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(RunError, match="free"):
        prepare_folder(tmp_path / "publish", "card", [adapter])
    assert not (tmp_path / "publish").exists()


@pytest.fixture
def no_network(monkeypatch):
    """Any socket, and any call of the Hub's client, fails the test."""
    import huggingface_hub

    def refuse(*_, **__):
        raise AssertionError("this touched the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
    monkeypatch.setattr(huggingface_hub.HfApi, "create_commit", refuse)


def test_a_dry_run_touches_no_network_even_with_a_token(adapter, no_network, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-token")
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    said = publish(adapter, "me/forge-x")
    assert said.startswith("Dry run: 3 files") and "me/forge-x" in said and "a-token" not in said


def test_push_without_a_token_says_how_to_give_one(adapter, no_network, monkeypatch):
    import huggingface_hub

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(PublishError, match="HF_TOKEN"):
        publish(adapter, "me/forge-x", push=True)


BAD_IDS = [
    "",
    " ",
    "../../x y",
    "a/b/c",
    "me/x.git",
    "/x",
    "me/",
    "me\\x",
    "-me/x",
    None,
    "me/" + "x" * 97,
    "model",
    "мой/x",
    "me/x\n",
    "me/a--b",
    "me/..",
    "https://huggingface.co/me/x",
]


@pytest.mark.parametrize("name", BAD_IDS)
def test_an_ill_formed_repository_is_named_before_anything_else(adapter, no_network, run, measured, name):
    (adapter / ".env").write_text("x")  # named only after the repository
    for attempt in (
        lambda: publish(adapter, name),
        lambda: publish(adapter, name, push=True),
        lambda: model_card(run, **measured, repo_id=name),
    ):
        with pytest.raises(PublishError, match="no name of a repository"):
            attempt()


def test_neither_a_missing_nor_an_empty_folder_is_published(tmp_path, no_network):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(PublishError, match="08_publishing"):
            publish(folder, "me/x")


SECRET = "hf_" + "aB3dEfGhIj" * 3


def test_a_secret_stops_a_dry_run_and_is_not_repeated(adapter, no_network):
    (adapter / "notes.txt").write_text(f"first line\ntoken {SECRET}\n")
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(PublishError, match="notes.txt, line 2: Hugging Face token") as caught:
        publish(adapter, "me/x")
    assert SECRET not in str(caught.value)


def test_a_folder_with_a_secret_is_not_prepared(adapter, tmp_path):
    target = tmp_path / "publish"
    prepare_folder(target, "old", [adapter], base="org/base")
    for card, name, text in (("new", "trainer_state.json", f'{{"token": "{SECRET}"}}'), (f"see {SECRET}", "a.txt", "")):
        (adapter / name).write_text(text)
        with pytest.raises(PublishError, match="Hugging Face token"):
            prepare_folder(target, card, [adapter], base="org/base")
        (adapter / name).unlink()
    assert (target / "README.md").read_text() == "old"


def test_a_link_is_refused_and_never_followed(adapter, tmp_path, no_network):
    secret = tmp_path / "secret.txt"
    secret.write_text("private")
    (adapter / "innocent.txt").symlink_to(secret)
    (adapter / "folder").symlink_to(tmp_path)
    for attempt in (
        lambda: publish(adapter, "me/x"),
        lambda: prepare_folder(tmp_path / "out", "card", [adapter]),
        lambda: prepare_folder(tmp_path / "out", "card", [adapter / "innocent.txt"]),
    ):
        with pytest.raises(PublishError, match="innocent.txt: a link"):
            attempt()
    assert not (tmp_path / "out").exists()


def test_a_large_file_is_refused_before_it_is_copied(adapter, tmp_path):
    with (adapter / "optimizer.pt").open("wb") as file:
        file.truncate(3 * 2**30)  # a sparse file: it takes no room
    with pytest.raises(PublishError, match="optimizer.pt: 3.0 GB, over the limit of 2 GB"):
        prepare_folder(tmp_path / "out", "card", [adapter], limit_gb=2)


def test_pefts_own_card_may_say_what_it_likes(adapter, tmp_path):
    """It names the folder the base was loaded from, and ours takes its place."""
    (adapter / "README.md").write_text("base_model: /home/ada/secret/base")
    prepare_folder(tmp_path / "out", "# ours", [adapter], base="org/base")
    (adapter / "checkpoint").mkdir()
    (adapter / "checkpoint" / "README.md").write_text("base_model: /home/ada/secret/base")
    with pytest.raises(PublishError, match="checkpoint/README.md, line 1: home folder"):
        prepare_folder(tmp_path / "out", "# ours", [adapter], base="org/base")


@pytest.mark.parametrize("text", ["", "{", "[1]", "3"])
def test_a_broken_adapter_is_named(adapter, tmp_path, text):
    (adapter / "adapter_config.json").write_text(text)
    with pytest.raises(PublishError, match="04_sft"):
        prepare_folder(tmp_path / "out", "card", [adapter], base="org/base")
