from dataclasses import replace

import pytest

from forge_lib.data.items import DataError, normalize
from forge_lib.data.split import hold_out, without_leaks
from forge_lib.tasks.sql.pairs import Pair, with_difficulty


def many(db_id: str, count: int) -> list[Pair]:
    return [
        Pair(
            f"{db_id}-{n}",
            db_id,
            f"question {n}",
            f"SELECT c{n} FROM t" + (" WHERE a = 1 AND b = 2 ORDER BY c" if n % 2 else ""),
        )
        for n in range(count)
    ]


def drawn(splits, name, part):
    return [p for p in splits[name] if p.part == part]


LARGE = [p for n in range(40) for p in many(f"d{n:02d}", 20 + n)]  # 1,580 pairs over 40 databases


def test_what_is_held_out_is_half_whole_databases_half_single_queries():
    splits = hold_out(LARGE, 1)
    assert sorted(p.id for pairs in splits.values() for p in pairs) == sorted(p.id for p in LARGE)
    assert (len(splits["validation"]), len(splits["test"])) == (150, 300)
    trained = {p.db_id for p in splits["train"]}
    whole = {n: {p.db_id for p in drawn(splits, n, "unseen")} for n in ("validation", "test")}
    assert whole["validation"].isdisjoint(whole["test"]) and (whole["validation"] | whole["test"]).isdisjoint(trained)
    assert min(map(len, whole.values())) >= 3
    for name in ("validation", "test"):
        seen, unseen = drawn(splits, name, "seen"), drawn(splits, name, "unseen")
        assert {p.db_id for p in seen} <= trained and len({p.db_id for p in seen}) >= 20
        assert len(splits[name]) / 4 <= len(unseen) <= len(splits[name]) / 2
        assert len(seen) + len(unseen) == len(splits[name])
    assert {p.part for p in splits["train"]} == {""}


def test_a_development_part_leaves_the_test_empty():
    splits = hold_out(LARGE, 1, test=0)
    assert splits["test"] == [] and len(splits["validation"]) == 150


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    def ids(splits):
        return {name: {p.id for p in pairs} for name, pairs in splits.items()}

    assert ids(hold_out(LARGE, 1)) == ids(hold_out(LARGE[::-1], 1)) != ids(hold_out(LARGE, 2))


def test_wordings_of_one_query_are_held_out_together():
    twins = [replace(p, id=p.id + "-t", question="otherwise", sql=p.sql.lower().replace(" ", "\n")) for p in LARGE]
    splits = hold_out(LARGE + twins, 1)
    sides = {}
    for name, pairs in splits.items():
        for p in pairs:
            sides.setdefault(p.id.removesuffix("-t"), set()).add(name)
    assert {len(s) for s in sides.values()} == {1}
    assert 140 <= len(splits["validation"]) <= 150 and 290 <= len(splits["test"]) <= 300


def test_unanswerable_questions_share_their_query_and_are_not_wordings_of_one():
    no = [replace(p, id=p.id + "-n", sql="SELECT 'no answer'", wording="unanswerable") for p in LARGE]
    splits = hold_out(no, 1)
    assert all(drawn(splits, name, "seen") for name in ("validation", "test"))


def test_difficulties_are_mixed_as_in_the_whole():
    leveled = [with_difficulty(p) for p in LARGE]
    seen = drawn(hold_out(leveled, 1), "test", "seen")
    assert 0.4 <= sum(p.difficulty == "easy" for p in seen) / len(seen) <= 0.6  # half of LARGE is easy


@pytest.mark.parametrize(
    "pairs",
    [many("a", 3), many("a", 12), many("a", 200), many("a", 9) + many("b", 9), many("a", 100) + many("b", 100),
     many("a", 190) + many("b", 10), [p for n in range(5) for p in many(f"d{n}", 20)],
     [p for n in range(10) for p in many(f"d{n}", 20)], [p for n in range(300) for p in many(f"d{n}", 1)]],
    ids=["3", "12", "200", "2 of 9", "2 of 100", "190 and 10", "5 of 20", "10 of 20", "300 of 1"],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_small_data_lose_small_shares(pairs, seed):
    splits = hold_out(pairs, seed)
    assert splits["validation"] and splits["test"]
    assert len(splits["validation"]) <= 1.25 * -(-len(pairs) // 10)
    assert len(splits["test"]) <= 1.25 * -(-len(pairs) // 5)
    assert len(splits["train"]) >= len(pairs) // 3 and sum(map(len, splits.values())) == len(pairs)
    trained = {p.db_id for p in splits["train"]}
    held = splits["validation"] + splits["test"]
    assert all((p.db_id in trained) == (p.part == "seen") for p in held)
    if len({p.db_id for p in pairs}) == 1:
        assert {p.part for p in held} == {"seen"}


def test_each_part_gets_a_query_where_there_are_three():
    few = [replace(p, id=f"{p.id}-{n}", question=f"wording {n}") for p in many("a", 3) for n in range(4)]
    splits = hold_out(few, 1)
    assert sorted(len(pairs) for pairs in splits.values()) == [4, 4, 4]
    apart = [replace(p, db_id=f"d{n // 4}") for n, p in enumerate(few)]
    assert all(hold_out(apart, seed)[name] for seed in range(5) for name in splits)
    with pytest.raises(DataError, match=r"8 items are too few .* different answers \(they have 2\)"):
        hold_out(few[:8], 1)


@pytest.mark.parametrize("sql", ["SELECT " + "(" * 5000 + "1" + ")" * 5000, ";", "-- nothing", "SELECT 'open", "\0"])
def test_a_difficulty_is_found_for_whatever_stands_there(sql):
    assert with_difficulty(Pair("a", "b", "q", sql)).difficulty in ("easy", "extra")


def test_questions_that_differ_in_a_sign_are_not_the_same():
    asked = [Pair("1", "a", "price > 5?", "x"), Pair("2", "a", "price < 5?", "y")]
    kept, _ = without_leaks({"train": asked[:1], "validation": [], "test": asked[1:]})
    assert kept["train"] == asked[:1]


def test_a_single_pair_cannot_be_split():
    with pytest.raises(DataError, match="1 items are too few to hold out a test part. Write ten or more, with"):
        hold_out(many("a", 1), 1)
    assert hold_out([], 1) == {"train": [], "validation": [], "test": []}


def test_what_sqlglot_cannot_parse_is_as_hard_as_can_be():
    assert with_difficulty(Pair("a", "b", "q", "SELECT ((FROM")).difficulty == "extra"
    assert with_difficulty(Pair("a", "b", "q", "SELECT 1")).difficulty == "easy"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("price > 5?", "price < 5?"),
        ("Who knows C++?", "Who knows C#?"),
        ("at -5 degrees", "at 5 degrees"),
        ("दिन कितने", "दान कितने"),
    ],
)
def test_signs_that_carry_meaning_make_another_question(one, other):
    assert normalize(one) != normalize(other)


@pytest.mark.parametrize(
    ("one", "other"), [("How many?", "how  many"), ("five-year plan", "Five year plan."), ("Café", "Cafe\u0301")]
)
def test_punctuation_and_case_do_not(one, other):
    assert normalize(one) == normalize(other)
