"""A Modelfile for Ollama: the GGUF, the chat template it was trained with, and its stop token."""

from __future__ import annotations

from pathlib import Path

from forge_lib.runs import write_atomically
from forge_lib.tasks.sql.prompt import INSTRUCTION

# ChatML in Ollama's Go template; SmolLM2 and Qwen both speak it.
CHATML = """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""


def write_modelfile(gguf: Path, max_new_tokens: int) -> Path:
    """`Modelfile` beside `gguf`; then `ollama create forge-sql -f Modelfile`.

    Ollama takes a GGUF as it is (it no longer converts safetensors), and knows neither template nor stop token of it.
    """
    text = (
        f"FROM ./{gguf.name}\n"
        f'TEMPLATE """{CHATML}"""\n'
        f'SYSTEM """{INSTRUCTION}"""\n'
        "PARAMETER temperature 0\n"
        f"PARAMETER num_predict {max_new_tokens}\n"
        'PARAMETER stop "<|im_end|>"\n'
        'PARAMETER stop "<|im_start|>"\n'
    )
    return write_atomically(gguf.with_name("Modelfile"), text)
