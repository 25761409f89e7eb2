"""Which input channels of each layer carry much: the importance matrix that llama.cpp weights its rounding with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from forge_lib.data.items import Item
from forge_lib.export.gguf import ExportError, whole_file
from forge_lib.models.chat import encode
from forge_lib.models.llama import broken
from forge_lib.models.load import causal_lm
from forge_lib.tasks import TaskData


@dataclass(frozen=True)
class Importance:
    """E[x²] of every input channel of every linear layer, over some tokens.

    means: (channels,) by GGUF's name of the tensor ("blk.0.attn_q.weight"); tokens: how many the means are over
    """

    means: dict[str, np.ndarray]
    tokens: int


@torch.inference_mode()
def measure_importance(model, tokenizer, data: TaskData, items: Sequence[Item]) -> Importance:
    """The importance matrix of a plain (merged) model over the prompts and gold answers of `items`: training items.

    A weight w that is rounded to w + e moves its layer's output by e·x, so what a block of weights should keep small is
    Σ E[x²]·e², not Σ e² (the diagonal of what GPTQ and Optimal Brain Surgeon use; https://arxiv.org/abs/2210.17323).
    Raises ExportError where there is no item, or where the model has layers that GGUF has no name for.
    """
    if not items:
        raise ExportError("There is no item to measure importance on; give some training items.")
    names, sums, tokens = _gguf_names(model), {}, 0

    def keep(name: str):
        def hook(layer, inputs, output):
            x = inputs[0].detach().flatten(0, -2).float()  # (tokens, channels)
            sums[name] = sums.get(name, 0) + x.square().sum(0).double()

        return hook

    hooks = [layer.register_forward_hook(keep(name)) for name, layer in names.items()]
    try:
        for item in items:
            ids = encode(tokenizer, data.messages(item), item.answer).input_ids
            causal_lm(model).get_decoder()(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
            tokens += len(ids)
    finally:
        for hook in hooks:
            hook.remove()
    return Importance({name: (s / tokens).float().cpu().numpy() for name, s in sums.items()}, tokens)


def _gguf_names(model) -> dict[str, torch.nn.Linear]:
    """The decoder's linear layers by GGUF's names of their weights. The head is not among them: llama.cpp leaves it out too."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    config = causal_lm(model).config
    architecture = next((a for a, name in MODEL_ARCH_NAMES.items() if name == config.model_type), None)
    if architecture is None:
        raise ExportError(
            f"GGUF's Python package knows no architecture '{config.model_type}': quantize without importance."
        )
    known = get_tensor_name_map(architecture, config.num_hidden_layers)
    head = causal_lm(model).get_output_embeddings()
    layers = {
        path: m for path, m in causal_lm(model).named_modules() if isinstance(m, torch.nn.Linear) and m is not head
    }
    strange = [path for path in layers if known.get_name(path) is None]
    if strange or not layers:
        raise ExportError(
            f"GGUF has no name for {strange[0] if strange else 'any layer'} of this model. Importance is measured on a "
            "plain model: merge the adapter first (forge_lib.export.merge.merged_model)."
        )
    return {f"{known.get_name(path)}.weight": layer for path, layer in layers.items()}


def save_importance(importance: Importance, file: Path, source: str) -> Path:
    """Write it in llama.cpp's own imatrix format (a GGUF file), for `llama-quantize --imatrix`; source: what it was measured on."""
    from gguf import GGUFWriter, Keys

    with whole_file(file) as temporary:
        writer = GGUFWriter(temporary, "")  # an imatrix has no architecture, and an empty string is left out
        writer.add_string(Keys.General.TYPE, "imatrix")
        writer.add_array(Keys.IMatrix.DATASETS, [source])
        writer.add_uint32(Keys.IMatrix.CHUNK_COUNT, 1)
        writer.add_uint32(Keys.IMatrix.CHUNK_SIZE, importance.tokens)
        for name, means in importance.means.items():
            writer.add_tensor(f"{name}.in_sum2", (means * importance.tokens)[None].astype(np.float32))
            writer.add_tensor(f"{name}.counts", np.array([[importance.tokens]], np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return file


def load_importance(file: Path) -> Importance:
    """Read an imatrix file, ours or llama.cpp's. Raises ExportError where it is none, or is damaged."""
    from gguf import GGUFReader

    try:
        parts = [t for t in GGUFReader(file).tensors if t.name.endswith((".in_sum2", ".counts"))]
        found = {t.name: np.array(t.data, np.float64).reshape(-1) for t in parts}
    except OSError as error:
        raise ExportError(f"{file.name} cannot be read; measure the importance again (07_quantization).") from error
    except (ValueError, IndexError, KeyError) as error:
        raise broken(file) from error
    names = [name.removesuffix(".in_sum2") for name in found if name.endswith(".in_sum2")]
    counts = [float(found.get(f"{name}.counts", np.zeros(1)).max()) for name in names]
    if not names or min(counts) <= 0:
        raise ExportError(f"{file.name} holds no importance matrix; measure it again (07_quantization).")
    means = {n: (found[f"{n}.in_sum2"] / c).astype(np.float32) for n, c in zip(names, counts, strict=True)}
    return Importance(means, int(max(counts)))
