import json
import time

import pytest

from forge_lib.data.items import DataError
from forge_lib.tasks.sql.formats import (
    CONVERSATIONS,
    PAIRS,
    conversation,
    from_alpaca,
    read_conversations,
    read_pairs,
    to_prompt_completion,
    write_conversations,
    write_pairs,
)
from forge_lib.tasks.sql.pairs import Pair

ODD = "Größe? 👍\n\n\tone, \"two\"; 'three'\u2028four\u0085five {six}"  # U+2028 and U+0085 end a line to Python's splitlines
TALK = [
    {"role": "system", "content": "Tables:\nbooks(id)"},
    {"role": "user", "content": ODD},
    {"role": "assistant", "content": "SELECT 1"},
    {"role": "user", "content": "And the second?"},
    {"role": "assistant", "content": f"SELECT '{ODD}'"},
]
FULL = Pair("a-1", "books", ODD, f"SELECT '{ODD}'", "hard", "unseen", "synonyms", "by hand", f"five means {ODD}")
KEPT = {
    "spider": Pair("x-00000", FULL.db_id, FULL.question, FULL.sql),
    "bird": Pair(FULL.id, FULL.db_id, FULL.question, FULL.sql, FULL.difficulty, evidence=FULL.evidence),
    "csv": FULL,
    "jsonl": FULL,
}


@pytest.mark.parametrize("kind", CONVERSATIONS)
@pytest.mark.parametrize("turns", [TALK, TALK[1:], TALK[:3], TALK[1:3]], ids=["all", "no system", "one turn", "least"])
def test_a_conversation_survives_every_format_and_its_file(tmp_path, kind, turns):
    write, read = CONVERSATIONS[kind]
    assert read(json.loads(json.dumps(write(turns)))) == turns
    path = tmp_path / "talks.jsonl"
    write_conversations(path, [turns, TALK], kind)
    assert read_conversations(path, kind) == [turns, TALK]
    path.write_text(json.dumps([json.loads(x) for x in path.read_text("utf-8").split("\n") if x], indent=1))
    assert read_conversations(path, kind) == [turns, TALK]  # a JSON array, as most published files are


@pytest.mark.parametrize("kind", PAIRS)
def test_a_pair_survives_every_format_and_its_file(tmp_path, kind):
    path = tmp_path / "x.data"
    other = Pair("a-2", "books", "q", "SELECT 2")
    write_pairs(path, [FULL, other], kind)
    found = read_pairs(path, kind)
    assert found[0] == KEPT[kind]
    assert (found[1].question, found[1].sql) == ("q", "SELECT 2")


@pytest.mark.parametrize("kind", ["chat", "alpaca", "sharegpt"])
def test_half_a_surrogate_pair_as_an_endpoint_may_send_it_is_written(tmp_path, kind):
    turns = [{"role": "user", "content": "How \ud83d many?"}, {"role": "assistant", "content": "SELECT 1"}]
    write_conversations(tmp_path / "talks.jsonl", [turns], kind)
    assert read_conversations(tmp_path / "talks.jsonl", kind) == [turns]


@pytest.mark.parametrize("kind", ["jsonl", "spider", "bird"])
def test_half_a_surrogate_pair_in_a_pair_is_written_and_named_where_it_is_read(tmp_path, kind):
    write_pairs(tmp_path / "x.json", [Pair("1", "books", "How \ud83d many?", "SELECT 1")], kind)
    with pytest.raises(DataError, match="x.json, line .*half a character"):
        read_pairs(tmp_path / "x.json", kind)


def test_half_a_surrogate_pair_that_a_table_cannot_hold_is_named(tmp_path):
    with pytest.raises(DataError, match="x.csv: the pair '1' holds half a character"):
        write_pairs(tmp_path / "x.csv", [Pair("1", "books", "How \ud83d many?", "SELECT 1")], "csv")


def test_line_ends_within_csv_fields_are_not_translated(tmp_path):
    pair = Pair("a", "books", "one\r\ntwo\rthree\nfour", "SELECT 1")
    write_pairs(tmp_path / "x.csv", [pair], "csv")
    assert read_pairs(tmp_path / "x.csv", "csv") == [pair]


def test_files_written_on_windows_are_read(tmp_path):
    rows = '{"db_id": "b", "question": "q", "sql": "SELECT 1"}\r\n\r\n{"db_id": "b", "question": "r", "sql": "SELECT 2"}\r\n'
    (tmp_path / "x.jsonl").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfdb_id,question,sql\r\nb,q,SELECT 1\r\n\r\nb,r,SELECT 2\r\n")
    assert read_pairs(tmp_path / "x.jsonl", "jsonl") == read_pairs(tmp_path / "x.csv", "csv")
    assert [p.id for p in read_pairs(tmp_path / "x.csv", "csv")] == ["x-00000", "x-00001"]


def test_the_turns_of_a_pair_are_schema_question_and_sql(library):
    pair = library.train[0]
    turns = conversation(library, pair)
    assert [t["role"] for t in turns] == ["system", "user", "assistant"]
    assert "books(book_id" in turns[0]["content"] and turns[2]["content"] == pair.sql
    assert to_prompt_completion(library, pair) == {"prompt": turns[:2], "completion": turns[2:]}


def test_alpaca_without_input_or_history_is_one_turn():
    assert from_alpaca({"instruction": "Count.", "output": "3"}) == [
        {"role": "user", "content": "Count."}, {"role": "assistant", "content": "3"},
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_stands_behind_a_query_of_ones_own_goes_too(tmp_path, kind):
    """A gold that ended in a semicolon stopped notebook 02: what was written came back as another query."""
    write_pairs(tmp_path / "x", [Pair("a", "books", "q", "SELECT 1 ; \r\n")], kind)
    assert [p.sql for p in read_pairs(tmp_path / "x", kind)] == ["SELECT 1"]
    write_pairs(tmp_path / "x", [Pair("a", "books", "q", " ; ")], kind)
    assert [p.sql for p in read_pairs(tmp_path / "x", kind)] == [
        " ; "
    ]  # named with the golds that fail: one ends nothing


def test_the_semicolon_of_a_benchmark_s_gold_goes_and_the_paraphrase_is_known(tmp_path):
    path = tmp_path / "syn.json"
    path.write_text('[{"db_id": "b", "SpiderQuestion": "q", "SpiderSynQuestion": "r", "query": "SELECT 1 ;\\n"}]')
    assert read_pairs(path, "spider") == [Pair("syn-00000", "b", "r", "SELECT 1", wording="synonyms")]


USER, BOT = '{"role": "user", "content": "q"}', '{"role": "assistant", "content": "a"}'
CHAT, SHARE = f'{{"messages": [{USER}, {BOT}]}}', '{"conversations": [{"from": "human", "value": "q"}, %s]}'
SPIDER, BIRD = (
    '{"db_id": "b", "question": "q", "query": "SELECT 1"}',
    '{"db_id": "b", "question": "q", "SQL": "SELECT 1"}',
)
PLAIN, HEAD = '{"db_id": "b", "question": "q", "sql": "SELECT 1"}', "db_id,question,sql\nb,q,SELECT 1\n"
FAULTS = [  # format, file, line of the fault, what the message says
    ("chat", f"{CHAT}\n{CHAT[:-1]}\n{CHAT}\n", 2, "not JSON"),  # must not run on into the next line
    ("chat", f"{CHAT}\n\n{CHAT}{CHAT}\n", 3, "not JSON"),
    ("chat", f'{CHAT}\n{{"messages": [{BOT}, {USER}]}}', 2, "turns are assistant, user; wanted"),
    ("chat", f'{{"messages": [{USER}]}}', 1, "turns are user; wanted"),
    ("chat", '{"messages": []}', 1, "turns are none"),
    ("chat", '{"messages": [{"role": "user"}]}', 1, "'content' is missing"),
    ("chat", f'{{"messages": [{USER}, {{"role": "assistant", "content": null}}]}}', 1, "assistant turn is empty"),
    ("chat", f"[{CHAT},\n{CHAT}\n{CHAT}]", 3, "not JSON"),
    ("chat", f"[{CHAT},\n{CHAT}\n", 3, "not JSON"),
    ("chat", f"[{CHAT},\n\n[1],\n{CHAT}]", 3, "an object in braces is wanted, not list"),
    ("chat", f"{CHAT}\n17\n", 2, "an object in braces is wanted, not int"),
    ("alpaca", '\n{"instruction": "q"}', 2, "'output' is missing"),
    ("alpaca", '{"instruction": "q", "output": "a", "history": [["b"]]}', 1, "no alpaca record"),
    ("alpaca", '{"instruction": 3, "output": "a"}', 1, "no alpaca record"),
    ("alpaca", '{"instruction": "", "input": "", "output": "a"}', 1, "user turn is empty"),
    ("sharegpt", "\n\n" + SHARE % '{"from": "bing", "value": "a"}', 3, "'bing' is missing or unknown"),
    ("sharegpt", SHARE % '{"from": "human", "value": "a"}', 1, "turns are user, user; wanted"),
    ("sharegpt", '{"conversations": null}', 1, "no sharegpt record"),
    ("spider", f'[{SPIDER},\n{{"db_id": "b", "question": "q"}}]', 2, "'query' is missing"),
    ("spider", f'[\n{SPIDER},\n{{\n"db_id": "b",\n"question": "q"\n"query": "SELECT 1"}}]', 6, "not JSON"),
    ("spider", f"[\n{SPIDER},\n\n  {SPIDER.replace('SELECT 1', ' ')}]", 4, "the pair's sql is empty"),
    ("bird", f"[{BIRD},\n{BIRD},\n{SPIDER}]", 3, "'SQL' is missing"),
    ("bird", BIRD.replace('"b"', "7"), 1, "the pair's db_id is empty or not a text"),
    ("bird", BIRD.replace('"SELECT 1"', "null"), 1, "the pair's sql is empty or not a text"),
    ("spider", "[" + SPIDER.replace('"SELECT 1"', '["SELECT", "1"]') + "]", 1, "the pair's sql is empty or not a text"),
    ("csv", HEAD + "b,how many, and which?,SELECT 2\n", 3, "4 fields where the header has 3. Put quotes"),
    ("csv", HEAD + 'b,"two\nlines",SELECT 2\nb,SELECT 3\n', 5, "2 fields where the header has 3"),
    ("csv", HEAD + '\nb,"two\nlines"\n', 4, "2 fields where the header has 3"),
    ("csv", HEAD + 'b,"q"x,SELECT 2\n', 3, "not CSV"),
    ("csv", HEAD.replace("sql", "query"), 2, "the field 'query' is unknown; a pair has id, db_id"),
    ("csv", "db_id,question\nb,q\n", 2, "'sql' is missing"),
    ("jsonl", f"{PLAIN}\n{PLAIN[:-3]}\n{PLAIN}", 2, "not JSON"),
    ("jsonl", f'{PLAIN}\n{PLAIN[:-1]}, "dificulty": "easy"}}', 2, "the field 'dificulty' is unknown; a pair has id"),
    ("jsonl", f'{PLAIN}\n{PLAIN[:-1]}, "id": [7]}}', 2, "the pair's id is empty or not a text"),
    ("jsonl", f"{PLAIN}\n{SPIDER}", 2, "the field 'query' is unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "line", "says"), FAULTS)
def test_a_fault_is_named_with_its_file_and_line(tmp_path, kind, text, line, says):
    path = tmp_path / "broken.data"
    path.write_text(text)
    with pytest.raises(DataError, match="[.]$") as caught:
        (read_conversations if kind in CONVERSATIONS else read_pairs)(path, kind)
    assert str(caught.value).startswith(f"broken.data, line {line}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("kind", [*CONVERSATIONS, *PAIRS])
def test_every_format_has_a_fault_in_the_table_and_refuses_what_is_not_utf8(tmp_path, kind):
    assert kind in {fault[0] for fault in FAULTS}
    path = tmp_path / "latin.data"
    path.write_bytes(b'{"a": 1}\n\n"caf\xe9"\n')
    with pytest.raises(DataError, match=r"^latin.data, line 3: this is not UTF-8. Save the file as UTF-8"):
        (read_conversations if kind in CONVERSATIONS else read_pairs)(path, kind)


def test_an_unknown_format_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(DataError, match="no format 'parquet'. Choose one of: spider, bird, csv, jsonl"):
        read_pairs(tmp_path / "x", "parquet")
    with pytest.raises(DataError, match="no file x.jsonl in"):
        read_conversations(tmp_path / "x.jsonl", "chat")


def test_lines_are_counted_once_so_that_large_files_take_seconds(tmp_path):
    path = tmp_path / "large.json"
    record = json.dumps({"db_id": "b", "question": "why? " * 400, "query": "SELECT 1"}, indent=1)
    path.write_text("[" + ",\n".join([record] * 15_000) + "]")
    start = time.process_time()
    assert len(read_pairs(path, "spider")) == 15_000
    assert time.process_time() - start < 10  # counting from the file's start for each record takes minutes


def test_sharegpt_as_others_write_it(tmp_path):
    path = tmp_path / "a.jsonl"
    turns = [{"from": "user", "value": "How many?"}, {"from": "assistant", "value": "SELECT 1"}]
    path.write_text(json.dumps({"system": "Answer in SQL.", "conversations": turns}))
    [found] = read_conversations(path, "sharegpt")
    assert [(t["role"], t["content"]) for t in found] == [
        ("system", "Answer in SQL."),
        ("user", "How many?"),
        ("assistant", "SELECT 1"),
    ]


def test_bird_s_ids_may_be_null(tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(
        json.dumps([{"question_id": None, "db_id": "b", "question": q, "SQL": "SELECT 1"} for q in ("a?", "b?")])
    )
    assert len({p.id for p in read_pairs(path, "bird")}) == 2
