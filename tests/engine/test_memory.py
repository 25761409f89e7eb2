import gc

import pytest
import torch

from forge_lib.engine.memory import peak_resident, resident_bytes


def test_resident_memory_rises_with_a_tensor_and_falls_without_it():
    size = 64 * 2**20
    gc.collect()  # what earlier tests have left is not freed meanwhile
    before = resident_bytes()
    many = [torch.ones(2**14) for _ in range(size // 2**16)]  # small ones, which an allocator likes to keep
    during = resident_bytes()
    del many
    assert during - before == pytest.approx(size, rel=0.1)
    assert resident_bytes() - before < 0.2 * size


def test_the_peak_is_that_of_the_block_and_not_of_what_came_before():
    size = 64 * 2**20
    torch.ones(2 * size // 4).add_(1)  # gone when the watching begins
    before = resident_bytes()
    with peak_resident() as seen:
        torch.ones(size // 4).add_(1)  # gone when it ends
    assert seen["peak"] - before == pytest.approx(size, rel=0.15)
