"""What GRPO gained from a start: a line for the runs of one size, over their seeds, with the start's own answers."""

from forge_lib.publishing.grpo_starts import starts_sentences, starts_table

START = {"start": "40", "tokens": 64, "checks": None}
SIZE = {"steps": 2, "prompts": 1, "generations": 8, "rate": 2e-4}


def answers(right, runs):
    return [
        {"id": n, "context": n // 4, "verdict": "", "correct": n < right, "valid": 7 * n % 20 < runs} for n in range(20)
    ]


def row(seed, right, runs, **size):
    log = [{"step": n, "groups": 2, "step_time": 30.0} for n in (1, 2)]
    return START | SIZE | size | {"seed": seed, "log": log, "validation": answers(right, runs)}


BEFORE = START | {"seed": None, "validation": answers(2, 8)}


def test_a_line_is_the_runs_of_one_size_over_their_seeds():
    text = starts_table([BEFORE, row(17, 4, 14), row(18, 6, 16), row(17, 3, 9, rate=1e-4), row(18, 3, 9, rate=1e-4)])
    _, _, high, low = text.splitlines()
    assert high.startswith("| 40 SFT steps | 0.0002 | 2 | 32 | 1 | 10.0 (2 of 20) | +15.0 [")
    assert "(+10.0, +20.0) | 40.0 (8 of 20) | +35.0 [" in high and high.endswith("(+30.0, +40.0) |")
    assert low.startswith("| 40 SFT steps | 0.0001 |") and "(+5.0, +5.0)" in low


def test_one_seed_alone_has_no_line():
    assert starts_table([BEFORE, row(17, 4, 14)]) == "" == starts_table([])


def test_runs_are_compared_with_their_own_start():
    full = START | {"start": "full", "seed": None, "validation": answers(10, 20)}
    runs = [row(seed, 10, 20, start="full") for seed in (17, 18)]
    line = starts_table([BEFORE, full, *runs]).splitlines()[2]
    assert line.startswith("| the course's adapter |") and "50.0 (10 of 20) | +0.0 [" in line


def test_a_sentence_says_no_more_than_its_interval():
    rows = [BEFORE, *(row(seed, right, runs) for seed, right, runs in ((17, 1, 20), (18, 3, 20), (19, 2, 20)))]
    assert starts_sentences(rows) == [
        "From 40 SFT steps at rate 0.0002, over 3 seeds: no change shown in right answers, more answers that run."
    ]
