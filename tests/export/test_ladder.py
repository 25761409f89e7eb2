"""The ladder: what a file is measured by, and the rule by which one ships."""

import itertools
import math

import pytest
import torch

from forge_lib.export import gguf
from forge_lib.export.gguf import ExportError
from forge_lib.export.ladder import answer_log_probs, choose, fidelity, speed
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example, encode
from forge_lib.models.llama import load_gguf
from forge_lib.models.load import load_base

pytestmark = pytest.mark.slow

CPU = PROFILES["cpu"]


@pytest.fixture
def examples(library, tokenizer) -> list[Example]:
    return [encode(tokenizer, library.messages(i), i.answer) for i in library.test]


def test_log_probs_are_those_of_transformers_in_the_order_asked(f16, examples):
    """A position off by one, or a question that sees its neighbour, would be another distribution."""
    got = answer_log_probs(load_gguf(f16, 512), examples[::-1])
    model, wanted = load_base(CPU, "float32"), []
    for e in examples[::-1]:
        with torch.inference_mode():
            logits = model(torch.tensor([e.input_ids])).logits[0]
        wanted.append(torch.log_softmax(logits[-len(e.answer) - 1 : -1], -1))
    wanted = torch.cat(wanted)
    measured = fidelity(wanted, got, examples[::-1])
    assert measured["same_top"] > 0.95 and measured["kl_mean"] < 1e-3
    assert measured["tokens"] == sum(len(e.answer) for e in examples) == len(got)
    loss = torch.nn.functional.nll_loss(wanted, torch.tensor([t for e in examples[::-1] for t in e.answer]))
    assert measured["perplexity"] == pytest.approx(math.exp(loss), rel=0.02)


def test_fidelity_by_hand():
    p = torch.log(torch.tensor([[0.5, 0.25, 0.25]] * 99 + [[0.9, 0.05, 0.05]]))
    q = p.clone()
    q[-1] = torch.log(torch.tensor([0.05, 0.9, 0.05]))
    examples = [Example((1,), (2,), (0,) * 60), Example((1,), (2,), (0,) * 40)]
    same, far = fidelity(p, p, examples), fidelity(p, q, examples)
    assert same["kl_mean"] == pytest.approx(0, abs=1e-6) and same["same_top"] == 1
    one = 0.9 * math.log(0.9 / 0.05) + 0.05 * math.log(0.05 / 0.9)
    assert far["kl_mean"] == pytest.approx(one / 100, rel=1e-4) and far["same_top"] == pytest.approx(0.99)
    assert far["perplexity"] == pytest.approx(math.exp((99 * math.log(2) - math.log(0.05)) / 100), rel=1e-4)
    assert 0 < far["kl_p99"] < one
    with pytest.raises(ExportError, match="same examples"):
        fidelity(p, q[:-1], examples)


def test_speed_counts_all_answers_of_a_batch(f16, monkeypatch):
    """By a clock that ticks once a look: 32 tokens are read, two are written, and two by each of eight."""
    llm = load_gguf(f16, 128)
    monkeypatch.setattr("forge_lib.export.ladder.time.perf_counter", itertools.count().__next__)
    assert speed(llm, prompt=32, new=2, slots=8, repeats=2) == {"read": 32, "write": 2, "write_batched": 16}
    with pytest.raises(ExportError, match="context of 288"):
        speed(llm, prompt=256, new=2, slots=16)


def test_the_tensors_that_fell_back_are_those_llama_cpp_warns_of(f16, tmp_path, monkeypatch):
    logs, quiet = [], gguf._quiet

    def kept():
        class Both:
            def __enter__(self):
                self.inner = quiet()
                logs.append(self.inner.__enter__())
                return logs[-1]

            def __exit__(self, *error):
                return self.inner.__exit__(*error)

        return Both()

    monkeypatch.setattr(gguf, "_quiet", kept)
    for kind, count in (("Q4_K_M", 181), ("Q4_0", 1), ("Q8_0", 0)):
        file = gguf.quantize(f16, tmp_path / f"{kind}.gguf", kind)
        rows = gguf.fallbacks(file, kind)
        warned = {line.split()[1] for line in logs[-1] if "not divisible by 256" in line and line.startswith("warning")}
        assert {r["tensor"] for r in rows} >= warned and len(rows) == count
        file.unlink()
    assert gguf.fallbacks(f16, "F16") == []


@pytest.fixture
def ladder(tmp_path):
    """A function: files of given sizes, and records in which given numbers of 100 answers were lost and gained."""

    def make(**kinds: tuple[int, int, int]):
        files, records = {}, {}
        for kind, (size, lost, gained) in kinds.items():
            files[kind] = tmp_path / f"{kind}.gguf"
            files[kind].write_bytes(bytes(size))
            records[kind] = [
                {"contender": kind, "id": f"{n}", "context": f"db{n % 25}", "part": "seen", "wording": "",
                 "correct": lost <= n < 50 + gained}
                for n in range(100)
            ]  # fmt: skip
        return files, records

    return make


def test_the_smallest_file_that_is_not_inferior_ships(ladder):
    files, records = ladder(F16=(400, 0, 0), Q8_0=(200, 0, 0), Q5_0=(120, 1, 1), Q4_0=(90, 9, 3))
    choice = choose(files, records, margin=5)
    assert choice.kind == "Q5_0" and choice.passed == ["Q8_0", "Q5_0"]
    assert "Q5_0 ships: the smallest file shown to lose less than 5 points against F16" in str(choice)
    assert choice.comparisons["Q4_0"].low < -5
    assert choose(dict(reversed(files.items())), dict(reversed(records.items())), margin=5).kind == "Q5_0"


def test_a_loss_that_is_not_significant_is_not_no_loss(ladder):
    """Seven lost and three gained: no significant difference (p = 0.34), and a loss of two points is not excluded."""
    files, records = ladder(F16=(400, 0, 0), Q4_0=(90, 7, 3))
    choice = choose(files, records, margin=2)
    assert choice.kind == "F16" and choice.passed == [] and not choice.comparisons["Q4_0"].significant
    assert "no smaller file is shown to lose less than 2 points" in str(choice)


def test_what_cannot_be_chosen_from_is_a_sentence(ladder):
    files, records = ladder(F16=(4, 0, 0), Q8_0=(2, 0, 0))
    for margin in (0, -2, 100, float("nan")):
        with pytest.raises(ExportError, match="margin"):
            choose(files, records, margin)
    for bad in ({"Q8_0": records["Q8_0"]}, {**records, "Q4_0": records["Q8_0"]}):
        with pytest.raises(ExportError, match="each file needs its records"):
            choose(files, bad, 2)


def test_every_rung_is_a_format_of_llama_cpp():
    import llama_cpp

    assert len(CPU.gguf_formats) == 9
    for profile in PROFILES.values():
        assert all(hasattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}") for kind in profile.gguf_formats)
        assert {*profile.gguf_formats} <= {*CPU.gguf_formats}
