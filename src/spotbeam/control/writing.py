"""Add entries to a log: each is checked by the fold first, and many share one write to disk."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from hashlib import sha256

from spotbeam.control.recording import Recorded
from spotbeam.errors import MalformedRecord, RecordError, Refused, SpotbeamError
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import LOG, Body, entry_bytes, unsigned
from spotbeam.governance.entries.asking import Lapse
from spotbeam.governance.history import History, fold, next_log
from spotbeam.governance.state import State
from spotbeam.record.canonical import canonical_json, parse_canonical_object
from spotbeam.record.log import Log

_GATHER_S = 0.001
Make = Callable[[State], tuple[bytes, str]]
"""An entry that is written when its turn comes, for the state that it will meet; and its id."""


class _Waiting:
    """An entry that waits for its turn, and what became of it."""

    def __init__(self, make: Make) -> None:
        self.make = make
        self.data = b""
        self.recorded: Recorded | None = None
        self.fault: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.recorded is not None or self.fault is not None


class Writer:
    """The fold of a log and the only way into it.

    Whoever has the turn writes for all who wait: their entries are on disk with one sync.

    Args:
        log: The log; its entries are folded at once.
        before: The fold of the logs before it, if the record began in another one.
        clock_us: This machine's clock.

    Attributes:
        turn: Hold it to keep the log and `state` still, as for signing.
        state: After the last entry on disk.
        stopped: Why nothing is added any more, or None.
        meant_size: Up to and including the last entry that is not an anchor.
    """

    def __init__(self, log: Log, before: History, clock_us: Callable[[], int]) -> None:
        self._log = log
        self._clock_us = clock_us
        self._queue = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._is_led = False
        self._expected = 1
        folded = fold(log.entries(), onto=next_log(before))
        self.turn = threading.Lock()
        self.state = folded.now
        self.stopped: str | None = None
        self.meant_size = _meant_size(log)
        self._anchors = list(folded.anchors)
        self._states = list(folded.states)
        self._deadlines = [
            (asked.request.answer_by_us, name)
            for name, asked in folded.now.requests.items()
            if asked.status == "registered"
        ]
        heapq.heapify(self._deadlines)

    def submit(self, entry: bytes) -> Recorded:
        """Add an entry that somebody else has written; on disk when this returns.

        `recorded_us` becomes the log's own word. An entry that is handed in again, and is in the
        log already, is not added again.

        Raises:
            Refused: It would be void, or the log has stopped.
        """
        return self._write(lambda _: stamped(entry, self._clock_us()))

    def say(self, body: Body, name: str) -> Recorded:
        """Add an entry on the log's own word.

        Args:
            body: What it says.
            name: Its id, or how it begins where somebody has taken that id.

        Raises:
            Refused: It would be void, or the log has stopped.
        """

        def make(state: State) -> tuple[bytes, str]:
            free = _free(name, state)
            envelope = unsigned(
                body, id=free, actor=LOG, recorded_us=self._clock_us(), v=state.rules_version
            )
            return entry_bytes(envelope), free

        return self._write(make)

    def note_lapses(self) -> int:
        """Say of each request whose answer time is past by witnessed time that it lapsed.

        Returns:
            How many were noted.
        """
        count = 0
        if self.state.closing is not None:
            return count
        while self._deadlines and self._deadlines[0][0] <= self.state.witnessed_us:
            _, name = heapq.heappop(self._deadlines)
            asked = self.state.requests[name]
            entry_id = lapse_id(name)
            if asked.has_lapsed(self.state.witnessed_us) and not self._is_noted(name, entry_id):
                self.say(Lapse(request=name), entry_id)
                count += 1
        return count

    def next_deadline_us(self) -> int | None:
        """The next answer time of a request that nobody has answered, or None."""
        while self._deadlines:
            at_us, name = self._deadlines[0]
            if self.state.requests[name].status == "registered":
                return at_us
            heapq.heappop(self._deadlines)
        return None

    def history(self) -> History:
        """The fold so far, with every anchor."""
        with self.turn:
            return History(now=self.state, anchors=tuple(self._anchors), states=tuple(self._states))

    def stop(self, why: str) -> None:
        """Add nothing any more."""
        self.stopped = self.stopped or why

    def _write(self, make: Make) -> Recorded:
        mine = _Waiting(make)
        with self._queue:
            self._waiting.append(mine)
            # Who is done goes at once, and does not stand in line behind those who are not.
            while not mine.is_done and self._is_led:
                self._queue.wait()
            leads = not mine.is_done
            self._is_led = self._is_led or leads
        if leads:
            self._lead()
        if mine.fault is not None:
            raise mine.fault
        assert mine.recorded is not None
        return mine.recorded

    def _lead(self) -> None:
        """Write for all who wait."""
        batch: list[_Waiting] = []
        try:
            # Who went with the last write is about to come again; a sync costs several times this.
            until = time.monotonic() + _GATHER_S
            while len(self._waiting) < self._expected and time.monotonic() < until:
                time.sleep(_GATHER_S / 10)
            with self.turn:
                with self._queue:
                    batch, self._waiting = self._waiting, []
                self._expected = max(len(batch), self._expected - 1)
                self._write_batch(batch)
        except BaseException as fault:  # such as Ctrl-C: nobody may wait for ever
            self.stop(f"{type(fault).__name__}: {fault}")
            for each in batch:
                if not each.is_done:
                    each.fault = _stopped(self.stopped or "")
            raise
        finally:
            with self._queue:
                self._is_led = False
                self._queue.notify_all()

    def _write_batch(self, batch: list[_Waiting]) -> None:
        state = self.state
        taken: list[tuple[_Waiting, str, State]] = []
        for each in batch:
            try:
                state = self._accepted(state, each, taken)
            except SpotbeamError as fault:
                each.fault = fault
        if not taken:
            return
        try:
            numbers = self._log.append([each.data for each, _, _ in taken])
            if numbers.start != self.state.size:
                raise RecordError(f"entry {numbers.start} was added, not {self.state.size}")
        except RecordError as fault:
            self.stop(fault.message)
            for each, _, _ in taken:
                each.fault = _stopped(fault.message)
            return
        for (each, name, after), number in zip(taken, numbers, strict=True):
            each.recorded = _recorded(number, name, each.data)
            self._take(after, name)

    def _accepted(
        self, state: State, each: _Waiting, taken: list[tuple[_Waiting, str, State]]
    ) -> State:
        """Put an entry among those that are taken, unless it is in the log; the state with it."""
        if self.stopped is not None:
            raise _stopped(self.stopped)
        if state.halted is not None:
            raise Refused("halted", state.halted)
        each.data, name = each.make(state)
        after = apply(state, each.data)
        if len(after.seen) == len(state.seen):
            finding = after.findings[after.newest][-1]
            # It is said of ids, and of much else that somebody says a second time.
            if finding.code == "repeated" and name in state.seen:
                number = state.seen[name] - state.before
                there = self._there(number, taken)
                if there is not None and _says_the_same(there, each.data):
                    each.recorded = _recorded(number, name, there)
                    return state
            raise Refused(finding.code, finding.reason)
        taken.append((each, name, after))
        return after

    def _there(self, number: int, taken: list[tuple[_Waiting, str, State]]) -> bytes | None:
        """The entry at a place of this log, on disk or about to be; None if it is in another."""
        if number < 0:
            return None
        if number < self._log.size:
            return next(self._log.entries(number, number + 1))
        return taken[number - self._log.size][0].data

    def _take(self, after: State, name: str) -> None:
        before, self.state = self.state, after
        if after.anchored_size != before.anchored_size:
            self._anchors.append(after.witnessed_us)
            self._states.append(after)
        else:
            self.meant_size = after.size
        if name in after.requests and name not in before.requests:
            heapq.heappush(self._deadlines, (after.requests[name].request.answer_by_us, name))

    def _is_noted(self, request: str, entry_id: str) -> bool:
        """Whether the log has said of a request that it lapsed."""
        if entry_id not in self.state.seen:
            return False
        number = self.state.seen[entry_id] - self.state.before
        if number < 0:  # in an earlier log, where only the log had a use for such an id
            return True
        value = parse_canonical_object(next(self._log.entries(number, number + 1)))
        return value["type"] == "lapse" and value["body"] == {"request": request}


def stamped(entry: bytes, recorded_us: int) -> tuple[bytes, str]:
    """An entry with the log's own word on when it came, which nobody signs; and its id.

    What is no entry comes back as it is: the fold says what is wrong with it. So does a first
    entry, whose digest people carry about.

    Raises:
        Refused: It is too large with it.
    """
    try:
        value = parse_canonical_object(entry)
    except (SpotbeamError, ValueError, RecursionError):
        return entry, ""
    name = str(value.get("id"))
    if type(value.get("recorded_us")) is not int or value.get("type") == "genesis":
        return entry, name
    try:
        return canonical_json({**value, "recorded_us": recorded_us}), name
    except MalformedRecord as fault:
        raise Refused("not_canonical", fault.message) from None


def lapse_id(request: str) -> str:
    """The id of the entry that notes a request's lapse."""
    name = f"lapse-{request}"
    return name if len(name) <= 60 else f"lapse-{sha256(request.encode()).hexdigest()[:40]}"


def _free(name: str, state: State) -> str:
    """An id that nobody has taken: else anybody could keep the log from saying something."""
    found, count = name, 1
    while found in state.seen:
        count += 1
        found = f"{name}.{count}"
    return found


def _recorded(number: int, name: str, data: bytes) -> Recorded:
    return Recorded(index=number, id=name, digest=sha256(data).hexdigest())


def _says_the_same(one: bytes, other: bytes) -> bool:
    """Whether two entries differ at most in when the log says that it recorded them."""
    first, second = (parse_canonical_object(each) for each in (one, other))
    return {**first, "recorded_us": None} == {**second, "recorded_us": None}


def _stopped(why: str) -> Refused:
    return Refused("stopped", f"the log takes no entries: {why}")


def _meant_size(log: Log) -> int:
    """The size up to the last entry that is not an anchor; what is no entry counts too."""
    for number in range(log.size - 1, -1, -1):
        try:
            kind = parse_canonical_object(next(log.entries(number, number + 1))).get("type")
        except (SpotbeamError, ValueError, RecursionError):
            kind = None
        if kind != "anchor":
            return number + 1
    return 0
