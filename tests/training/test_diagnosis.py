import pytest

from forge_lib.training.diagnosis import diagnose, stop_reason

STEP = {"reward": 0.4, "frac_reward_zero_std": 0.1, "entropy": 0.6, "kl": 0.01, "completions/clipped_ratio": 0.0,
        "clip_ratio/region_mean": 0.0}  # fmt: skip


def steps(count: int = 6, **changes) -> list[dict]:
    return [STEP | {k: v[n] if isinstance(v, list) else v for k, v in changes.items()} for n in range(count)]


def test_a_run_in_which_nothing_stands_out_is_left_in_peace():
    assert diagnose(steps(reward=[0.3, 0.35, 0.4, 0.45, 0.5, 0.5])) == []


SILENT = {"frac_reward_zero_std": 1.0}


@pytest.mark.parametrize(
    "changes, words",
    [
        (SILENT | {"reward": 0.0}, "No answer earns anything"),
        (SILENT | {"reward": 1.0}, "nothing left to teach"),
        (SILENT | {"completions/clipped_ratio": 0.9, "reward": 0.0}, "raise max_new_tokens"),
        (SILENT | {"entropy": 0.01}, "all alike"),
        (SILENT, "rewards do not"),
        ({"completions/clipped_ratio": 0.3}, "30% of the answers were cut"),
        ({"entropy": [0.6, 0.5, 0.3, 0.1, 0.04, 0.02]}, "Entropy fell from 0.60 to 0.02"),
        ({"kl": [0, 0.1, 0.3, 0.5, 0.8, 1.2]}, "1.20 nats a token away"),
        ({"clip_ratio/region_mean": 0.4}, "fewer updates"),
        ({"reward": [0.2, 0.3, 0.5, 0.7, 0.9, 1.0], "probe_reward": [0.3, 0.3, 0.2, 0.2, 0.1, 0.0]}, "gamed"),
    ],
)
def test_what_is_the_matter_is_said_once(changes, words):
    said = diagnose(steps(**changes))
    assert sum(words in sentence for sentence in said) == 1
    assert len(said) == (2 if "frac_reward_zero_std" in changes else 1)


def test_a_reward_that_rises_with_the_grade_is_not_gamed():
    assert diagnose(steps(reward=[0.2, 0.3, 0.5, 0.7, 0.9, 1.0], probe_reward=[0.1, 0.1, 0.2, 0.2, 0.3, 0.4])) == []


def test_a_run_ends_only_after_so_many_silent_steps_in_a_row():
    silent = steps(**SILENT)
    assert stop_reason(silent[:2], 3) is None
    assert "step 3" in stop_reason(silent[:3], 3)
    assert stop_reason([*silent[:5], STEP], 3) is None


def test_an_empty_log_is_said():
    assert diagnose([]) == ["The log is empty: no step was made."]
