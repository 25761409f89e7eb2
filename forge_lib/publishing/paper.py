"""`python -m forge_lib.publishing.paper --run NAME`: a technical report on a finished run, as Markdown and as PDF.

Written to `runs/NAME/paper/`, whole or not at all. Every number in it is computed from the run's files.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError

from forge_lib.evaluation.statistics import Comparison
from forge_lib.lab.files import RunError, said
from forge_lib.lab.interrupts import ending
from forge_lib.lab.lock import check_free
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import Profile
from forge_lib.lab.runs import Run, existing
from forge_lib.models.embedded import describe_base
from forge_lib.models.load import base_id
from forge_lib.publishing import paper_tables, reproduction
from forge_lib.publishing.card import is_own, licence
from forge_lib.publishing.leaks import leaks
from forge_lib.publishing.markdown import Marked, block, code, escape, one_line
from forge_lib.publishing.paper_page import Page
from forge_lib.publishing.stages import DAMAGE, ablations, gather
from forge_lib.publishing.typeset import write_pdf
from forge_lib.tasks import get
from forge_lib.training.grpo import CLIP, KL_WEIGHT, TEMPERATURE
from forge_lib.training.sft import settings_for

_TEMPLATE = Path(__file__).with_name("paper.md")
_QUOTED = 4  # answers, where the data's licence is known
_LONGEST = 300  # letters of one line that is quoted


def write_paper(run: Run, author: str = "", quoted: int | None = None) -> Path:
    """Write `paper/paper.md`, `paper/paper.pdf` and `paper/figures/` of a run; returns the folder.

    author: the line under the title; quoted: how many answers are shown, by default some where the data's licence is
    known and none of the reader's own data. Raises RunError for a run without an evaluation, for a damaged file, and
    where the report would hold a secret or a path of this machine; a report that was there then stays.
    """
    run = replace(run, source=run.data)  # of the source a run keeps no more than the name
    check_free(run.dir)
    with run.stage("paper") as work:
        try:
            text = _report(run, work / "figures", author, quoted)
        except (*DAMAGE, TemplateError) as error:
            raise RunError(
                f"The results in runs/{run.name} cannot be made a report ({type(error).__name__}: {said(error)}): they are "
                "damaged, or of another version of the course. Run the notebooks from 02_data on again."
            ) from error
        (work / "paper.md").write_text(text, encoding="utf-8", newline="\n")
        write_pdf(text, work / "paper.pdf", work)
        if found := leaks(work):
            lines = "\n".join(f"- {leak}" for leak in found[:20])
            raise RunError(
                f"The report on '{run.name}' is not written, because it would hold what must not leave this machine:\n{lines}\n"
                "Take that out of the run; if it stands in a quoted answer, --examples 0 quotes none."
            )
    return run.path("paper")


def _report(run: Run, figures: Path, author: str, quoted: int | None) -> str:
    """The report as Markdown; its figures are drawn on the way."""
    facts, config = gather(run), run.config("sft")
    evaluation, lora, setup, analysis = (facts[name] for name in ("evaluation", "lora", "setup", "analysis"))
    profile = Profile(**{**config["profile"], "gguf_formats": tuple(config["profile"]["gguf_formats"])})
    about, card = _of_card(run, profile, config, evaluation)
    metric = about.get("metric_name", "accuracy")
    own = is_own(run)
    quoted = (0 if own else _QUOTED) if quoted is None else quoted
    answers = evaluation.answers.get(evaluation.shipped["contender"], [])
    page, base = Page(figures, facts, metric), base_id(profile)
    template = Environment(
        undefined=StrictUndefined, finalize=escape, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    ).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    filled = template.render(
        **facts, run=run, author=author, p=profile, config=config, settings=settings_for(profile), own=own, card=card,
        title=f"Fine-tuning {base.rpartition('/')[2]} for {about['task_name']}", task=about["task_name"],
        metric=metric, base=base, base_described=describe_base(profile.base_model), date=reproduction.day(run),
        shipped=evaluation.shipped, n=evaluation.shipped["items"], n_contexts=len({r["context"] for r in answers}),
        parameters=next((s["parameters"] for s in (lora, setup) if s and "parameters" in s), None),
        clip=CLIP, kl_weight=KL_WEIGHT, temperature=TEMPERATURE, ablations=ablations(run),
        notes=_notes,
        errors=_errors(evaluation, analysis), probe=analysis["probe"] if analysis else None,
        examples=_examples(answers, quoted, run.seed), machine=reproduction.machine(config, setup), hashes=block(reproduction.hashes(run, facts)),
        commands=block(reproduction.commands(run, facts)),
        tables=paper_tables, table=page.table, figure=page.figure, cite=page.cite, references=page.references,
        cite_base=page.cite_base, code=code, ci=_interval, change=_change, verdict=_verdict, duration=_duration, missing=_missing, parts=_parts, losses=_losses, lost=_excluded,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", filled).strip() + "\n"


def _of_card(run: Run, profile: Profile, config: dict, evaluation: SimpleNamespace) -> tuple[dict, dict[str, Marked]]:
    """What the task's card says: its head, and the sections that can be filled without the rest of a card."""
    task, base = get(run.task), base_id(profile)
    head, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", task.CARD.read_text("utf-8"), re.S).groups()
    known = {
        "run": replace(run, profile=profile), "base": base, "tuned": evaluation.shipped["contender"], "own": is_own(run),
        "licence": licence(base, run.data, run.task)[1], **task.card_facts(run.data),
        "versions": ", ".join(f"{k} {v}" for k, v in config["versions"].items() if v != "absent"),
    }  # fmt: skip
    about = yaml.safe_load(Environment(undefined=StrictUndefined).from_string(head).render(known))
    filled, (_, *parts) = {}, re.split(r"^## (.+)\n", body, flags=re.M)
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        with suppress(TemplateError):  # it speaks of results, or its condition spans sections
            section = Environment(finalize=escape).from_string(text).render(known)
            filled[title.strip()] = Marked(section.strip())
    if made := filled.get("How it was made"):  # licence and versions stand elsewhere in a report
        filled["How it was made"] = Marked(made.split("\n\n")[0])
    return about, filled


def _interval(row: dict) -> str:
    return f"{row['all']:.1f} [{row['all_low']:.1f}, {row['all_high']:.1f}]"


def _change(c: Comparison) -> str:
    return f"{c.difference:+.1f} points [{c.low:+.1f}, {c.high:+.1f}], McNemar p = {c.p_value:.2g}"


def _verdict(c: Comparison) -> str:
    """What may be said of a paired comparison."""
    return "significant" if c.significant else f"not significant; {_excluded(vars(c))}"


def _excluded(difference: dict) -> str:
    """What an interval leaves open."""
    low, high = difference["low"], difference["high"]
    if low > 0 or high < 0:
        return f"the whole interval lies {'above' if low > 0 else 'below'} zero"
    return f"the interval excludes neither a loss of {-low:.1f} points nor a gain of {high:.1f}"


def _duration(minutes: float) -> str:
    return f"{minutes:.1f} minutes" if minutes >= 1 else f"{60 * minutes:.1f} seconds"


def _missing(what: str, notebook: str) -> Marked:
    return Marked(f"*Not run: {what}. {escape(notebook)} has saved nothing in this run.*")


def _parts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} ({name})" for name, number in counts.items())


def _losses(by_kind: dict[str, float]) -> str:
    return ", ".join(f"{kind} {loss:.2f}" for kind, loss in by_kind.items())


def _notes(found: Sequence[dict | Comparison]) -> list[str]:
    """What intervals rest on, a sentence each; whose they are where not all rest on the same."""
    whose: dict[str, list[str]] = {}
    for one in found:
        row = isinstance(one, dict)
        note = one.get("interval_note", "") if row else one.note
        whose.setdefault(note, []).append(one["contender"] if row else f"{one.second} against {one.first} ({one.part})")
    named = {note: f" of {'; '.join(names)}" if len(whose) > 1 else "" for note, names in whose.items()}
    return [f"On the intervals{names}: {note}." for note, names in named.items() if note]


def _errors(evaluation: SimpleNamespace, analysis: dict | None) -> dict[str, dict[str, float]]:
    """Classes of error of the base and of what ships, as 09 counted them."""
    wanted = [row["contender"] for row in (evaluation.base, evaluation.shipped) if row]
    found = analysis["errors"] if analysis else {}
    return {name: found[name] for name in wanted if name in found}


def _examples(answers: Sequence[dict], count: int, seed: int) -> list[Marked]:
    """Up to `count` answers with what was asked: one of each verdict, the commonest first, and round again."""
    drawn = sorted(answers, key=lambda r: r["id"])
    random.Random(seed).shuffle(drawn)
    rounds: dict[str, int] = {}
    ranked = []
    for record in drawn:
        rounds[record["verdict"]] = rounds.get(record["verdict"], -1) + 1
        ranked.append((rounds[record["verdict"]], not record["correct"], record))
    return [_example(record) for *_, record in sorted(ranked, key=lambda r: r[:2])[:count]]


def _example(record: dict) -> Marked:
    """The fields of the task's item, under its own names, and the answer."""
    about = {"contender", "id", "context", "difficulty", "part", "wording", "provenance"}
    item = list(record)[: list(record).index("answer")]
    shown = {k: record[k] for k in item if k not in about and record[k] != record["context"]} | {
        "answer": record["answer"]
    }
    lines = [f"{name}: {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}" for name, value in shown.items()
             if (text := one_line(value))]  # fmt: skip
    return Marked(f"*{escape(record['verdict'])}*, context {code(record['context'])}:\n\n{block(lines)}")


def main(given: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="default", help="name of the run folder under runs/")
    parser.add_argument("--author", default="", help="the line under the title")
    parser.add_argument(
        "--examples", type=whole_number(0, 999), help=f"answers to quote ({_QUOTED}; none where the data are your own)"
    )
    options = parser.parse_args(given)
    with ending("Stopped. A report that was there is as it was."):
        try:
            folder = write_paper(existing(options.run), options.author, options.examples)
        except (OSError, RunError) as error:
            print(f"paper: {error}", file=sys.stderr)
            return 2
    print(f"runs/{options.run}/paper/: {', '.join(sorted(p.name for p in folder.iterdir()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
