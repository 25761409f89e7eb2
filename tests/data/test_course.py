import shutil
from collections import Counter

import pytest

from forge_lib import CACHE, ROOT
from forge_lib.data import course
from forge_lib.data.course import build_database, freeze, load_course
from forge_lib.data.pairs import WORDINGS, DataError, spread
from forge_lib.data.quality import check_pairs, check_splits
from forge_lib.data.synthesis import MIX
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import LEVELS, score


@pytest.fixture(scope="module")
def data():
    return load_course()


def test_the_data_set_is_as_large_as_the_datasheet_says(data):
    manifest = course.read_manifest()
    assert manifest["counts"] == {name: len(pairs) for name, pairs in data.splits()}
    sheet = (ROOT / "data" / "README.md").read_text()
    written = [p for p in data.train if not p.provenance.startswith("sampled")]
    plain = [p for p in written if not p.wording]
    for count in (len(plain), len(written) - len(plain), len(data.train) - len(written)):
        assert f"{count:,}" in sheet
    assert len(written) >= 1500 and len({p.db_id for p in written}) >= 20
    assert len(data.test) >= 300 and len({p.db_id for p in data.test if p.part == "unseen"}) >= 4


def test_later_versions_keep_the_plain_validation_and_test_pairs_of_the_first(data):
    first, second = load_course(1), load_course(2)
    assert (second.validation, second.test) == (first.validation, first.test)
    assert second.train[: len(first.train)] == first.train and len(second.train) > len(first.train)
    for name in ("validation", "test"):
        assert [p for p in getattr(data, name) if not p.wording] == getattr(first, name)
    known = {p.id for p in data.train}
    assert {p.id for p in second.train} - known == {"museum_loans-087", "museum_loans-115"}  # a rule of the gate


def test_sixty_test_questions_have_hard_wordings_of_four_kinds(data):
    hard = [p for p in data.test if p.group == "hard"]
    assert Counter(p.wording for p in hard) == dict.fromkeys(WORDINGS, 15)
    reworded = {p.id: p for p in data.test}
    for pair in hard:
        if pair.provenance.startswith("rewords "):
            assert reworded[pair.provenance.removeprefix("rewords ")].sql == pair.sql
    assert all((p.sql == NO_ANSWER) == (p.wording == "unanswerable") for _, pairs in data.splits() for p in pairs)


def test_training_comes_near_the_published_mix_of_difficulties(data):
    counts = Counter(p.difficulty for p in data.train if p.difficulty)
    assert all(abs(counts[level] / counts.total() - MIX[level]) < 0.07 for level in LEVELS), counts


def test_every_training_pair_passes_the_gate_and_nothing_leaks(data, tokenizer):
    with Sandbox() as sandbox:
        assert check_pairs(data, data.train, tokenizer, 1024, sandbox) == []
        findings = check_pairs(data, [*data.validation, *data.test], tokenizer, 1024, sandbox)
    assert {(f.pair, f.rule) for f in findings} <= {
        (p, "asks for its literals") for p in ("fundraising-022", "fundraising-v02")
    }
    assert check_splits(data) == []


def test_every_gold_scores_as_correct_against_itself(data):
    assert all(score(p.sql, p.sql, data.database(p.db_id)).correct for p in data.test)


def test_unseen_databases_occur_nowhere_in_train(data):
    trained = {p.db_id for p in data.train}
    for pairs in (data.validation, data.test):
        assert {p.db_id for p in pairs if p.part == "unseen"}.isdisjoint(trained)
        assert {p.db_id for p in pairs if p.part == "seen"} <= trained
        assert {p.part for p in pairs} == {"seen", "unseen"}
    assert len({p.db_id for p in data.test if p.part == "unseen"}) >= 3


def test_the_test_has_every_difficulty(data):
    for part in ("seen", "unseen"):
        counts = [sum(p.difficulty == level for p in data.test if p.part == part) for level in LEVELS]
        assert all(c >= 5 for c in counts), dict(zip(LEVELS, counts, strict=True))


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["v3/test.jsonl", "databases/bakery.sql"])
def test_a_changed_frozen_file_is_refused(copied, name):
    with (copied / name).open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=rf"data/{name} changed.*git checkout"):
        load_course(folder=copied)


def test_a_missing_frozen_file_is_named(copied):
    (copied / "v3" / "validation.jsonl").unlink()
    with pytest.raises(DataError, match=r"validation.jsonl is missing"):
        load_course(folder=copied)


def test_a_windows_checkout_has_the_same_hash(copied):
    path = copied / "v1" / "test.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert course.sha256(path) == course.read_manifest(1)["sha256"]["v1/test.jsonl"]


def test_a_frozen_version_cannot_be_frozen_again(copied):
    with pytest.raises(DataError, match="frozen already"):
        freeze(1, {"train": []}, 0, copied)


def test_an_unknown_version_names_the_known_ones():
    with pytest.raises(DataError, match="there is: v1, v2, v3"):
        load_course(99)


def test_a_script_with_a_dangling_key_builds_no_database(tmp_path):
    script = tmp_path / "bad.sql"
    script.write_text(
        "CREATE TABLE a (i INTEGER PRIMARY KEY); CREATE TABLE b (j REFERENCES a(i)); INSERT INTO b VALUES (9);"
    )
    with pytest.raises(DataError, match="'b' refers to a missing row of 'a'"):
        build_database(script, tmp_path / "bad.sqlite")


def test_databases_are_built_once(data):
    assert data.databases.is_relative_to(CACHE)
    before = data.database("bakery").stat().st_mtime_ns
    assert load_course().database("bakery").stat().st_mtime_ns == before


def test_a_subset_is_spread_over_databases_and_repeatable(data):
    few = spread(data.test, 66, 17)
    assert few == spread(list(reversed(data.test)), 66, 17)
    assert len({p.db_id for p in few}) == len({p.db_id for p in data.test})
    assert spread(data.test, None, 17) == data.test
