"""The objective against TRL's GRPOTrainer, on the same answers: advantages, loss and gradient, setting by setting."""

import dataclasses

import pytest
import torch

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example, encode_prompt
from forge_lib.training import TrainingError
from forge_lib.training.grpo import group_advantages, shared_prompt_logps
from forge_lib.training.policy_loss import DAPO, DR_GRPO, GRPO, Objective, clipped, k3, policy_loss, token_weights
from forge_lib.training.sft import add_lora

LONGEST = 6
QUESTIONS = ("How many books?", "Titles, please, from A to Z")
ANSWERS = [(50, 60, 70), (50, 61), (52, 60, 70, 71, 72), (53,), (80, 81), (80, 82, 83, 84), (85, 86, 87), (80, 81)]
REWARDS = [1.0, 0.0, 0.2, 0.2, 0.1, 0.1, 0.0, 0.5]


def prompts():
    return [[{"role": "user", "content": q}] for q in QUESTIONS for _ in range(4)]


@pytest.fixture(scope="module")
def trl(random_llama, tokenizer, tmp_path_factory):
    """TRL's trainer on a tiny model whose adapter has moved from the anchor, its batch made by its own path."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    torch.manual_seed(1)
    model = add_lora(random_llama(), dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4))
    args = GRPOConfig(
        output_dir=str(tmp_path_factory.mktemp("trl")), per_device_train_batch_size=8, num_generations=4, beta=0.02,
        max_completion_length=LONGEST, use_bias_correction_kl=False, use_cpu=True, bf16=False, report_to="none",
        gradient_checkpointing=False,
    )  # fmt: skip

    def rollout(prompts, trainer):
        encoded = [encode_prompt(tokenizer, p) for p in prompts]
        return {"prompt_ids": [[*p.prefix, *p.rest] for p in encoded], "completion_ids": [list(a) for a in ANSWERS],
                "logprobs": None}  # fmt: skip

    def logps(policy, ids, mask, keep, **_):
        """A plain forward pass: TRL's own is a Triton kernel."""
        logits = policy(ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0)).logits[
            :, -keep - 1 : -1
        ]
        logp = logits.log_softmax(-1)
        entropy = -(logp.exp() * logp).sum(-1)
        return logp.gather(2, ids[:, -keep:, None])[..., 0], entropy, None

    trainer = GRPOTrainer(
        model=model, reward_funcs=lambda **_: REWARDS, args=args, processing_class=tokenizer, rollout_func=rollout,
        train_dataset=Dataset.from_list([{"prompt": p} for p in prompts()]),
    )  # fmt: skip
    trainer._get_per_token_logps_and_entropies = logps
    trainer.current_gradient_accumulation_steps = 1
    trainer.args.steps_per_generation = 1
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".default." in name:
                p.data = p.data.float() + 0.05 * torch.randn_like(p.data.float())
            elif ".ref." in name:
                p.data = p.data.float()
    model.train()
    return trainer


def ours(model, tokenizer):
    """The same answers as packs, a group behind its prompt."""
    packs = []
    for n, question in enumerate(QUESTIONS):
        prompt = encode_prompt(tokenizer, [{"role": "user", "content": question}])
        ids = (*prompt.prefix, *prompt.rest)
        packs.append([Example(ids[:-1], ids[-1:], a) for a in ANSWERS[4 * n : 4 * n + 4]])
    return shared_prompt_logps(model, packs, tokenizer.pad_token_id, "float32")


def gradient(model):
    found = torch.cat([p.grad.flatten() for n, p in model.named_parameters() if ".default." in n])
    model.zero_grad()
    return found


SETTINGS = {
    "GRPO": GRPO, "Dr. GRPO": DR_GRPO, "DAPO": DAPO, "GRPO without an anchor": Objective(beta=0.0),
    "scaled by the batch": Objective(scale_rewards="batch"), "DAPO's weights and clip, anchored": Objective(
        epsilon_low=0.1, epsilon_high=0.28, loss_type="dapo", beta=0.02),
}  # fmt: skip


@pytest.fixture(scope="module")
def batches(trl):
    """TRL's own batch of the answers, by how it scales advantages; with β above 0, so that the anchor is asked."""
    found = {}
    for trl.scale_rewards in ("group", "batch", "none"):
        found[trl.scale_rewards] = trl._generate_and_score_completions([{"prompt": p} for p in prompts()])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name, updates", [("GRPO", "the first"), *((name, "a later one") for name in SETTINGS)])
def test_loss_and_gradient_are_those_of_trl(trl, batches, tokenizer, name, updates):
    setting, model = SETTINGS[name], trl.model
    trl.loss_type, trl.beta = setting.loss_type, setting.beta
    trl.epsilon_low, trl.epsilon_high = setting.epsilon_low, setting.epsilon_high
    inputs = dict(batches[setting.scale_rewards])
    mask = inputs["completion_mask"]
    old = None
    if updates == "a later one":  # the policy that sampled is another: the clip has something to do
        torch.manual_seed(2)
        with torch.no_grad():
            old = ours(model, tokenizer)[0] + 0.3 * torch.randn(mask.shape) * mask
        inputs["old_per_token_logps"] = old
    theirs = trl._compute_loss(model, inputs)
    theirs.backward()
    wanted = gradient(model)

    advantages = group_advantages(torch.tensor(REWARDS).view(2, 4), scale=setting.scale_rewards).flatten()
    torch.testing.assert_close(advantages, inputs["advantages"], atol=1e-6, rtol=1e-5)
    logps, _, own_mask = ours(model, tokenizer)
    assert torch.equal(own_mask.long(), mask.long())
    old = logps.detach() if old is None else old
    mine = policy_loss(logps, old, inputs["ref_per_token_logps"], advantages, own_mask, setting, LONGEST)
    mine.backward()
    torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(gradient(model), wanted, atol=1e-6, rtol=1e-3)
    cut = clipped(logps.detach(), old, advantages, setting)[own_mask]
    assert bool(cut.any()) == (updates == "a later one")
    assert cut.float().mean().item() == pytest.approx(trl._metrics["train"]["clip_ratio/region_mean"][-1])
    if setting.beta:
        kl = k3(logps.detach(), inputs["ref_per_token_logps"])[own_mask].mean().item()
        assert kl == pytest.approx(trl._metrics["train"]["kl"][-1], rel=1e-3) and kl > 1e-5


def test_the_settings_are_three_different_losses():
    """Else the equality above could be that of one loss with itself."""
    torch.manual_seed(0)
    logps, old, anchored = torch.randn(3, 4, 5)
    mask = torch.arange(5)[None] < torch.tensor([[5], [2], [3], [1]])
    found = {
        n: policy_loss(logps, old, anchored, torch.tensor([1.0, -1, 0.5, -0.5]), mask, s, 8).item()
        for n, s in SETTINGS.items()
    }
    del found["scaled by the batch"]  # another advantage, not another loss
    assert len({round(v, 5) for v in found.values()}) == len(found)


@pytest.mark.parametrize("setting", [GRPO, DR_GRPO, DAPO])
def test_weights_of_what_is_no_token_are_zero(setting):
    mask = torch.tensor([[1, 1, 0], [0, 0, 0]])
    weights = token_weights(mask, setting, 3)
    assert weights.isfinite().all() and weights[mask == 0].eq(0).all()


@pytest.mark.parametrize(
    "change", [{"loss_type": "ppo"}, {"scale_rewards": "std"}, {"beta": -1}, {"epsilon_high": float("nan")}]
)
def test_a_setting_that_is_none_is_a_sentence(change):
    with pytest.raises(TrainingError, match=next(iter(change))):
        dataclasses.replace(GRPO, **change)
