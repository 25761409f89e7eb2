import dataclasses
import random

import pytest

from forge_lib.data.items import DataError
from forge_lib.models.generate import Completion
from forge_lib.training.preferences import (
    Preference,
    load_preferences,
    mine,
    preference_packs,
    preference_table,
    samples_of,
    save_preferences,
)  # fmt: skip
from forge_lib.training.rejection import Round, sample_round

RIGHT, WRONG, SHAPE = "SELECT COUNT(*) FROM books", "SELECT MAX(price) FROM books", "SELECT title FROM books"


@pytest.fixture
def data(library):
    """The library, its pairs in train alone."""
    library.validation, library.test = [], []
    return library


def said(*texts, finished=True):
    return [Completion(text, 5, 3, 0.1, finished) for text in texts]


def test_the_models_own_right_answer_wins_and_the_commonest_wrong_one_loses(data):
    own = "SELECT COUNT(book_id) FROM books"
    pairs = mine(data, data.train[:1], [said(SHAPE, WRONG, WRONG, "nonsense", own)], most=2, source="T=0.7")
    assert [(p.chosen, p.rejected, p.winner, p.times) for p in pairs] == [
        (own, WRONG, "own", 2),
        (own, SHAPE, "own", 1),
    ]
    assert {p.source for p in pairs} == {"T=0.7"} and pairs[0].context == "library"
    assert pairs[0].loser == data.score(data.train[0], WRONG).verdict != "correct"


def test_of_several_winners_the_one_nearest_in_length_is_taken(data):
    long = "SELECT COUNT(book_id) AS the_number_of_all_books FROM books"
    loser = "SELECT COUNT(author_id) AS the_number_of_authors FROM authors"
    (pair,) = mine(data, data.train[:1], [said(RIGHT, long, loser)])
    assert pair.chosen == long


def test_the_gold_wins_where_the_model_never_does_unless_it_may_not(data):
    (pair,) = mine(data, data.train[:1], [said(WRONG)])
    assert (pair.chosen, pair.winner) == (data.train[0].answer, "gold")
    with pytest.raises(DataError, match="No pair came out of 1 questions: 0 have no wrong answer, 1 no right one"):
        mine(data, data.train[:1], [said(WRONG)], gold=False)


def test_nothing_wrong_is_no_pair_and_says_so(data):
    with pytest.raises(DataError, match="1 have no wrong answer, 0 no right one. Sample more"):
        mine(data, data.train[:1], [said(RIGHT)])


def test_what_was_cut_off_is_neither_and_prose_never_wins(data):
    prose = f"Here it is:\n```sql\n{RIGHT};\n```"
    pairs = mine(data, data.train[:1], [[*said(SHAPE, finished=False), *said(WRONG, prose)]])
    assert [(p.chosen, p.rejected) for p in pairs] == [(data.train[0].answer, WRONG)]


def test_an_empty_answer_to_an_empty_gold_proves_nothing_and_never_wins(data):
    """As in a round's file: it is right, and so is every other query that finds nothing."""
    nothing = "SELECT title FROM books WHERE price > 10000"
    data.train[0] = dataclasses.replace(data.train[0], sql=nothing)
    other = "SELECT name FROM authors WHERE name = 'nobody'"
    assert data.score(data.train[0], other).correct
    (pair,) = mine(data, data.train[:1], [said(other, WRONG)])
    assert (pair.chosen, pair.winner) == (nothing, "gold")


def test_a_rounds_file_gives_the_same_pairs_as_its_samples(data, tmp_path):
    drawn = [[*said(WRONG, RIGHT, WRONG, SHAPE), *said("SELECT", finished=False)], said(RIGHT, RIGHT, "nonsense")]
    items = [data.train[0], dataclasses.replace(data.train[1], sql="SELECT weight FROM books")]
    data.train[1] = items[1]
    records = sample_round(lambda asked, count: drawn, data, items, tmp_path, Round(1, "nobody", 5), progress=False)
    again = samples_of(records)
    assert sum(c.finished for c in again[0]) == 4 and len(again[0]) == 5 and again[1] == []
    assert mine(data, items[:1], again[:1]) == mine(data, items[:1], drawn[:1])


def test_a_gold_that_fails_makes_no_pair_and_ends_nothing(data):
    broken = dataclasses.replace(data.train[1], sql="SELECT weight FROM books")
    data.train[1] = broken
    with pytest.warns(UserWarning, match="makes no pair"):
        pairs = mine(data, [data.train[0], broken], [said(WRONG), said(WRONG)])
    assert [p.item for p in pairs] == ["l-1"]


@pytest.mark.parametrize("how", ["id", "wording", "nowhere"])
def test_items_that_measure_are_refused(data, how):
    item = data.train[0]
    if how == "id":
        data.validation = [item]
    elif how == "wording":
        data.test = [dataclasses.replace(item, id="other")]
    else:
        item = dataclasses.replace(item, id="new")
    with pytest.raises(DataError, match="is not of the training part alone"):
        mine(data, [item], [said(WRONG)])


def test_equal_answers_are_no_preference():
    with pytest.raises(DataError, match="are equal"):
        Preference("1", "shop", "SELECT 1", "SELECT  1\n", "wrong result", "own")


def test_pairs_survive_the_file_and_strangers_do_not(data, tmp_path):
    pairs = mine(data, data.train[:1], [said(WRONG, RIGHT)], source="adapter, T=0.7, seed 1")
    path = save_preferences(pairs, tmp_path / "pairs.jsonl")
    assert load_preferences(path, data) == pairs
    for change in ({"context": "shop"}, {"item": "gone"}):
        stranger = save_preferences([dataclasses.replace(pairs[0], **change)], tmp_path / "other.jsonl")
        with pytest.raises(DataError, match="not in this data's training part"):
            load_preferences(stranger, data)
        with pytest.raises(DataError, match="not in this data's training part"):
            preference_packs(data, [dataclasses.replace(pairs[0], **change)], None, 2, 100)
    path.write_text('{"item": "l-1"}\n')
    with pytest.raises(DataError, match="line 1, is no pair"):
        load_preferences(path, data)
    data.test = data.train[:1]
    with pytest.raises(DataError, match="training part alone"):
        load_preferences(save_preferences(pairs, path), data)


def test_the_table_shows_kinds_and_length_bias():
    pairs = [Preference(str(n), "shop", "x" * 8, "y" * (4 + n), kind, "own" if n else "gold")
             for n, kind in enumerate(["invalid", "invalid", "wrong result", "invalid"])]  # fmt: skip
    table = preference_table(pairs)
    assert table.index.tolist() == ["invalid", "wrong result", "all"]
    assert table.loc["all"].to_dict() == {"pairs": 4, "share": 100, "questions": 4, "own winner": 75, "chosen length": 8,
                                          "rejected length": 5.5, "longer winner": 100}  # fmt: skip
    assert table.loc["invalid", "share"] == 75
    with pytest.raises(DataError, match="no pairs"):
        preference_table([])


def test_packs_hold_whole_pairs_of_one_context_and_loss_on_the_answers_alone(data, tokenizer):
    pairs = mine(data, data.train, [said(WRONG, SHAPE, "SELECT 1"), said(WRONG), said(WRONG, SHAPE)], most=3)
    packs = preference_packs(data, pairs, tokenizer, 2, 1024, random.Random(1))
    assert sum(map(len, packs)) == 2 * len(pairs) and all(len(pack) in (2, 4) for pack in packs)
    texts = {(tokenizer.decode(c.answer), tokenizer.decode(r.answer))
             for pack in packs for c, r in zip(pack[::2], pack[1::2], strict=True)}  # fmt: skip
    end = tokenizer.eos_token
    assert texts == {(p.chosen + end, p.rejected + end) for p in pairs}
    for pack in packs:
        assert len({e.prefix for e in pack}) == 1
        for chosen, rejected in zip(pack[::2], pack[1::2], strict=True):
            assert chosen.question == rejected.question


def test_packs_keep_to_the_limit_and_name_a_pair_that_cannot(data, tokenizer):
    pairs = mine(data, data.train[:1], [said(WRONG, SHAPE, "SELECT 1")], most=3)
    whole = preference_packs(data, pairs, tokenizer, 3, 1024)
    longest = max(len(p[0].prefix) + sum(len(e) - len(e.prefix) for e in p) for p in preference_packs(data, pairs, tokenizer, 1, 1024))  # fmt: skip
    assert len(whole) == 1 and len(preference_packs(data, pairs, tokenizer, 3, longest)) == 3
    with pytest.raises(DataError, match="The pair of l-1 takes"):
        preference_packs(data, pairs, tokenizer, 3, 40)
