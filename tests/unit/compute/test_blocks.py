"""Blocks come back in order, whoever computes them."""

import os
from functools import partial

import pytest

from spotbeam.compute.blocks import run_blocks


class Squares:
    def __init__(self, offset: int) -> None:
        self.offset = offset

    def run(self, first: int, stop: int) -> tuple[int, int]:
        if first == 13:
            raise ValueError("block 13")
        return self.offset + first * stop, os.getpid()


BLOCKS = [(n, n + 1) for n in range(7)]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers: int) -> None:
    found = list(run_blocks(partial(Squares, 100), BLOCKS, workers))
    assert [block for block, _ in found] == BLOCKS
    assert [result[0] for _, result in found] == [100 + a * b for a, b in BLOCKS]
    others = {result[1] for _, result in found} - {os.getpid()}
    assert bool(others) == (workers > 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_block_is_raised_here(workers: int) -> None:
    with pytest.raises(ValueError, match="block 13"):
        list(run_blocks(partial(Squares, 0), [(0, 1), (13, 14)], workers))
