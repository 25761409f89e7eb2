import shutil
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from forge_lib import CACHE, ROOT
from forge_lib.data.items import DataError, spread
from forge_lib.tasks.sql.gate import check_pairs, check_splits
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import connect_readonly
from forge_lib.tasks.sql.score import LEVELS, score
from forge_lib.tasks.sql.sources import course
from forge_lib.tasks.sql.sources.course import VERSION, build_database, freeze, load_course
from forge_lib.tasks.sql.synthesis.draw import MIX


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


def test_version_4_mends_what_fell_in_training_and_leaves_validation_and_test_alone(data):
    before, sheet = load_course(3), (ROOT / "data" / "README.md").read_text()
    assert (data.validation, data.test) == (before.validation, before.test)
    now = {p.id: p for p in data.train}
    dropped = [p.id for p in before.train if p.id not in now]
    mended = [p for p in before.train if p.id in now and p != now[p.id]]
    assert sorted(dropped) == ["esports-s0065", "police_reports-s0034", "rowing_club-s0034"] and len(mended) == 11
    assert all(now[p.id] == replace(p, sql=now[p.id].sql) and " IS NOT NULL " in now[p.id].sql for p in mended)
    assert len(now) + len(dropped) == len(before.train)
    assert all(ident in sheet for ident in [*dropped, *(p.id for p in mended)])


def test_sixty_test_questions_have_hard_wordings_of_four_kinds(data):
    hard = [p for p in data.test if p.group == "hard"]
    assert Counter(p.wording for p in hard) == dict.fromkeys(("synonyms", "typos", "values", "unanswerable"), 15)
    reworded = {p.id: p for p in data.test}
    for pair in hard:
        if pair.provenance.startswith("rewords "):
            assert reworded[pair.provenance.removeprefix("rewords ")].sql == pair.sql
    assert all((p.sql == NO_ANSWER) == (p.wording == "unanswerable") for _, pairs in data.splits() for p in pairs)


def test_training_comes_near_the_published_mix_of_difficulties(data):
    counts = Counter(p.difficulty for p in data.train if p.difficulty)
    assert all(abs(counts[level] / counts.total() - MIX[level]) < 0.07 for level in LEVELS), counts


@pytest.mark.slow
def test_every_training_pair_passes_the_gate_and_nothing_leaks(data, tokenizer):
    with Sandbox() as sandbox:
        assert check_pairs(data, data.train, tokenizer, 1024, sandbox) == []
        findings = check_pairs(data, [*data.validation, *data.test], tokenizer, 1024, sandbox)
    assert findings == []
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


@pytest.mark.parametrize("name", [f"v{VERSION}/test.jsonl", "databases/bakery.sql"])
def test_a_changed_frozen_file_is_refused(copied, name):
    with (copied / name).open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=rf"data/{name} changed.*git checkout"):
        load_course(folder=copied)


def test_a_missing_frozen_file_is_named(copied):
    (copied / f"v{VERSION}" / "validation.jsonl").unlink()
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
    with pytest.raises(DataError, match="there is: v1, v2, v3, v4"):
        load_course(99)


@pytest.mark.parametrize("version", course.MANIFESTS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"train": ', '"train": 1'),
        lambda text: text.replace("a", "b", 1),
        lambda text: "",
        lambda text: "{}",
        lambda text: text[: len(text) // 2],
        lambda text: "[" * 100_000,
    ],
    ids=["counts", "a letter", "nothing", "no hashes", "half", "deep"],
)
def test_a_manifest_that_is_not_the_frozen_one_is_refused(copied, version, damage):
    path = copied / f"v{version}" / "manifest.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(
        DataError, match=rf"data/v{version}/manifest.json changed after it was frozen .*git checkout -- data/v"
    ):
        load_course(version, copied)


def test_a_changed_test_whose_hash_was_changed_with_it_is_refused(copied):
    name = f"v{VERSION}/test.jsonl"
    before = course.sha256(copied / name)
    (copied / name).write_text("".join((copied / name).read_text().splitlines(True)[:-1]))
    path = copied / f"v{VERSION}" / "manifest.json"
    path.write_text(path.read_text().replace(before, course.sha256(copied / name)))
    with pytest.raises(DataError, match="manifest.json changed"):
        load_course(folder=copied)


def test_a_missing_manifest_is_named(copied):
    (copied / "v1" / "manifest.json").unlink()
    with pytest.raises(DataError, match="data/v1/manifest.json is missing. Restore it: git checkout"):
        load_course(1, copied)


def test_a_manifest_that_counts_wrong_is_refused(copied, monkeypatch):
    path = copied / "v1" / "manifest.json"
    path.write_text(path.read_text().replace('"test": 303', '"test": 302'))
    monkeypatch.setitem(course.MANIFESTS, 1, course.sha256(path))
    with pytest.raises(DataError, match="data/v1 holds .*'test': 303.*counts .*'test': 302"):
        load_course(1, copied)


@pytest.mark.parametrize("version", [1, VERSION])
def test_a_script_that_no_manifest_lists_is_refused(copied, version):
    (copied / "databases" / "mine.sql").write_text("CREATE TABLE t (a);")
    with pytest.raises(DataError, match="data/databases/mine.sql is in no manifest.*my:DIR"):
        load_course(version, copied)


@pytest.fixture
def few(copied, monkeypatch, tmp_path):
    """A version of two databases, with a cache of its own."""
    for script in (copied / "databases").glob("*.sql"):
        if script.stem not in ("bakery", "gym", "choir"):
            script.unlink()
    freeze(9, {"train": [], "validation": [], "test": []}, 0, copied)
    monkeypatch.setattr(course, "VERSION", 9)
    monkeypatch.setitem(course.MANIFESTS, 9, course.sha256(copied / "v9" / "manifest.json"))
    monkeypatch.setattr(course, "CACHE", tmp_path / "cache")
    return copied


def delete_rows(path):
    with sqlite3.connect(path) as connection:
        table = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        connection.execute(f"DELETE FROM {table}")
    connection.close()


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("bakery/bakery.sqlite", delete_rows),
        ("bakery/bakery.sqlite", Path.unlink),
        ("bakery/bakery.sqlite", lambda path: path.write_bytes(path.read_bytes()[:4096])),
        ("hashes.json", Path.unlink),
        ("hashes.json", lambda path: path.write_text("{half")),
        ("hashes.json", lambda path: path.write_text("[]")),
        ("hashes.json", lambda path: (path.write_text("{}"), delete_rows(path.parent / "bakery" / "bakery.sqlite"))),
    ],
    ids=["rows", "gone", "cut", "no hashes", "half", "a list", "nothing"],
)
def test_what_was_built_is_checked_and_built_again(few, file, damage):
    built = course.build_databases(few)
    good = {p.name: p.read_bytes() for p in built.glob("*/*.sqlite")}
    assert len(good) >= 1
    damage(built / file)
    assert course.build_databases(few) == built
    assert {p.name: p.read_bytes() for p in built.glob("*/*.sqlite")} == good


def test_processes_that_build_at_once_build_it_once(few, monkeypatch):
    built, real = [], course._build

    def slow(*arguments):
        built.append(1)
        time.sleep(0.2)
        real(*arguments)

    monkeypatch.setattr(course, "_build", slow)
    threads = [threading.Thread(target=course.build_databases, args=(few,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    course.build_databases(few)
    assert len(built) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH '{}' AS other; CREATE TABLE other.t (a);",
        "VACUUM INTO '{}';",
        "CREATE TABLE t (a); VACUUM INTO '{}';",
        "DETACH main;",
        "PRAGMA writable_schema = ON;",
        "pragma JOURNAL_MODE = wal;",
    ],
)
def test_a_script_writes_its_own_file_only(tmp_path, sql):
    script, outside = tmp_path / "bad.sql", tmp_path / "outside.sqlite"
    script.write_text(sql.format(outside))
    with pytest.raises(DataError, match="bad.sql does not build a database: .*authoriz.* It may not attach"):
        build_database(script, tmp_path / "bad.sqlite")
    assert not outside.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"CREATE TABLE t (a); INSERT INTO t VALUES ('\xff');", "bad.sql, line 1: this is not UTF-8"),
        (b"CREATE TABEL t", "bad.sql does not build a database: near"),
        (b"BEGIN; CREATE TABLE t (a); INSERT INTO t VALUES (1);", "ends within a transaction"),
    ],
)
def test_a_script_that_fails_is_named(tmp_path, text, says):
    (tmp_path / "bad.sql").write_bytes(text)
    with pytest.raises(DataError, match=says):
        build_database(tmp_path / "bad.sql", tmp_path / "bad.sqlite")
    with pytest.raises(DataError, match="There is no file none.sql"):
        build_database(tmp_path / "none.sql", tmp_path / "none.sqlite")


def test_a_dump_as_powershell_writes_it_builds(tmp_path):
    text = "PRAGMA encoding='UTF-8';\nPRAGMA user_version=3;\nCREATE TABLE t (a);\nINSERT INTO t VALUES ('Łoś');\n"
    (tmp_path / "dump.sql").write_text(text, encoding="utf-16")
    build_database(tmp_path / "dump.sql", tmp_path / "t.sqlite")
    with connect_readonly(tmp_path / "t.sqlite") as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [("Łoś",)]


def test_a_dump_builds_the_database_it_came_from(data, tmp_path):
    with sqlite3.connect(data.database("bakery")) as connection:
        dump = ["PRAGMA foreign_keys=OFF;", *connection.iterdump()]
    (tmp_path / "bakery.sql").write_text("\n".join(dump))
    build_database(tmp_path / "bakery.sql", tmp_path / "again.sqlite")
    with sqlite3.connect(tmp_path / "again.sqlite") as connection:
        assert list(connection.iterdump()) == dump[1:]


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
