"""One pair in the formats that other tools read: chat, Alpaca, ShareGPT, prompt/completion."""

from __future__ import annotations

from forge_lib.data.pairs import DataSet, Pair
from forge_lib.tasks.sql.prompt import INSTRUCTION, build_messages
from forge_lib.tasks.sql.schema import render_schema


def to_chat(data: DataSet, pair: Pair) -> dict:
    """OpenAI's and TRL's conversational format: {"messages": [{"role", "content"}, …]}."""
    prompt = build_messages(render_schema(data.schema(pair.db_id)), pair.question)
    return {"messages": [*prompt, {"role": "assistant", "content": pair.sql}]}


def to_prompt_completion(data: DataSet, pair: Pair) -> dict:
    """TRL's prompt/completion format, which gives completion-only loss without a special template."""
    messages = to_chat(data, pair)["messages"]
    return {"prompt": messages[:-1], "completion": messages[-1:]}


def to_alpaca(data: DataSet, pair: Pair) -> dict:
    """Stanford Alpaca: {"instruction", "input", "output"}."""
    schema = render_schema(data.schema(pair.db_id))
    return {"instruction": INSTRUCTION, "input": f"{schema}\n\n{pair.question}", "output": pair.sql}


def to_sharegpt(data: DataSet, pair: Pair) -> dict:
    """ShareGPT: {"conversations": [{"from": "system" | "human" | "gpt", "value"}, …]}."""
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    turns = to_chat(data, pair)["messages"]
    return {"conversations": [{"from": names[m["role"]], "value": m["content"]} for m in turns]}


def from_sharegpt(record: dict) -> dict:
    """ShareGPT back to chat."""
    names = {"system": "system", "human": "user", "gpt": "assistant"}
    return {"messages": [{"role": names[t["from"]], "content": t["value"]} for t in record["conversations"]]}
