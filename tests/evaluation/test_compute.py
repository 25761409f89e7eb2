import pytest

from forge_lib.evaluation.compute import Compute, compute_table, of_answers, of_grpo, of_training
from forge_lib.models.generate import Completion


def records(name, right):
    return [
        {"contender": name, "id": str(n), "context": f"db{n % 4}", "correct": bool(r), "prompt_tokens": 90,
         "completion_tokens": 10, "seconds": 0.5}
        for n, r in enumerate(right)
    ]  # fmt: skip


def test_parts_add_up():
    training = of_training([{"tokens": 100, "seconds": 2.0, "loss": 1.0}] * 3)
    mined = of_answers([Completion("SELECT 1", 50, 5, 0.5, True)] * 2)
    assert training == Compute(0, 300, 6.0) and mined == Compute(110, 0, 1.0)
    assert training + mined + Compute() == Compute(110, 300, 7.0)
    assert of_answers([]) == of_training([]) == Compute()


def test_groups_that_a_run_skips_are_sampled_and_no_more():
    record = {"groups": 6, "frac_reward_zero_std": 0.5, "completions/mean_length": 20.0, "step_time": 3.0}
    assert of_grpo([record] * 2, 99, 4, 80) == Compute(2 * (2400 + 1200), 2 * 1200, 6.0)


def test_a_backward_token_costs_more_and_most_where_all_weights_are_trained():
    assert Compute(backward=1).flops(100) == 400 and Compute(backward=1).flops(100, lora=False) == 600


def test_the_table_lines_methods_up_with_their_cost_and_their_paired_difference():
    sft, dpo = records("SFT", [0, 1] * 20), records("DPO", [1, 1] * 20)
    table = compute_table({"SFT": (Compute(), sft), "DPO": (Compute(1000, 500, 120.0), dpo),
                           "GRPO": (Compute(3000, 500, 60.0), sft)}, 10**9)  # fmt: skip
    assert table.index.tolist() == ["SFT", "DPO", "GRPO"]
    assert table.loc["DPO", "against SFT"].startswith("+50.0 [") and table.loc["DPO", "p (McNemar)"] < 0.01
    assert table.loc["GRPO", "against SFT"].startswith("+0.0 [") and str(table.loc["SFT", "against SFT"]) == "nan"
    assert table["of the dearest"].tolist() == pytest.approx([0, 50, 100])
    assert table["minutes"].tolist() == [0, 2, 1] and table["tokens an answer"].tolist() == [100] * 3
    assert table["accuracy"].iloc[0].startswith("50.0 [")


def test_a_missing_baseline_and_other_items_are_named():
    with pytest.raises(ValueError, match="no 'SFT' to compare with"):
        compute_table({"DPO": (Compute(), records("DPO", [1]))}, 1)
    with pytest.raises(ValueError, match="different items"):
        compute_table({"SFT": (Compute(), records("SFT", [1])), "DPO": (Compute(), records("DPO", [1, 0]))}, 1)
