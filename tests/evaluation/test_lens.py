"""The logit lens: its last depth is the model, its first the embeddings."""

import pytest
import torch

from forge_lib.evaluation.answers import read_answer
from forge_lib.evaluation.lens import lens_map, logit_lens, settled_from

ASKED = [{"role": "user", "content": "What is tea?"}]


def test_the_last_depth_is_what_the_model_says(tiny_llama, tokenizer):
    lens, read = (
        logit_lens(tiny_llama, tokenizer, ASKED, "A drink"),
        read_answer(tiny_llama, tokenizer, ASKED, "A drink"),
    )
    wanted = [(row > row[token]).sum().item() for row, token in zip(read.log_probs, read.ids, strict=True)]
    assert lens.tokens == read.tokens and lens.ranks.shape == (3, len(lens.tokens))
    assert lens.ranks[-1].tolist() == wanted
    assert lens.best[-1] == [tokenizer.decode([i]) for i in read.log_probs.argmax(-1).tolist()]


def test_an_earlier_depth_is_the_model_cut_there(tiny_llama, tokenizer):
    lens = logit_lens(tiny_llama, tokenizer, ASKED, "A drink")
    del tiny_llama.model.layers[1]
    tiny_llama.config.num_hidden_layers = 1
    cut = logit_lens(tiny_llama, tokenizer, ASKED, "A drink")
    assert lens.best[1] == cut.best[-1] and lens.ranks[1].tolist() == cut.ranks[-1].tolist()


def test_where_the_last_word_settles():
    best = torch.tensor([[7, 1, 3], [7, 2, 3], [7, 2, 4]])
    assert settled_from(best).tolist() == [0, 1, 2]


def test_a_base_of_another_build_is_a_sentence(tiny_llama, tokenizer):
    del tiny_llama.model.norm
    with pytest.raises(ValueError, match="norm"):
        logit_lens(tiny_llama, tokenizer, ASKED, "A drink")


def test_the_map_has_a_cell_for_every_depth_and_token(tiny_llama, tokenizer):
    import matplotlib.pyplot as plt

    lens = logit_lens(tiny_llama, tokenizer, ASKED, "A $drink")
    ax = lens_map(lens, plt.figure().subplots())
    assert len(ax.texts) == lens.ranks.numel()
    ax.figure.canvas.draw()  # a dollar sign in a token is no formula
    plt.close(ax.figure)
