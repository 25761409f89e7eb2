"""Score a model on a part of a data set, and write what came of it as JSON:

python -m forge_lib.evaluation --model runs/default/sft/adapter --data course --part validation

MODEL is base, course (the adapter that comes with it), run:NAME (the GGUF that the run ships), a .gguf file, a folder with
an adapter or a whole model, or endpoint:NAME (OPENAI_API_KEY and OPENAI_BASE_URL say where). Stopped and called again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forge_lib.data.items import DataError, fingerprint, spread
from forge_lib.lab.files import RunError
from forge_lib.lab.interrupts import ending
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import PROFILES, Profile, ProfileError, get_profile
from forge_lib.lab.runs import SEED, seed_argument

if TYPE_CHECKING:
    from forge_lib.data.items import Item
    from forge_lib.evaluation.contenders import Contender
    from forge_lib.tasks import TaskData

_WITHOUT_MODEL = ("nearest", "fill")
_WAYS = "--shots, --with-contexts, --begin, --constrain and --vote"
_ENDPOINT = "endpoint:"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "forge_lib.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="what answers (see above)")
    parser.add_argument("--contender", choices=("model", *_WITHOUT_MODEL), default="model",
                        help="nearest: the answer of the most similar training question; fill: that one with the names of "
                             "the question's own context; both without --model")  # fmt: skip
    parser.add_argument(
        "--data", default="course", help="course, spider:DIR, bird:DIR, my:DIR, sqlite:FILE (default: course)"
    )
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument(
        "--limit", type=whole_number(1), metavar="N", help="score N items, drawn evenly over the contexts"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the result; answers go beside it (default: MODEL-DATA-PART.json)"
    )
    parser.add_argument(
        "--shots", type=whole_number(1), metavar="K", help="show the K most similar training items first"
    )
    parser.add_argument("--of", choices=("same", "other", "both"), default="same", help="of which contexts these are")
    parser.add_argument("--with-contexts", action="store_true", help="show those of other contexts with their context")
    parser.add_argument("--begin", default="", metavar="TEXT", help="what every answer begins with, such as SELECT")
    parser.add_argument("--constrain", action="store_true", help="let it write only what the task's grammar allows")
    parser.add_argument("--vote", type=whole_number(2), metavar="K", help="give the answer on whose result most of K answers "
                        "agree: the greedy one and K - 1 samples; K times the work")  # fmt: skip
    parser.add_argument(
        "--max-new-tokens", type=whole_number(1), metavar="T", help="of an answer (default: the profile's)"
    )
    parser.add_argument(
        "--profile", default="auto", help=f"whose base the model was made of: {', '.join(PROFILES)} or auto"
    )
    parser.add_argument("--task", default="sql")
    parser.add_argument("--seed", type=seed_argument, default=SEED, help="draws what is held out, and the N items")
    parser.add_argument("--quiet", action="store_true", help="no progress on the way")
    return parser


def main(given: list[str] | None = None) -> int:
    """Scores; returns 0, or 2 where something is the matter, in one sentence on stderr (Ctrl-C: 130, and call it again)."""
    parser = arguments()
    options = parser.parse_args(given)
    if (options.contender == "model") != bool(options.model):
        parser.error("give --model, or one of --contender nearest and --contender fill, and not both")
    if options.contender != "model" and _ways(options):
        parser.error(f"{_WAYS} are for a model")
    if options.constrain and options.begin:
        parser.error("the grammar begins with the answer's first word: give --constrain or --begin, and not both")
    from forge_lib.evaluation.scoring import (
        predictions_file,  # here: it takes seconds, and a wrong word is said at once
    )
    from forge_lib.models.embedded import ModelError
    from forge_lib.models.endpoint import EndpointError
    from forge_lib.tasks import GoldError

    out = options.out or Path(f"{_slug(options.model or options.contender)}-{_slug(options.data)}-{options.part}.json")
    try:
        with ending(f"Stopped. The same command goes on from {predictions_file(out).name}."):
            result = _score(options, out)
    except (DataError, EndpointError, GoldError, ModelError, ProfileError, RunError) as error:
        print(f"evaluation: {error}", file=sys.stderr)
        return 2
    print(_sentence(result, out))
    return 0


def _ways(options: argparse.Namespace) -> bool:
    """Whether a model of this machine is to be asked in another way than as it is."""
    return bool(options.shots or options.begin or options.with_contexts or options.constrain or options.vote)


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", Path(text).name if "/" in text else text).strip("-.") or "model"


def _score(options: argparse.Namespace, out: Path) -> dict:
    from forge_lib.evaluation.scoring import score_items
    from forge_lib.tasks import get

    profile = get_profile(options.profile)[0]
    data = get(options.task).load(options.data, seed=options.seed)
    items = _items(options, data)
    contender, profile, model, at_once = _opened(options, data, profile, out)
    if profile:
        data.fit_prompts(profile)
    about = Path(options.data.partition(":")[2]).name
    settings = {
        "task": options.task, "data": f"{options.data.partition(':')[0]}{':' if about else ''}{about}", "part": options.part,
        "items": len(items), "fingerprint": fingerprint(items), "seed": options.seed, "contender": options.contender,
        "model": model.get("sha256") or model["name"], "profile": profile.name if profile else None,
        "shots": options.shots or 0, "of": options.of, "with_contexts": options.with_contexts, "begin": options.begin, "constrain": options.constrain,
        "vote": options.vote,
        "max_new_tokens": options.max_new_tokens or (profile.max_new_tokens if profile else None),
    }  # fmt: skip
    return score_items(model["name"], contender, data, items, settings, out, model, at_once, not options.quiet)


def _items(options: argparse.Namespace, data: TaskData) -> list[Item]:
    parts = dict(data.splits())
    if not parts[options.part]:
        filled = [name for name in ("validation", "test") if parts[name]]
        raise DataError(
            f"{data.name} has no {options.part} part. Choose --part {' or '.join(filled) or 'of other data: it has none'}."
        )
    return spread(parts[options.part], options.limit, options.seed)


def _opened(
    options: argparse.Namespace, data: TaskData, profile: Profile, out: Path
) -> tuple[Contender, Profile | None, dict, int]:
    """Who answers, the profile of the model's base (None: there is none), what it is, and how many items it is asked at once."""
    from forge_lib.evaluation import contenders
    from forge_lib.evaluation.prompting import Prompting
    from forge_lib.evaluation.voting import TEMPERATURE, voting

    if not data.train and (options.shots or options.contender in _WITHOUT_MODEL):
        raise DataError(
            f"{data.name} has no train part, from which --shots, nearest and fill take what they show or answer. Ask a model "
            "without --shots, or give data with a train part."
        )
    if options.contender == "nearest":
        return contenders.nearest_neighbour(data.train), None, {"name": "nearest neighbour"}, 64
    if options.contender == "fill":
        return contenders.retrieve_and_fill(data), None, {"name": "retrieve and fill"}, 8
    if options.model.startswith(_ENDPOINT):
        return _endpoint(options, data, profile, out)
    from forge_lib.models.opening import open_weights

    opened = open_weights(options.model, profile, profile.eval_batch)
    way = Prompting(options.shots or 0, options.of, options.with_contexts, options.begin).options(data.train)

    limit = options.max_new_tokens or opened.profile.max_new_tokens

    def answering(temperature: float) -> Contender:
        def complete(prompts, limit: int, constraints):
            return opened.complete(contenders.share_more(prompts), limit, constraints, temperature)

        return contenders.prompted(complete, opened.tokenizer, data, limit, constrain=options.constrain, **way)

    contender = answering(0.0)
    if options.vote:
        contender = voting(data, contender, answering(TEMPERATURE), options.vote - 1, options.seed)
    model = {"name": opened.name, "about": opened.about, "profile": opened.profile.name, "sha256": opened.digest()}
    return contender, opened.profile, model, min(opened.profile.eval_batch, 16)  # more would be lost by a kill


def _endpoint(options, data: TaskData, profile: Profile, out: Path) -> tuple[Contender, None, dict, int]:
    from forge_lib.evaluation.contenders import openai_endpoint
    from forge_lib.models.endpoint import EndpointError

    if _ways(options):
        raise EndpointError(f"An endpoint is asked as it is: leave out {_WAYS}.")
    name = options.model.removeprefix(_ENDPOINT)
    limit = options.max_new_tokens or profile.max_new_tokens
    contender = openai_endpoint(data, limit, name or None, out.with_suffix(".replies.jsonl"))
    if contender is None:
        raise EndpointError(
            "OPENAI_API_KEY is not set. Set it (a local server takes any), and OPENAI_BASE_URL for another server."
        )
    return contender, None, {"name": name or "endpoint"}, 1


def _sentence(result: dict, out: Path) -> str:
    found = result["metrics"]["accuracy"]
    parts = ", ".join(
        f"{label} {g['percent']:.1f}% [{g['low']:.1f}, {g['high']:.1f}] of {g['items']}" for label, g in found.items()
    )
    left = f" {len(result['left_out'])} items are left out, as their own answer fails." if result["left_out"] else ""
    return f"{result['model']['name']}: {parts}.{left} Written to {out.name}."


if __name__ == "__main__":
    sys.exit(main())
