"""A Modelfile for Ollama: the GGUF, the chat template it was trained with, and its stop tokens."""

from __future__ import annotations

import os
import re
from pathlib import Path

from jinja2 import TemplateError

from forge_lib.export.gguf import ExportError
from forge_lib.lab.files import write_atomically
from forge_lib.models.chat import render
from forge_lib.tasks import COURSE, get

_ROLES = ("system", "user", "assistant", "user")
_SENTINELS = [f"QZX{n}XZQ" for n in range(len(_ROLES))]  # contents that no template holds, to be found again


def write_modelfile(gguf: Path, max_new_tokens: int, tokenizer, task: str = COURSE) -> Path:
    """`Modelfile` beside `gguf`; then `ollama create forge-TASK -f Modelfile`.

    Ollama takes a GGUF as it is (it no longer converts safetensors), and knows neither template nor stop tokens of it.
    """
    stops = "".join(f'PARAMETER stop "{token}"\n' for token in _stop_tokens(tokenizer))
    text = (
        f"FROM ./{gguf.name}\n"
        f'TEMPLATE """{go_template(tokenizer)}"""\n'
        f'SYSTEM """{get(task).SYSTEM}"""\n'
        "PARAMETER temperature 0\n"
        f"PARAMETER num_predict {max_new_tokens}\n"
        f"{stops}"
    )
    return write_atomically(gguf.with_name("Modelfile"), text)


def go_template(tokenizer) -> str:
    """The tokenizer's chat template as Ollama's Go template: what `chat.render` makes, thinking switched off.

    It is read off renderings of known contents. Earlier turns are left out where the template writes them in a way of
    its own. Raises ExportError where the template has no place for a system message, or cannot be written down in a Modelfile.
    """
    before, between, after = _around(tokenizer, 2)
    end = _turn_end(tokenizer)
    if '"""' in before + between + after:
        raise ExportError('The chat template holds """, which would end the TEMPLATE of a Modelfile.')
    try:
        first, second, reply, again, last = _around(tokenizer, 4)
    except ExportError:
        first = None
    if first is None or (first, second, last) != (before, between, after):
        return f"{_go(before)}{{{{ .System }}}}{_go(between)}{{{{ .Prompt }}}}{_go(after)}"
    # What stands between two contents belongs to the first as far as it ends a turn, and else to the second.
    cut = len(end) if reply.startswith(end) and after.startswith(end) else len(os.path.commonprefix([reply, after]))
    opening = _common_suffix(*(text.removeprefix(end) for text in (between, again)))
    turns = {
        "system": (before, between.removesuffix(opening)),
        "user": (opening, after[:cut]),
        "assistant": (reply[cut:], again.removesuffix(opening)),
    }
    return f"{{{{- range .Messages }}}}{_turns(turns)}{{{{ end }}}}{_go(after[cut:])}"


def _stop_tokens(tokenizer) -> list[str]:
    """Special tokens at which an answer is over: the end of sequence, the end of a turn, the beginning of the next."""
    _, _, after = _around(tokenizer, 2)
    end = _turn_end(tokenizer)
    special = [str(t) for t in tokenizer.added_tokens_decoder.values() if t.special and str(t)]
    pattern = "|".join(map(re.escape, sorted(special, key=len, reverse=True)))
    found = [re.search(pattern, part) for part in (end, after.removeprefix(end)) if pattern]
    return list(dict.fromkeys([tokenizer.eos_token, *(m.group() for m in found if m)]))


def _around(tokenizer, count: int) -> list[str]:
    """The rendered text before, between and after the contents of the first `count` messages."""
    messages = [{"role": r, "content": s} for r, s in zip(_ROLES[:count], _SENTINELS, strict=False)]
    try:
        text = render(tokenizer, messages)
    except TemplateError as error:
        raise ExportError(
            f"The chat template refuses a system message ({error}), which every prompt of the course has. Choose a base whose "
            "template takes one."
        ) from error
    parts = re.split("|".join(_SENTINELS[:count]), text)
    if len(parts) != count + 1:
        raise ExportError("The chat template does not show each message once: it cannot be written as a Modelfile.")
    # A file whose tokenizer adds the beginning of a sequence gets it from Ollama; twice would be another prompt.
    if tokenizer.bos_token and tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id:
        parts[0] = parts[0].removeprefix(tokenizer.bos_token)
    return parts


def _turn_end(tokenizer) -> str:
    """What the template writes after a user's message when nobody is to speak."""
    messages = [{"role": r, "content": s} for r, s in zip(_ROLES[:2], _SENTINELS, strict=False)]
    text = tokenizer.apply_chat_template(messages, tokenize=False, enable_thinking=False)
    return text.rpartition(_SENTINELS[1])[2]


def _turns(turns: dict[str, tuple[str, str]]) -> str:
    """The body of the loop: one line for all roles where they differ in their names only."""
    shapes = {(head.replace(role, "\0"), tail) for role, (head, tail) in turns.items()}
    if len(shapes) == 1:
        head, tail = shapes.pop()
        return f"{_go(head).replace(chr(0), '{{ .Role }}')}{{{{ .Content }}}}{_go(tail)}"
    (system, user, assistant) = (f"{_go(head)}{{{{ .Content }}}}{_go(tail)}" for head, tail in turns.values())
    return f'{{{{ if eq .Role "system" }}}}{system}{{{{ else if eq .Role "user" }}}}{user}{{{{ else }}}}{assistant}{{{{ end }}}}'


def _go(text: str) -> str:
    """Text as it stands in a Go template, where two braces would begin an action."""
    return text.replace("{{", '{{ "{{" }}')


def _common_suffix(a: str, b: str) -> str:
    length = len(os.path.commonprefix([a[::-1], b[::-1]]))
    return a[len(a) - length :]
