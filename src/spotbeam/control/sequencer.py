"""The one writer to a log: it adds entries, has them witnessed, publishes and anchors them.

    submit ─► on disk ─► signed ─► cosigned by the quorum ─► published
                 ▲                                              │
                 └───────────── anchor: "witnesses saw it" ◄────┘

A batch that is only an anchor gets none of its own. Once a minute the witnesses sign again, so that
readers know that nobody holds anything back. When an answer time has passed, a checkpoint that was
signed after it is anchored, and the lapse is noted.

Where the quorum cannot be had, entries are taken and kept, and `status` says that they are not
witnessed. On a fork, a full disk or another writer the log stops, and says why.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Literal

import msgspec

from spotbeam.control.cosigning import Standing
from spotbeam.control.publishing import Limits, Ports, Publisher
from spotbeam.control.recording import Recorded, Recorder, Wait
from spotbeam.control.writing import Writer
from spotbeam.errors import QuorumNotMet, Refused, SpotbeamError
from spotbeam.governance.history import History
from spotbeam.governance.state import State, state_digest
from spotbeam.record.log import Log

__all__ = ["Limits", "Ports", "Recorded", "Recorder", "Sequencer", "Status", "Wait"]

_STATES_KEPT = 1_024


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says of itself.

    Attributes:
        standing: `empty` has no first entry; `starting` does not know yet what its witnesses
            signed last; `waiting` has no quorum; `stopped` takes nothing any more; `closed` goes
            on in another log.
        why: What it waits for, or why it stopped.
        size: Entries on disk; `published_size` of them are witnessed and published, and
            `anchored_size` under an anchor.
        witnessed_us: Witnessed time of what is published; None: nothing was, since the start.
    """

    origin: str
    genesis: str
    standing: Literal["empty", "starting", "witnessed", "waiting", "stopped", "closed"]
    why: str | None
    rules_version: int
    size: int
    published_size: int
    anchored_size: int
    witnessed_us: int | None
    witnesses: tuple[Standing, ...]


class Sequencer:
    """A log on this machine, and everything that happens to it: a `Recorder`.

    Use it as a context, or call `start` and `close`. Without `start` nothing happens by itself, and
    `step` does what is due.

    Args:
        log: The log; nobody else writes to it.
        ports: Witnesses and clock.
        before: The fold of the logs before it, if the record began in another one. An empty log
            that the last of them named is opened.
        limits: How long it waits for others.
    """

    def __init__(
        self,
        log: Log,
        ports: Ports,
        before: History | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._log = log
        self._ports = ports
        self._limits = limits or Limits()
        self._writer = Writer(log, before or History(), ports.clock_us)
        self._awake = threading.Event()
        self._ready = threading.Event()
        self._ending = threading.Event()
        self._publisher = Publisher(
            log, self._writer, ports, self._limits, self._awake.set, self._on_published
        )
        self._thread: threading.Thread | None = None
        self._states: OrderedDict[int, State] = OrderedDict()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._lock = threading.Lock()
        self._fault: str | None = None
        self._failures = 0

    def __enter__(self) -> Sequencer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """The log's name."""
        return str(self._log.origin)

    @property
    def state(self) -> State:
        """The fold of all entries on disk, witnessed or not."""
        return self._writer.state

    def history(self) -> History:
        """The same with every anchor."""
        return self._writer.history()

    def start(self) -> None:
        """Do what is due from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._thread.start()

    def submit(self, entry: bytes, wait: Wait = "durable") -> Recorded:
        """Have an entry added to the log.

        Args:
            entry: Its canonical bytes. `recorded_us` becomes the log's own word. What is in the
                log already is not added again, and its place is the answer.
            wait: Until it is on disk, or until a published checkpoint covers the anchor that
                covers it.

        Raises:
            Refused: The record would void it, or the log cannot go on: nothing was added.
            QuorumNotMet: It is on disk, but was not witnessed in time.
        """
        if self._log.size and not self._ready.wait(self._limits.confirm_s + 1):
            raise Refused(
                "unconfirmed",
                "the log takes nothing before its witnesses have said what they signed last"
                + (f": {self._fault}" if self._fault else ""),
            )
        try:
            recorded = self._writer.submit(entry)
        finally:
            self._awake.set()  # even if it failed: the disk may be full, which has to be said
        if wait == "anchored":
            self.await_anchored(recorded)
        return recorded

    def await_anchored(self, recorded: Recorded) -> None:
        """Wait until a published checkpoint covers the anchor that covers an entry.

        Raises:
            QuorumNotMet: That did not happen in time; the entry stays on disk.
        """
        try:
            self.anchored(recorded).result(self._limits.anchored_s)
        except Late:
            raise self.not_witnessed(recorded) from None

    def not_witnessed(self, recorded: Recorded) -> QuorumNotMet:
        """What to say of an entry that is on disk, and that no quorum has signed in time."""
        why = self._fault or "the witnesses have not signed yet"
        return QuorumNotMet(f"entry {recorded.index} is on disk, but not witnessed: {why}")

    def anchored(self, recorded: Recorded) -> Future[None]:
        """Done once a published checkpoint covers the anchor that covers an entry."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append((recorded.index, future))
        published = self._publisher.published
        if published is not None:
            self._settle(published.state)
        return future

    def step(self) -> float:
        """Do what is due, once; in how many seconds something is due again."""
        if self._writer.stopped is not None:
            return self._stop(self._writer.stopped)
        try:
            due_s = self._publisher.step()
        except QuorumNotMet as fault:
            self._fault = str(fault)
            self._failures += 1
            first_s, most_s = self._limits.retry_s
            return min(first_s * 2.0 ** min(self._failures - 1, 10), most_s)
        except SpotbeamError as fault:
            return self._stop(fault.message)
        except Exception as fault:
            return self._stop(f"{type(fault).__name__}: {fault}")
        finally:
            if self._publisher.is_confirmed:
                self._ready.set()
        self._fault, self._failures = None, 0
        return due_s

    def status(self) -> Status:
        """How the log stands."""
        state, published = self._writer.state, self._publisher.published
        return Status(
            origin=self._log.origin,
            genesis=state.genesis,
            standing=self._standing(state),
            why=self._writer.stopped or self._fault,
            rules_version=state.rules_version,
            size=state.size,
            published_size=published.state.size if published else 0,
            anchored_size=state.anchored_size,
            witnessed_us=published.witnessed_us if published else None,
            witnesses=self._publisher.standing(),
        )

    def state_at_digest(self, size: int) -> str | None:
        """Digest of the fold of so many entries, where they were published or anchored."""
        with self._lock:
            state = self._states.get(size)
        if state is None:
            own = [each for each in self.history().states if each.origin == self._log.origin]
            at = bisect_left(own, size, key=lambda each: each.size)
            state = own[at] if at < len(own) and own[at].size == size else None
        return None if state is None else state_digest(state)

    def close(self) -> None:
        """End, and close the log; whoever still waits is told so."""
        self._ending.set()
        self._awake.set()
        self._publisher.close()
        if self._thread is not None:
            self._thread.join(self._limits.cosign_s + 5)
        self._writer.stop("it was closed")
        self._fail(QuorumNotMet("the log was closed before its witnesses had signed"))
        with self._writer.turn:
            self._log.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._awake.clear()
            due_s = self.step()
            if self._failures:
                self._ending.wait(due_s)  # whatever comes in meanwhile cannot be witnessed
            elif due_s > 0:
                self._awake.wait(None if due_s == math.inf else due_s)

    def _standing(
        self, state: State
    ) -> Literal["empty", "starting", "witnessed", "waiting", "stopped", "closed"]:
        if self._writer.stopped is not None:
            return "stopped"
        if not state.size:
            return "empty"
        if not self._publisher.is_confirmed:
            return "starting"
        if self._fault is not None or self._publisher.published is None:
            return "waiting"
        return "closed" if state.closing is not None else "witnessed"

    def _stop(self, why: str) -> float:
        why = self._writer.stopped or why
        if not self._ending.is_set() and self._fault != why:
            self._fault = why
            self._ports.on_stop(why)
        self._writer.stop(why)
        self._ready.set()
        self._fail(Refused("stopped", f"the log has stopped: {why}"))
        return math.inf

    def _on_published(self, state: State) -> None:
        with self._lock:
            self._states[state.size] = state
            while len(self._states) > _STATES_KEPT:
                self._states.popitem(last=False)
        self._settle(state)

    def _settle(self, state: State) -> None:
        """Tell those whose entry lies under an anchor that is published."""
        with self._lock:
            done = [each for index, each in self._waiting if index < state.anchored_size]
            self._waiting = [each for each in self._waiting if each[0] >= state.anchored_size]
        for future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def _fail(self, fault: SpotbeamError) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(fault)
