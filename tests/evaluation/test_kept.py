"""Answers on disk: asked once, known by settings, prompt and grammar, and safe from kills."""

from dataclasses import replace

import pytest

from forge_lib.evaluation.kept import kept
from forge_lib.evaluation.voting import voting
from forge_lib.lab.files import RunError
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import Completion
from forge_lib.models.opening import weights_digest


class Counted:
    """Answers each question with its number, and remembers who was asked; `stop_at` raises as a kill would."""

    def __init__(self, stop_at: str = ""):
        self.asked, self.stop_at = [], stop_at

    def __call__(self, items):
        if self.stop_at in [i.id for i in items]:
            raise KeyboardInterrupt
        self.asked += [i.id for i in items]
        first = len(self.asked) - len(items)
        return [Completion(f"answer {first + n}", 3, 2, 0.5, True, (7,)) for n in range(len(items))]


def texts(contender, library, saved, settings=None, items=None, **options):
    ask = kept(contender, library, saved, settings or {"weights": "a"}, progress=False, **options)
    return [c.text for c in ask(items or library.test)]


def test_nothing_is_asked_twice(library, tmp_path):
    saved, again = tmp_path / "answers" / "kept.jsonl", Counted()
    first = texts(Counted(), library, saved)
    assert first == ["answer 0", "answer 1", "answer 2"]
    assert texts(again, library, saved) == first and again.asked == []
    found = kept(again, library, saved, {"weights": "a"}, progress=False)(library.test[1:])
    assert found == [Completion(f"answer {n}", 3, 2, 0.5, True) for n in (1, 2)]


def test_other_weights_prompts_and_items_are_asked_anew(library, tmp_path):
    saved, asked = tmp_path / "kept.jsonl", Counted()
    texts(asked, library, saved)
    texts(asked, library, saved, {"weights": "b"})
    assert asked.asked == ["l-1", "l-2", "l-3"] * 2
    texts(asked, library, saved, items=[replace(library.test[0], question="How many?"), *library.test[1:]])
    assert asked.asked[6:] == ["l-1"]
    texts(asked, library, saved, items=[replace(library.test[0], id="other")])
    assert asked.asked[7:] == ["other"]
    texts(asked, library, saved)
    assert len(asked.asked) == 8  # what was there before still is


def test_a_changed_grammar_counts_only_where_answers_are_held_to_it(library, tmp_path, monkeypatch):
    saved, asked = tmp_path / "kept.jsonl", Counted()
    free, held = {"weights": "a"}, {"weights": "a", "constrain": True}
    texts(asked, library, saved, free)
    texts(asked, library, saved, held)
    monkeypatch.setattr(type(library), "grammar", lambda self, item: 'start: "SELECT 1"')
    texts(asked, library, saved, free)
    assert len(asked.asked) == 6
    texts(asked, library, saved, held)
    assert len(asked.asked) == 9


def test_samples_of_a_question_are_kept_apart_and_more_may_come(library, tmp_path):
    saved, asked = tmp_path / "kept.jsonl", Counted()
    two = [item for item in library.test for _ in range(2)]
    first = texts(asked, library, saved, items=two)
    assert len(set(first)) == 6
    three = texts(asked, library, saved, items=[item for item in library.test for _ in range(3)])
    assert [t for n, t in enumerate(three) if n % 3 < 2] == first and asked.asked[6:] == ["l-1", "l-2", "l-3"]


def test_a_vote_over_kept_answers_asks_for_no_greedy_one_twice(library, tmp_path):
    saved, greedy = tmp_path / "kept.jsonl", Counted()
    texts(greedy, library, saved)
    sampled = Counted()
    own = [kept(who, library, saved, {"weights": "a", "t": t}, progress=False) for who, t in ((sampled, 0.7),)]
    voters = voting(library, kept(greedy, library, saved, {"weights": "a"}, progress=False), own[0], samples=2)
    voters(library.test)
    voters(library.test)
    assert len(greedy.asked) == 3 and len(sampled.asked) == 6


def test_a_kill_costs_one_part_at_most(library, tmp_path):
    saved = tmp_path / "kept.jsonl"
    with pytest.raises(KeyboardInterrupt):
        texts(Counted("l-3"), library, saved, at_once=1)
    with saved.open("a") as file:
        file.write('{"key": "half')
    again = Counted()
    assert texts(again, library, saved, at_once=1) == ["answer 0", "answer 1", "answer 0"]
    assert again.asked == ["l-3"]


def test_items_of_one_context_are_asked_together_and_given_back_in_order(library, tmp_path):
    library.elsewhere["zoo"] = library.database("library")
    mixed = [replace(p, id=f"{db}-{p.id}", db_id=db) for p in library.test for db in ("zoo", "library")]
    asked = Counted()
    found = texts(asked, library, tmp_path / "kept.jsonl", items=mixed, at_once=3)
    assert asked.asked == [p.id for p in sorted(mixed, key=lambda p: p.db_id)]
    assert found == [f"answer {asked.asked.index(p.id)}" for p in mixed]


@pytest.mark.parametrize("line", ['{"key": "a", "text": 1}', '{"text": "SELECT 1"}', "[1]"])
def test_a_strange_line_is_a_sentence(library, tmp_path, line):
    saved = tmp_path / "kept.jsonl"
    saved.write_text(line + "\n")
    with pytest.raises(RunError, match="Delete the line"):
        texts(Counted(), library, saved)


def test_weights_are_known_by_what_their_files_hold(tmp_path):
    with pytest.raises(ModelError, match="no weights"):
        weights_digest(tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"one")
    first = weights_digest(tmp_path)
    (tmp_path / "README.md").write_text("not asked")
    assert weights_digest(tmp_path) == first == weights_digest(tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"two")
    assert weights_digest(tmp_path) != first
