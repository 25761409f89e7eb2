"""The card's own code, run as a stranger runs it: downloaded from the (local) Hub, in a process that knows nothing else."""

import dataclasses
import re
import subprocess
import sys

import pytest
import torch
from hub_server import environment

from forge_lib.export.gguf import convert_f16, file_facts
from forge_lib.export.merge import merged_model, save_merged
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import encode_prompt
from forge_lib.models.generate import generate
from forge_lib.models.load import load_adapted, load_base
from forge_lib.publishing.card import model_card
from forge_lib.publishing.hub import prepare_folder, prepare_merged, publish
from forge_lib.serving.model import open_model
from forge_lib.tasks.sql import card_facts
from forge_lib.training.sft import add_lora, save_adapter

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
CPU = PROFILES["cpu"]


@pytest.fixture
def tiny(random_llama, tokenizer, tmp_path):
    """(profile, adapter) on a random base of two layers, in fp32."""
    random_llama().save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    profile = dataclasses.replace(
        CPU, base_model=str(tmp_path / "base"), dtype="float32", lora_rank=4, max_new_tokens=6
    )
    model = add_lora(load_base(profile), profile)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return profile, save_adapter(model, tmp_path / "adapter")


def code(card: str) -> str:
    return re.search(r"```python\n(.*?)\n```", card, re.S)[1]


def said(text: str, hub, tmp_path) -> str:
    """What the code prints."""
    done = subprocess.run([sys.executable, "-c", text], env=environment(hub, tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def answer(model, tokenizer, limit: int) -> str:
    """What the course's own way makes of the card's question."""
    prompt = encode_prompt(tokenizer, card_facts("course")["example"])
    return generate(model, tokenizer, [prompt], limit, 1, progress=False)[0].text.strip()


def test_the_merged_folder_answers_on_another_machine_as_here(tiny, run, measured, hub, tokenizer, tmp_path):
    profile, adapter = tiny
    card = model_card(dataclasses.replace(run, profile=profile), **measured, repo_id="ada/x", merged=True)
    card = card.replace(profile.base_model, "org/base")  # it names a folder of this machine here, which is refused
    listing = prepare_merged(tmp_path / "publish" / "merged", card, profile, adapter)
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= {f["file"] for f in listing}
    publish(tmp_path / "publish" / "merged", "ada/x", push=True)
    wanted = answer(merged_model(profile, adapter), tokenizer, profile.max_new_tokens)
    assert said(code(card), hub, tmp_path) == wanted != answer(load_base(profile), tokenizer, profile.max_new_tokens)


def test_a_gguf_file_answers_on_another_machine_as_here(tiny, run, measured, hub, tmp_path):
    profile, adapter = tiny
    merged = save_merged(profile, adapter, tmp_path / "merged")
    file = convert_f16(merged, tmp_path / "model-F16.gguf")
    formats = [measured["formats"][0] | file_facts(file) | {"format": "F16"}]
    of_tiny = dataclasses.replace(run, profile=dataclasses.replace(CPU, max_new_tokens=6))
    card = model_card(of_tiny, **measured | {"formats": formats}, repo_id="ada/x", gguf=True)
    prepare_folder(tmp_path / "publish" / "gguf", card, [file])
    publish(tmp_path / "publish" / "gguf", "ada/x", push=True)
    assert f'hf_hub_download("ada/x", "{file.name}")' in code(card)
    messages, limit = card_facts("course")["example"], 6
    wanted = open_model(str(file), profile).answer(messages, limit).text.strip()
    assert wanted and said(code(card), hub, tmp_path) == wanted, "another prompt than the course's"


@pytest.mark.slow  # transformers takes half a minute to widen the package's GGUF, as it does for whoever follows the card
def test_the_adapter_answers_on_the_packages_base_as_here(trained, run, measured, hub, tokenizer, tmp_path):
    profile = dataclasses.replace(CPU, dtype="float32", max_new_tokens=8)
    card = model_card(dataclasses.replace(run, profile=profile), **measured, repo_id="ada/x")
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    target = tmp_path / "publish" / "adapter"
    prepare_folder(target, card, [trained, tmp_path / "tokenizer"], base="HuggingFaceTB/SmolLM2-135M-Instruct")
    publish(target, "ada/x", push=True)
    wanted = answer(load_adapted(profile, trained), tokenizer, profile.max_new_tokens)
    assert wanted and said(code(card), hub, tmp_path) == wanted
