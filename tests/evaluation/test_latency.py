"""How long one asker waits: measured one at a time, on any contender."""

import time

import pytest

from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.latency import measure_latency, throughput
from forge_lib.models.generate import Completion


def slow(log, seconds=0.001):
    def answer(items):
        log.append(len(items))
        time.sleep(seconds)
        return [Completion("SELECT 1", 10, 4, 0.0, True) for _ in items]

    return answer


def test_questions_are_asked_one_at_a_time_and_timed(library):
    log, first = [], []
    found = measure_latency(slow(log), library.test * 4, slow(first, 0.0001), least=12)
    assert log == [1] * (12 + 2) == first and found.questions == 12
    assert 0.001 <= found.p50 <= found.p95 and 0.0001 <= found.first_p50 <= found.first_p95
    assert found.tokens_per_second < 4 / 0.001 and found.peak_memory > 2**20
    assert "first token after" in str(found)
    assert "first token" not in str(measure_latency(slow([]), library.test, least=3))


def test_a_percentile_of_three_is_refused(library):
    with pytest.raises(ValueError, match="give 50 or more"):
        measure_latency(slow([]), library.test)


def test_a_model_of_this_process_is_measured(library, tokenizer, tiny_llama):
    found = measure_latency(
        local_model(tiny_llama, tokenizer, library, 8, 1), library.test, local_model(tiny_llama, tokenizer, library, 1, 1),
        least=3,
    )  # fmt: skip
    assert found.first_p50 > 0 and found.p50 > 0 and found.tokens_per_second > 0


def test_throughput_is_by_batch_size(library):
    log = []

    def make(size):
        def answer(items):
            log.append(size)
            time.sleep(0.002 * -(-len(items) // size))
            return [Completion("", 9, 3, 0.0, True) for _ in items]

        return answer

    table = throughput(make, library.test * 4, (1, 6))
    assert log == [1, 1, 6, 6]
    row = table.loc[6]  # twelve questions in two batches, whatever the machine is busy with
    assert row["s/batch"] == pytest.approx(6 * row["s/question"]) and row["s/question"] * row[
        "questions/s"
    ] == pytest.approx(1)
    assert row["tokens/s"] == pytest.approx(3 * row["questions/s"]) and row["s/batch"] >= 0.002
    with pytest.raises(ValueError, match="no question"):
        throughput(make, [])
