"""Results of a run that was never made, a local Hub with the client pointed at it, and an adapter of the embedded base."""

import dataclasses
import types
from pathlib import Path

import pytest
import torch
from hub_server import READER, TOKEN, hub_server
from huggingface_hub import constants, file_download
from huggingface_hub.utils import _http
from made_up import answers

from forge_lib.evaluation.metrics import summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import Run
from forge_lib.models.load import load_base
from forge_lib.training.sft import add_lora, save_adapter

CPU = PROFILES["cpu"]


@pytest.fixture
def run(tmp_path) -> Run:
    run = Run("r", PROFILES["cpu"], 23, "sql", tmp_path / "r")
    run.save_json("config.json", {"versions": {"torch": "9.9.9", "trl": "absent"}})
    return run


@pytest.fixture
def measured() -> dict:
    """What a run hands to the card: rows, comparisons and formats, with numbers that occur nowhere else."""
    look_up, base, tuned = (
        answers("nearest neighbour", {0}),
        answers("base, few-shot", {1}),
        answers("SFT", {0, 1, 2, 5, 7}),
    )
    formats = [
        {"format": "Q8_0", "file": "model-Q8_0.gguf", "megabytes": 144.2, "sha256": "abcdef0123456789" * 4, "finished": 0.75,
         "tokens_per_second": 87.4, **summary_row(answers("SFT, Q8_0", {0, 1, 2, 5}))},
    ]  # fmt: skip
    rows = [summary_row(r) for r in (look_up, base, tuned)]
    return {"rows": rows, "comparisons": [compare(base, tuned), compare(look_up, tuned)], "formats": formats}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A server with Ada's account, and the client pointed at it, as HF_ENDPOINT does where it is set before the import."""
    (tmp_path / "hub").mkdir()
    with hub_server(tmp_path / "hub") as server:
        server.tokens = {TOKEN: ("ada", "write"), READER: ("ada", "read")}
        settings = {
            "ENDPOINT": server.url, "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_OFFLINE": False, "HF_HUB_DISABLE_XET": True, "HF_HUB_CACHE": str(tmp_path / "cache"),
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setattr(constants, name, value)
        for module in (_http, file_download):  # retries wait 23 s in all
            monkeypatch.setattr(module, "time", types.SimpleNamespace(sleep=lambda _: None))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        _http.close_session()
        yield server
        _http.close_session()


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """An adapter of the embedded base that changes its answers."""
    torch.manual_seed(0)
    model = add_lora(load_base(CPU), dataclasses.replace(CPU, lora_rank=2))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return save_adapter(model, tmp_path_factory.mktemp("run") / "adapter")
