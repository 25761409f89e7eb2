from forge_lib.data.pairs import Pair
from forge_lib.data.split import split_pairs


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


PAIRS = many("a", 40) + many("b", 40) + many("u", 10)
UNSEEN = {"test": {"u"}}
WANTED = {"validation": 4, "test": 6}


def test_nothing_is_lost_and_nothing_is_in_two_splits():
    splits = split_pairs(PAIRS, UNSEEN, WANTED, 1)
    ids = [p.id for pairs in splits.values() for p in pairs]
    assert sorted(ids) == sorted(p.id for p in PAIRS)
    assert {name: len(pairs) for name, pairs in splits.items()} == {"train": 60, "validation": 8, "test": 22}


def test_unseen_databases_go_whole_to_their_split():
    splits = split_pairs(PAIRS, UNSEEN, WANTED, 1)
    assert {p.part for p in splits["test"] if p.db_id == "u"} == {"unseen"}
    assert all(p.db_id != "u" for p in splits["train"])


def test_two_wordings_of_one_query_stay_on_one_side():
    twins = [
        Pair(f"a-t{n}", "a", f"wording {n}", "SELECT c1 FROM t  WHERE a = 1 AND b = 2 ORDER BY c") for n in range(3)
    ]
    splits = split_pairs(many("a", 40) + twins, {}, WANTED, 1)
    sides = {name for name, pairs in splits.items() for p in pairs if p.id.startswith("a-t") or p.id == "a-1"}
    assert sides == {"train"}


def test_one_database_more_does_not_move_the_others():
    before, after = split_pairs(PAIRS, UNSEEN, WANTED, 1), split_pairs(PAIRS + many("aa", 40), UNSEEN, WANTED, 1)
    assert [p for p in after["test"] if p.db_id != "aa"] == before["test"]


def test_levels_are_mixed_in_every_split():
    splits = split_pairs(PAIRS, UNSEEN, WANTED, 1)
    assert {p.difficulty for p in splits["validation"]} == {"easy", "medium"}
