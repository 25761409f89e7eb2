"""The gate's time on 1,000, 10,000 and 100,000 pairs, whole and the search for near-duplicates alone.

`python -m benchmarks.gate` prints seconds and pairs/s; next to the search its quadratic counterpart, every question
against every other (rapidfuzz, all in C++), as far as that is bearable. For these two all pairs count as one database's,
as they do for a user who has one; the whole gate has them over the course's databases. The pairs are the course's own; beyond
their number come copies with the words of the question in another order, which are no near-duplicates but execute,
parse and count like the others.
"""

import argparse
import random
import time
from dataclasses import replace

from rapidfuzz import fuzz, process

from forge_lib.data.items import normalize
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.load import load_tokenizer
from forge_lib.tasks.sql.gate import check_pairs, near_duplicates
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sources.course import load_course

QUADRATIC_LIMIT = 10_000


def many(pairs: list[Pair], count: int, rng: random.Random) -> list[Pair]:
    """`count` pairs: those given, then copies with shuffled words."""
    drawn = list(pairs[:count])
    while len(drawn) < count:
        pair = pairs[len(drawn) % len(pairs)]
        words = pair.question.split()
        rng.shuffle(words)
        drawn.append(replace(pair, id=f"{pair.id}-{len(drawn)}", question=" ".join(words)))
    return drawn


def quadratic(pairs: list[Pair]) -> float:
    """Seconds to compare every question with all others."""
    questions = [normalize(p.question) for p in pairs]
    began = time.perf_counter()
    process.cdist(questions, questions, scorer=fuzz.ratio, score_cutoff=90, workers=1)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    sizes = parser.parse_args().sizes
    data, tokenizer, rng = load_course(), load_tokenizer(PROFILES["cpu"]), random.Random(17)
    pool = rng.sample(data.train, len(data.train))
    largest = max(sizes)
    lumped = [replace(p, db_id="one") for p in many(pool, largest, rng)]
    print(f"{'pairs':>8}  {'whole gate':>16}  {'near-duplicates':>16}  {'quadratic':>12}")
    for size in sizes:
        pairs, one = many(pool, size, rng), lumped[:size]
        began = time.perf_counter()
        check_pairs(data, pairs, tokenizer, 1024)
        whole = time.perf_counter() - began
        began = time.perf_counter()
        near_duplicates(one, one)
        alone = time.perf_counter() - began
        other = f"{quadratic(one):.1f} s" if size <= QUADRATIC_LIMIT else "not run"
        print(
            f"{size:>8,}  {whole:7.1f} s {size / whole:5,.0f}/s  {alone:7.1f} s {size / alone:5,.0f}/s  {other:>12}",
            flush=True,
        )


if __name__ == "__main__":
    main()
