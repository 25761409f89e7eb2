"""The way from an adapter to a GGUF file: nothing may change on it but the format."""

import copy
import dataclasses
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from forge_lib import ROOT
from forge_lib.evaluation.contenders import gguf_model, local_model, messages_for
from forge_lib.export import gguf
from forge_lib.export.gguf import ExportError
from forge_lib.export.merge import merged_model, save_merged
from forge_lib.export.ollama import go_template, write_modelfile
from forge_lib.lab.files import LEFTOVER
from forge_lib.lab.profiles import PROFILES
from forge_lib.models import llama
from forge_lib.models.chat import encode_prompt, render
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import load_adapted, load_base
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.prompt import INSTRUCTION
from forge_lib.training.sft import add_lora, save_adapter

pytestmark = pytest.mark.slow

CPU = PROFILES["cpu"]


@pytest.fixture
def texts(library, tokenizer) -> list[str]:
    prompts = [render(tokenizer, messages_for(library, p)) for p in library.test]
    return [*prompts, *(p.sql for p in library.test), "WHERE d >= '1995-03-21'  -- naïve 漢字 🚀\n\t12.50"]


def test_merged_equals_unmerged(adapter, tokenizer, texts):
    ids = torch.tensor([tokenizer(texts[0])["input_ids"]])
    unmerged, merged = load_adapted(CPU, adapter, dtype="float32"), merged_model(CPU, adapter, "float32")
    with torch.inference_mode():
        wanted, got, base = (m(ids).logits for m in (unmerged, merged, load_base(CPU, "float32")))
    assert torch.allclose(got, wanted, atol=2e-3)
    assert (got - base).abs().max() > 0.1, "a merge that left the base as it was would pass the line above"
    assert not any("lora" in name for name, _ in merged.named_parameters())


@pytest.fixture
def sixteen_bits(random_llama, tokenizer, tmp_path):
    """(profile, adapter) over a random base that is stored in 16 bits."""
    random_llama().to(torch.bfloat16).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    profile = dataclasses.replace(CPU, base_model=str(tmp_path / "base"), dtype="float16", lora_rank=8)
    model = add_lora(load_base(profile, "float32"), profile)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    return profile, save_adapter(model, tmp_path / "adapter")


def test_one_layer_at_a_time_is_in_fp32(sixteen_bits, monkeypatch):
    """A 4B model in fp32 is larger than the card, and the machine, that it was trained on."""
    from peft.tuners.lora import Linear

    wide, merge = [], Linear.merge

    def spy(layer, *args, **kwargs):
        wide.append(layer)
        assert layer.get_base_layer().weight.dtype == torch.float32
        assert all(w.get_base_layer().weight.dtype == torch.float16 for w in wide[:-1])
        return merge(layer, *args, **kwargs)

    monkeypatch.setattr(Linear, "merge", spy)
    model = merged_model(*sixteen_bits)
    assert len(wide) == 14 and {p.dtype for p in model.parameters()} == {torch.float16}


def test_merging_runs_on_the_cpu_whatever_the_profile_says(sixteen_bits, monkeypatch):
    profile, adapter = sixteen_bits
    moved = []
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *args, **_: moved.append(args) or self)
    merged_model(dataclasses.replace(profile, device="cuda", quantize_4bit=True), adapter)
    assert [args for args in moved if args and isinstance(args[0], str)] == [("cpu",), ("cuda",)]


def test_a_16_bit_base_is_saved_with_what_an_f16_file_would_hold_of_fp32(sixteen_bits, tmp_path):
    from safetensors.torch import load_file

    profile, adapter = sixteen_bits
    whole = load_adapted(profile, adapter, dtype="float32").merge_and_unload().state_dict()
    saved = load_file(save_merged(profile, adapter, tmp_path / "merged") / "model.safetensors")
    assert saved.keys() == whole.keys()
    for name, tensor in saved.items():
        assert tensor.dtype == (torch.float16 if "_proj" in name else torch.bfloat16)
        assert torch.equal(tensor.half(), whole[name].half())  # matrices
        assert "norm" not in name or torch.equal(tensor.float(), whole[name])  # vectors stay fp32 in a GGUF file


def test_the_saved_merge_is_a_plain_model_that_reloads(adapter, tmp_path, tokenizer, texts):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = save_merged(CPU, adapter, tmp_path / "merged")
    ids = AutoTokenizer.from_pretrained(folder)(texts[0], return_tensors="pt")["input_ids"]
    assert ids[0].tolist() == tokenizer(texts[0])["input_ids"]
    again = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        assert torch.allclose(again(ids).logits, merged_model(CPU, adapter, "float32")(ids).logits, atol=1e-4)


def test_gguf_cuts_course_prompts_into_the_same_ids(f16, tokenizer, texts):
    """A base unpacked with Llama's byte fallback became a GGUF that aborted the process at the first text."""
    assert llama.same_token_ids(llama.load_gguf(f16, 512), tokenizer, texts) == 1.0


def test_f16_agrees_with_transformers(f16, tokenizer, texts):
    llm, model = llama.load_gguf(f16, 512), load_base(CPU, "float32")
    ids = tokenizer(texts[0])["input_ids"]
    got = llama.evaluate_tokens(llm, [(0, 0, ids)], every=True)[0]
    with torch.inference_mode():
        wanted = model(torch.tensor([ids])).logits[0].numpy()
    assert got.shape == wanted.shape
    assert (got.argmax(-1) == wanted.argmax(-1)).all()
    assert np.abs(got - wanted).max() < 0.25


def test_gguf_answers_like_transformers_one_by_one_or_at_once(f16, library, tokenizer):
    """No BOS and no second template, no question that sees its neighbour, and the order of the pairs kept."""
    pairs = [*library.test, *library.test[:1]]
    llm = llama.load_gguf(f16, 1024)
    wanted = local_model(load_base(CPU, "float32"), tokenizer, library, 12, 4, progress=False)(pairs)
    for slots in (1, 2, 16):
        got = gguf_model(llm, tokenizer, library, 12, slots)(pairs)
        assert [g.ids for g in got] == [w.ids for w in wanted]
        assert [(g.text, g.prompt_tokens, g.completion_tokens, g.finished) for g in got] == [
            (w.text, w.prompt_tokens, w.completion_tokens, w.finished) for w in wanted
        ]


def test_long_answers_are_asked_in_as_many_rounds_as_the_context_needs(f16, library, tokenizer):
    """Sixteen at once ran out of the context, which a prompt alone would have fitted into."""
    wanted = gguf_model(llama.load_gguf(f16, 2048), tokenizer, library, 60, 1)(library.test)
    llm = llama.load_gguf(f16, 256)
    assert [g.ids for g in gguf_model(llm, tokenizer, library, 60, 16)(library.test)] == [w.ids for w in wanted]
    short = gguf_model(llm, tokenizer, library, 500)(library.test[:1])[0]
    assert short.ids[:60] == wanted[0].ids[:60], "more than the context holds is cut off, not an error"
    with pytest.raises(ModelError, match="no room for an answer"):
        llama.complete(llm, [1] * 200, [[1] * 100], 10)


def test_a_script_that_ends_with_a_model_in_hand_ends_quietly(f16):
    remark = (
        "logging.getLogger('bitsandbytes.backends.cpu.ops').warning('Failed to load a kernel')"  # as on a CPU with bf16
    )
    code = (
        "import logging, pathlib; from forge_lib.models.llama import load_gguf; "
        f"llm = load_gguf(pathlib.Path({str(f16)!r}), 64); {remark}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_rounds_hold_what_fits():
    for context in (1000, 400, 190, 151):
        found = llama.rounds(100, [30, 10, 40, 20], 60, 3, context)
        assert [n for r in found for n in r] == [0, 1, 2, 3] and max(map(len, found)) <= 3
        rests = [30, 10, 40, 20]
        assert all(len(r) == 1 or 100 + sum(rests[n] + 60 for n in r) <= context for r in found)
    assert llama.rounds(5, [], 60, 3, 100) == []


def test_the_schema_is_read_once(f16, library, tokenizer, monkeypatch):
    fed = []
    original = llama.evaluate_tokens
    monkeypatch.setattr(
        llama, "evaluate_tokens", lambda llm, rows: fed.extend(len(r[2]) for r in rows) or original(llm, rows)
    )
    done = gguf_model(llama.load_gguf(f16, 1024), tokenizer, library, 1)(library.test)
    prompt = encode_prompt(tokenizer, messages_for(library, library.test[0]))
    assert sum(fed) == sum(d.prompt_tokens for d in done) - (len(done) - 1) * len(prompt.prefix)


def test_samples_are_drawn_by_the_seed_as_likely_as_the_logits_say(f16, library, tokenizer):
    llm, prompt = llama.load_gguf(f16, 1024), encode_prompt(tokenizer, messages_for(library, library.test[0]))

    def first_words(seed: int, temperature: float) -> list[int]:
        torch.manual_seed(seed)
        return [c.ids[0] for c in llama.generate_gguf(llm, tokenizer, [prompt] * 16, 1, temperature=temperature)]

    greedy = first_words(1, 0.0)
    assert len(set(greedy)) == 1 and set(first_words(1, 1e-4)) == set(greedy)
    warm = first_words(1, 5.0)
    assert len(set(warm)) > 8 and warm == first_words(1, 5.0) != first_words(2, 5.0)
    logits = llama.evaluate_tokens(llm, [(0, 0, [*prompt.prefix, *prompt.rest])])[0]
    likely = torch.softmax(torch.from_numpy(logits) / 0.5, -1)
    found = Counter(first_words(3, 0.5))
    assert likely[[*found]].mean() > 10 * likely.mean()  # what is drawn is what is likely


def test_it_stops_at_the_end_of_a_turn(f16, tokenizer):
    from llama_cpp import llama_cpp as low

    llm = llama.load_gguf(f16, 512)
    assert llm.token_eos() == tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    vocabulary = low.llama_model_get_vocab(llm.model)
    assert low.llama_vocab_is_eog(vocabulary, tokenizer.eos_token_id)
    assert not low.llama_vocab_is_eog(vocabulary, tokenizer("SELECT")["input_ids"][0])


def test_q8_loads_and_stays_close(f16, q8, tokenizer, texts):
    """Q8_0 through AMX tiles, as GCC 12 compiles them, crashed the process."""
    ids = tokenizer(texts[0])["input_ids"]
    a, b = (llama.evaluate_tokens(llama.load_gguf(f, 512), [(0, 0, ids)], every=True)[0] for f in (f16, q8))
    assert (a.argmax(-1) == b.argmax(-1)).mean() > 0.9
    assert gguf.tensor_types(q8)["Q8_0"] > 200
    assert gguf.file_facts(q8)["megabytes"] < 0.6 * gguf.file_facts(f16)["megabytes"]


def test_quantizing_keeps_the_log_out_of_the_notebook(f16, tmp_path, capfd):
    gguf.quantize(f16, tmp_path / "small.gguf", "Q4_K_M")
    assert "falling back" not in "".join(capfd.readouterr())
    assert gguf.tensor_types(tmp_path / "small.gguf")["Q5_0"] > 0  # 576 is no multiple of 256


def test_a_context_too_small_is_an_error_not_nonsense(f16):
    llm = llama.load_gguf(f16, 256)
    with pytest.raises(ModelError, match="context"):
        for at in range(0, 1000, 200):
            llama.evaluate_tokens(llm, [(0, at, [1] * 200)])


@pytest.mark.parametrize("text", [b"", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64, b"not a model"])
def test_a_damaged_file_is_named(tmp_path, text):
    file = tmp_path / "model-F16.gguf"
    file.write_bytes(text)
    for attempt in (llama.load_gguf, gguf.tensor_types, lambda f: gguf.quantize(f, tmp_path / "x.gguf", "Q8_0")):
        with pytest.raises(
            (ModelError, ExportError), match="model-F16.gguf.*Delete it and run 07_quantization again"
        ) as caught:
            attempt(file)
        assert str(tmp_path) not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["model-F16.gguf"]


@pytest.fixture(scope="module")
def adapter_file(adapter, tmp_path_factory):
    """The adapter alone as a GGUF file."""
    return gguf.convert_adapter(CPU, adapter, tmp_path_factory.mktemp("adapter") / "adapter.gguf")


def test_an_adapter_file_on_its_base_is_the_merged_model(f16, adapter_file, adapter, tokenizer, texts):
    ids = tokenizer(texts[0])["input_ids"]
    got, base = (
        llama.evaluate_tokens(llama.load_gguf(f16, 512, adapter=a), [(0, 0, ids)], every=True)[0]
        for a in (adapter_file, None)
    )
    with torch.inference_mode():
        wanted = merged_model(CPU, adapter, "float32")(torch.tensor([ids])).logits[0].numpy()
    assert (got.argmax(-1) == wanted.argmax(-1)).mean() > 0.98 and np.abs(got - wanted).max() < 0.5
    assert np.abs(base - wanted).max() > 1, "an adapter that was left out would pass the line above"
    assert gguf.file_facts(adapter_file)["megabytes"] < 0.1 * gguf.file_facts(f16)["megabytes"]


def test_a_bad_adapter_file_is_a_sentence(f16, adapter_file, sixteen_bits, tmp_path):
    profile, foreign = sixteen_bits
    other = gguf.convert_adapter(profile, foreign, tmp_path / "other.gguf")
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(adapter_file.read_bytes()[:10_000])
    for file, message in ((tmp_path / "none.gguf", "none.gguf is not there.*convert_adapter"),
                          (torn, "torn.gguf could not be put on model-F16.gguf"),
                          (other, "other.gguf could not be put on model-F16.gguf")):  # fmt: skip
        with pytest.raises(ModelError, match=message) as caught:
            llama.load_gguf(f16, 128, adapter=file)
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(ModelError, match="trained on"):
        gguf.convert_adapter(CPU, foreign, tmp_path / "x.gguf")
    assert not (tmp_path / "x.gguf").exists()


def test_an_unknown_format_is_named(f16, tmp_path):
    with pytest.raises(ExportError, match="Q3_NEW.*Q8_0"):
        gguf.quantize(f16, tmp_path / "x.gguf", "Q3_NEW")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_names_the_notebook(tmp_path):
    with pytest.raises(ModelError, match="07_quantization"):
        llama.load_gguf(tmp_path / "model-F16.gguf")
    with pytest.raises(ExportError, match="07_quantization"):
        gguf.quantize(tmp_path / "model-F16.gguf", tmp_path / "x.gguf", "Q8_0")


def test_a_failed_convert_leaves_no_file(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"architectures": ["NoSuchModel"]}')
    with pytest.raises(ExportError, match="could not convert model/"):
        gguf.convert_f16(tmp_path / "model", tmp_path / "model-F16.gguf")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_an_interrupted_convert_leaves_the_last_good_file(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    target = tmp_path / "model-F16.gguf"
    target.write_bytes(b"good")

    def stop(command, **_):
        half = Path(command[command.index("--outfile") + 1])
        assert LEFTOVER.fullmatch(half.name), "a start sweeps it where a kill leaves it"
        half.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf, "converter", lambda: Path("convert_hf_to_gguf.py"))
    monkeypatch.setattr(subprocess, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        gguf.convert_f16(tmp_path / "model", target)
    assert target.read_bytes() == b"good" and len(list(tmp_path.iterdir())) == 2


def test_no_converter_and_no_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf, "CACHE", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", "no route to host"))
    with pytest.raises(ExportError, match="no route to host.*make install"):
        gguf.converter()
    assert not list(tmp_path.rglob("*.py"))


def test_modelfile_has_template_and_stop_tokens(tmp_path, tokenizer):
    text = write_modelfile(tmp_path / "model-Q8_0.gguf", 96, tokenizer).read_text()
    assert text.startswith("FROM ./model-Q8_0.gguf\n")
    for line in ('PARAMETER stop "<|im_end|>"', "PARAMETER temperature 0", "PARAMETER num_predict 96", INSTRUCTION):
        assert line in text
    assert text.split('TEMPLATE """')[1].split('"""')[0] == go_template(tokenizer)


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{{ THINK }}{% endif %}"
)
TEMPLATES = {
    "ChatML": CHATML.replace("{{ THINK }}", ""),
    "thinking that is switched off": CHATML.replace(
        "{{ THINK }}", "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
    ),
    "Llama 3": (
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content | trim }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
    ),
    "the system message inside the first question": (
        "{% for m in messages %}{% if m.role == 'system' %}<start_of_turn>user\n{{ m.content }}\n\n{% elif m.role == 'user' %}"
        "{% if loop.index0 > 1 %}<start_of_turn>user\n{% endif %}{{ m.content }}<end_of_turn>\n{% else %}"
        "<start_of_turn>model\n{{ m.content }}<end_of_turn>\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
    ),
    "one question only": (
        "{{ messages[0].content }}\n### Question\n{{ messages[-1].content }}\n"
        "{% if add_generation_prompt %}### {{ '{{' }}SQL}}\n{% endif %}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_ollama_sends_the_prompt_that_was_trained(tokenizer, go_rendered, name):
    """Qwen3 was sent off without the empty thought that every prompt of the course ended with."""
    other = copy.deepcopy(tokenizer)
    other.chat_template = TEMPLATES[name]
    asked = [{"role": "system", "content": "Tables:\nbooks(id)"}, {"role": "user", "content": "How many?"}]
    assert go_rendered(go_template(other), asked) == render(other, asked)
    if name != "one question only":
        asked += [{"role": "assistant", "content": "SELECT 1"}, {"role": "user", "content": "And then?"}]
        assert go_rendered(go_template(other), asked) == render(other, asked)


@pytest.mark.parametrize("template", ["{{ messages[-1].content }}", "{{ raise_exception('no system role') }}"])
def test_a_template_without_a_system_message_is_named(tokenizer, tmp_path, template):
    other = copy.deepcopy(tokenizer)
    other.chat_template = template
    with pytest.raises(ExportError, match="chat template"):
        write_modelfile(tmp_path / "m.gguf", 8, other)
    assert list(tmp_path.iterdir()) == []


def test_the_beginning_of_a_sequence_is_left_to_the_runtime_that_adds_it(tokenizer):
    from tokenizers.processors import TemplateProcessing

    other = copy.deepcopy(tokenizer)
    other.chat_template = "{{ bos_token }}" + TEMPLATES["ChatML"]
    assert "<|im_start|><|im_start|>system" in go_template(other)  # SmolLM2's tokenizer adds none
    other.bos_token = "<|endoftext|>"
    other.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", other.bos_token_id)]
    )
    assert "<|endoftext|>" not in go_template(other)


def test_an_empty_list_of_pairs(f16, library: DataSet, tokenizer):
    assert gguf_model(llama.load_gguf(f16, 512), tokenizer, library, 4)([]) == []


def test_the_disk_is_checked_first(tmp_path, monkeypatch):
    from forge_lib.lab.files import RunError

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"x" * 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(RunError, match="free"):
        gguf.convert_f16(tmp_path / "model", tmp_path / "model-F16.gguf")
