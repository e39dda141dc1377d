"""Ask all witnesses at once: each has a thread of its own, so a slow one delays only itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from spotbeam.errors import RecordError, SpotbeamError, Unreachable
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.record.keys import VerifierKey
from spotbeam.record.note import Signature
from spotbeam.record.policy import parse_policy
from spotbeam.record.tile_reader import TileReader


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever answers at one URL, under all of its keys that the policies name.

    Attributes:
        names: What the policies call it, one name a key.
        url: None where no policy says where it is.
        is_mirror: Whether it wants the entries before it signs.
    """

    names: tuple[str, ...]
    url: str | None
    keys: tuple[VerifierKey, ...]
    is_mirror: bool = False


class Witnessing(Protocol):
    """One witness or mirror, as this log talks to it."""

    def latest(self) -> bytes | None:
        """The note that it signed last for this log, or None.

        Raises:
            SpotbeamError: It did not say.
        """

    def cosign(self, note: bytes, tree: TileReader) -> tuple[Signature, ...]:
        """Its verified signature lines on a note that this log has signed.

        Args:
            note: The log's checkpoint.
            tree: The tree under it, for proofs and for the entries that a mirror wants.

        Raises:
            SpotbeamError: It did not sign, and why.
        """

    def show(self, note: bytes) -> None:
        """Show a mirror what all others have signed of the note that it has signed last.

        Raises:
            SpotbeamError: It did not take it.
        """


Connect = Callable[[Party], Witnessing]


class Disputed(RecordError):
    """A witness holds something of this log that does not go together with what it was asked.

    Args:
        message: What it said.
        held: The note that it serves, where it serves one.
    """

    code = "disputed"

    def __init__(self, message: str, held: bytes | None = None) -> None:
        super().__init__(message)
        self.held = held


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How it is with one witness.

    Attributes:
        answered_us: When it last answered, by this machine's clock; None: not since the start.
        fault: Why it did not the last time; None: it did.
    """

    name: str
    url: str | None
    is_mirror: bool
    answered_us: int | None = None
    fault: str | None = None


def parties_of(*quorums: WitnessQuorum) -> tuple[Party, ...]:
    """Whom some witness quorums name, each URL once, in the order of the policies."""
    found: dict[tuple[str | None, bool, str], Party] = {}
    for quorum in quorums:
        for witness in parse_policy(quorum.policy.encode()).witnesses:
            is_mirror = witness.name in quorum.mirrors
            # Without a URL nobody is asked, and each stands for itself.
            place = (witness.url, is_mirror, "" if witness.url else witness.name)
            before = found.get(place)
            names, keys = (before.names, before.keys) if before else ((), ())
            if witness.key not in keys:
                found[place] = Party(
                    names=(*names, witness.name),
                    url=witness.url,
                    keys=(*keys, witness.key),
                    is_mirror=is_mirror,
                )
    return tuple(found.values())


T = TypeVar("T")
_LOOK_AGAIN_S = 0.1
"""How often a question is looked at while nobody answers: what is enough may depend on time."""


class Question(Generic[T]):
    """Something asked of every witness, and what has come back so far.

    Attributes:
        answers: What each has answered, late ones too.
        faults: Why the others have not.
    """

    def __init__(self, ask: Callable[[Witnessing], T]) -> None:
        self.ask = ask
        self.answers: dict[Party, T] = {}
        self.faults: dict[Party, SpotbeamError] = {}


class Cosigners:
    """The witnesses of a log.

    Args:
        connect: How to talk to one.
        on_answer: Told after each answer, in the thread of that witness.
    """

    def __init__(self, connect: Connect, on_answer: Callable[[], object] = lambda: None) -> None:
        self._connect = connect
        self._on_answer = on_answer
        self._changed = threading.Condition()
        self._workers: dict[Party, _Worker] = {}
        self._is_closed = False

    @property
    def parties(self) -> tuple[Party, ...]:
        """Whom it talks to."""
        with self._changed:
            return tuple(self._workers)

    def set_parties(self, parties: Iterable[Party]) -> None:
        """Talk to these from now on; whoever stays keeps their connection."""
        wanted = dict.fromkeys(parties)
        with self._changed:
            if self._is_closed:
                return
            for party in [each for each in self._workers if each not in wanted]:
                self._workers.pop(party).stop()
            for party in wanted:
                if party not in self._workers:
                    self._workers[party] = _Worker(
                        party, self._connect, self._changed, self._on_answer
                    )

    def latest(self, limit_s: float) -> Question[bytes | None]:
        """Ask all what they hold of this log; one that is not heard may know more than the rest.

        Returns:
            What has come when all have answered, or when the limit is over.
        """
        question: Question[bytes | None] = Question(lambda witness: witness.latest())
        self._ask(question, limit_s, lambda _: False)
        return question

    def cosign(
        self,
        note: bytes,
        reader: Callable[[], TileReader],
        is_enough: Callable[[tuple[Signature, ...]], bool],
        limit_s: float,
    ) -> Question[tuple[Signature, ...]]:
        """Ask all for their signatures on a note.

        Args:
            note: The log's checkpoint.
            reader: Opens the tree under it, once for each witness.
            is_enough: Whether the lines so far will do; then the others are not waited for, and
                their answers come in late.
            limit_s: No longer is waited for anybody.
        """
        question = Question(lambda witness: witness.cosign(note, reader()))
        self._ask(question, limit_s, lambda found: is_enough(self.lines(found)))
        return question

    def lines(self, question: Question[tuple[Signature, ...]]) -> tuple[Signature, ...]:
        """All signature lines that have come so far, in the order of the witnesses."""
        with self._changed:
            return tuple(
                line for party in self._workers for line in question.answers.get(party, ())
            )

    def show(self, note: bytes) -> None:
        """Bring a published note to all mirrors, whose readers want the quorum; wait for none."""

        def bring(witness: Witnessing) -> None:
            witness.show(note)

        question = Question(bring)
        with self._changed:
            for party, worker in self._workers.items():
                if party.is_mirror and worker.wanted is None:
                    worker.wanted = question
            self._changed.notify_all()

    def close(self) -> None:
        """Ask nobody any more; whoever is being asked is not waited for."""
        with self._changed:
            self._is_closed = True
            for worker in self._workers.values():
                worker.stop()
            self._workers.clear()
            self._changed.notify_all()

    def _ask(
        self, question: Question[T], limit_s: float, is_enough: Callable[[Question[T]], bool]
    ) -> None:
        until = time.monotonic() + limit_s
        with self._changed:
            for worker in self._workers.values():
                worker.wanted = question
            self._changed.notify_all()
            asked = set(self._workers)
            while True:
                heard = question.answers.keys() | question.faults.keys()
                left_s = until - time.monotonic()
                if self._is_closed or asked <= heard or left_s <= 0 or is_enough(question):
                    return
                self._changed.wait(min(left_s, _LOOK_AGAIN_S))


class _Worker:
    """The thread that talks to one witness; a newer question replaces one not yet begun."""

    def __init__(
        self,
        party: Party,
        connect: Connect,
        changed: threading.Condition,
        on_answer: Callable[[], object],
    ) -> None:
        self.wanted: Question[Any] | None = None
        self._party = party
        self._connect = connect
        self._changed = changed
        self._on_answer = on_answer
        self._is_stopped = False
        threading.Thread(target=self._run, name=f"witness {party.names[0]}", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        witness: Witnessing | None = None
        while (question := self._next()) is not None:
            try:
                if witness is None:
                    witness = self._connect(self._party)
                answer = question.ask(witness)
            except SpotbeamError as fault:
                self._keep(question.faults, fault)
            except Exception as fault:
                # A witness cannot be allowed to end the thread that would ask it again.
                why = f"{type(fault).__name__}: {fault}"
                self._keep(question.faults, Unreachable(self._party.url or "a witness", why))
            else:
                self._keep(question.answers, answer)
            self._on_answer()

    def _next(self) -> Question[Any] | None:
        with self._changed:
            while self.wanted is None and not self._is_stopped:
                self._changed.wait()
            question, self.wanted = self.wanted, None
            return None if self._is_stopped else question

    def _keep(self, where: dict[Party, T], what: T) -> None:
        with self._changed:
            where[self._party] = what
            self._changed.notify_all()
