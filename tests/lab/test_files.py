import errno
import json
import os
import shutil
import stat
from collections import namedtuple

import pytest

from forge_lib.lab.files import RunError, check_disk, fresh_folder, read_json, write_atomically
from forge_lib.lab.jsonl import cut_torn_tail, json_lines, read_jsonl

LINE_ENDS = [chr(n) for n in range(0x3000) if len(f"a{chr(n)}b".splitlines()) == 2]


@pytest.mark.parametrize("char", [*LINE_ENDS, "\ud83d", "\0", "😀"], ids=ascii)
def test_a_text_with_any_character_comes_back_as_it_was(char, tmp_path):
    records = [{"id": "a", "answer": f"SELECT 1{char}x"}, {"id": char}]
    path = write_atomically(tmp_path / "r.jsonl", json_lines(records))
    assert read_jsonl(path, "") == records


def test_what_other_editors_make_of_json_lines_is_read(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1}\r\n\r\n{"id": 2}')
    assert read_jsonl(path, "") == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"id": 1}\n{"id', "line 2, is cut off"),
        (b'{"id"\n{"id": 1}\n', "line 1, is no JSON"),
        (b"[1]\n", "line 1, is no JSON object"),
        (b"\xff\n", "cannot be read .not UTF-8."),
        (b"[" * 100_000, "line 1, is cut off .nested too deep."),
    ],
)
def test_a_damaged_line_is_named_with_the_mend(text, said, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"r\.jsonl.*{said}.*Mend it\."):
        read_jsonl(path, "Mend it.", ValueError)


def test_json_of_another_kind_and_no_file_are_sentences(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(RunError, match=r"a\.json holds list.*Mend it\."):
        read_json(tmp_path / "a.json", "Mend it.")
    with pytest.raises(RunError, match="No such file"):
        read_json(tmp_path / "b.json", "Mend it.")
    with pytest.raises(RunError, match="Is a directory"):
        read_json(tmp_path, "Mend it.")


@pytest.mark.parametrize(("tail", "kept"), [("", 1), ('{"id": 2}', 2), ('{"id', 1), ('{"id": "a\u2028', 1)])
def test_only_half_a_record_is_cut_off(tail, kept, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": 1}\n' + tail)
    cut_torn_tail(path)
    with path.open("a") as file:
        file.write('{"id": 3}\n')
    assert [r["id"] for r in read_jsonl(path, "")] == [1, 2, 3][:kept] + [3]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([{"id": 1}, {"id": 2}], indent=1).encode(),
        b'[{"id": 1},\n {"id": 2}]\n',
        '{"id": 1}\r\n{"id": 2}\r\n'.encode("utf-16"),
        '{"id": 1}\r\n{"id": 2}'.encode("utf-16"),
        b'{"id": 1}\r{"id": 2}\r',
        b'{"id": 1}\n# mine\n',
        b'{"id": 1}\n# mine',
    ],
)
def test_what_a_person_saved_otherwise_loses_no_byte(content, tmp_path):
    """The last bracket of an array, the last byte of UTF-16 and all that an old Mac wrote were taken for half a record."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    cut_torn_tail(path)
    assert path.read_bytes().removesuffix(b"\n") == content.removesuffix(b"\n")


def test_zeros_that_a_power_cut_left_are_cut_off(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"id": 1}\n' + b"\0" * 20)
    cut_torn_tail(path)
    assert path.read_bytes() == b'{"id": 1}\n'


def test_an_interrupted_write_leaves_the_old_text(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.json", "old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(RunError, match=r"a\.json cannot be written \(No space left on device\)\. Free some space"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "a.json", "x")
    with pytest.raises(RunError, match="cannot be written"), fresh_folder(tmp_path / "file" / "f"):
        pass
    with pytest.raises(RunError, match="cannot be written"):
        check_disk(tmp_path / "file" / "f", 0.1)


def test_a_file_has_the_rights_that_the_user_gives_to_files(tmp_path):
    before = os.umask(0o077)
    try:
        path = write_atomically(tmp_path / "a.json", "{}")
        with fresh_folder(tmp_path / "f"):
            pass
    finally:
        os.umask(before)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, tmp_path / "f")] == [0o600, 0o700]
    path.chmod(0o640)
    assert stat.S_IMODE(write_atomically(path, "[]").stat().st_mode) == 0o640


def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**28))
    with pytest.raises(RunError, match=r"1.5 GB and only 0.2 GB are free"):
        check_disk(tmp_path, 1.5)


def test_fresh_folder_replaces_the_old_one_whole(tmp_path):
    for text in ("one", "two"):
        with fresh_folder(tmp_path / "f") as work:
            (work / text).touch()
    assert [p.name for p in (tmp_path / "f").iterdir()] == ["two"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_disk_that_fills_in_the_middle_is_a_sentence_and_the_old_folder_stays(tmp_path):
    with fresh_folder(tmp_path / "f") as work:
        (work / "good").touch()
    with pytest.raises(RunError, match="Free some space"), fresh_folder(tmp_path / "f"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [p.name for p in tmp_path.rglob("*")] == ["f", "good"]


@pytest.mark.parametrize("at", range(8))
def test_no_interrupt_loses_both_old_and_new(at, tmp_path, monkeypatch):
    """An interrupt at the nth step on the disk: the folder is the old or the new, whole, at once or after the sweep."""
    with fresh_folder(tmp_path / "f") as work:
        (work / "weights").write_text("old")
    steps = []

    def failing(real):
        def step(*arguments, **options):
            steps.append(real)
            if len(steps) == at + 1:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return step

    for module, name in ((os, "rename"), (os, "mkdir"), (os, "unlink"), (shutil, "rmtree")):
        monkeypatch.setattr(module, name, failing(getattr(module, name)))
    try:
        with fresh_folder(tmp_path / "f") as work:
            (work / "weights").write_text("new")
    except KeyboardInterrupt:
        pass
    assert (tmp_path / "f" / "weights").read_text() in ("old", "new")


def test_json_lines_of_the_course_stay_as_they_were():
    records = [{"id": "a", "text": "Łódź", "n": 1.5, "none": None}]
    assert json_lines(records) == json.dumps(records[0], ensure_ascii=False) + "\n"
