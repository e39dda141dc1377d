"""Runs blocks in order, in this process or in several, and can be interrupted between any two."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from spotbeam.errors import SpotbeamError

Block = tuple[int, int]
Result = TypeVar("Result", covariant=True)


class Worker(Protocol[Result]):
    """Computes blocks; made once in each process."""

    def run(self, first: int, stop: int) -> Result:
        """The result of one block."""


_worker: Worker[object] | None = None


def run_blocks(
    make_worker: Callable[[], Worker[Result]], blocks: Sequence[Block], workers: int = 1
) -> Iterator[tuple[Block, Result]]:
    """Yield the result of each block, in the order of the blocks.

    Args:
        make_worker: Makes the worker of a process; it is sent to other processes, so it must be
            picklable if there are any (a module's function or a `functools.partial` of one).
        blocks: First step and stop step of each.
        workers: Processes; 1 computes here. Not more than a few blocks are in flight, so memory
            does not grow with their number.
    """
    if workers <= 1 or len(blocks) <= 1:
        worker = make_worker()
        for block in blocks:
            yield block, worker.run(*block)
        return
    context = multiprocessing.get_context("spawn")
    count = min(workers, len(blocks))
    pool = ProcessPoolExecutor(count, context, initializer=_start, initargs=(make_worker,))
    waiting: deque[tuple[Block, Future[Result]]] = deque()
    rest = iter(blocks)
    try:
        for block in rest:
            with _interrupts_held():
                future: Future[Result] = pool.submit(_run, *block)
            waiting.append((block, future))
            if len(waiting) > count:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_workers() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _next(waiting: deque[tuple[Block, Future[Result]]]) -> tuple[Block, Result]:
    block, future = waiting.popleft()
    try:
        return block, future.result()
    except BrokenProcessPool:
        raise SpotbeamError(
            f"a process that was computing steps {block[0]} to {block[1]} was killed",
            hint="it may have run out of memory: take fewer workers; the same command goes on",
        ) from None


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes that never hear Ctrl-C, not even before `_start`; ours comes a bit later."""
    if not hasattr(signal, "pthread_sigmask"):  # pragma: no cover (Windows)
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(make_worker: Callable[[], Worker[object]]) -> None:
    global _worker
    # Ctrl-C is for the parent: it stops handing out blocks and lets those in flight finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = make_worker()


def _run(first: int, stop: int) -> Any:
    assert _worker is not None, "the pool starts each process with _start"
    return _worker.run(first, stop)
