"""What happens to entries once they are on disk: signed, cosigned, published, anchored.

Everything here is done by one thread, one step after another.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec

from spotbeam.control.cosigning import (
    Connect,
    Cosigners,
    Disputed,
    Party,
    Question,
    Standing,
    parties_of,
)
from spotbeam.control.writing import Writer
from spotbeam.errors import BadSignature, MalformedRecord, QuorumNotMet, RecordError
from spotbeam.governance.dating import is_dated
from spotbeam.governance.entries.acts import SetWitnesses
from spotbeam.governance.entries.deciding import Anchor, Seal
from spotbeam.governance.entries.logs import Open
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.state import Proposed, State
from spotbeam.record.log import Log
from spotbeam.record.note import Note, Signature, add_signatures, parse_note
from spotbeam.record.policy import WitnessPolicy, parse_policy, verify_witnessed

_ANCHOR_HOLDS = 58_000
SKEW_S = 30
"""How far a witness's clock may be ahead of this machine's."""
_APPROVED_BY = 2
"""Witnesses that a change brings in are asked once so many people have approved it: a URL that one
person wrote down is not one that the log goes to."""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """What a sequencer needs of the world.

    Attributes:
        connect: How to talk to a witness.
        clock_us: This machine's clock, microseconds since 1970 UTC.
        steady_s: Seconds that nobody sets back.
        on_stop: Told once why the log has stopped.
    """

    connect: Connect
    clock_us: Callable[[], int]
    steady_s: Callable[[], float] = time.monotonic
    on_stop: Callable[[str], object] = lambda why: None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a sequencer waits, in seconds.

    Attributes:
        refresh_s: Between fresh cosignatures.
        cosign_s: For a quorum.
        confirm_s: After the start, for what the witnesses hold.
        joining_s: For witnesses that an approved change brings in, once the quorum has signed.
        anchored_s: For an entry to be witnessed and anchored, where a caller waits for that.
        retry_s: After a quorum could not be had, at first and at most.
    """

    refresh_s: float = 60.0
    cosign_s: float = 10.0
    confirm_s: float = 5.0
    joining_s: float = 3.0
    anchored_s: float = 60.0
    retry_s: tuple[float, float] = (0.5, 5.0)


class Published(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The checkpoint that readers see.

    Attributes:
        signed: The note as the log signed it.
        note: The same with cosignatures.
        state: The fold up to it.
        meant_size: Up to and including the last entry under it that is not an anchor.
        witnessed_us: The earliest time by which enough had signed.
        question: What the witnesses were asked, with answers that come late.
    """

    signed: bytes
    note: bytes
    state: State
    meant_size: int
    witnessed_us: int
    question: Question[tuple[Signature, ...]]


class Publisher:
    """Has a log witnessed, publishes and anchors it; each call of `step` does what is due.

    Args:
        log: The log.
        writer: The way into it.
        ports: Witnesses and clock.
        limits: How long to wait for them.
        on_answer: Told after each answer of a witness, in another thread.
        on_published: Told after each publication, with the fold up to it.

    Attributes:
        published: What readers see; None until something was published since the start.
        is_confirmed: Whether a quorum has said what it signed last.
    """

    def __init__(
        self,
        log: Log,
        writer: Writer,
        ports: Ports,
        limits: Limits,
        on_answer: Callable[[], object],
        on_published: Callable[[State], object],
    ) -> None:
        self._log = log
        self._writer = writer
        self._ports = ports
        self._limits = limits
        self._on_published = on_published
        self._cosigners = Cosigners(ports.connect, on_answer)
        self._refreshed_s = 0.0
        self._answered_us: dict[Party, int] = {}
        self._faults: dict[Party, str] = {}
        self.published: Published | None = None
        self.is_confirmed = False

    def step(self) -> float:
        """Do what is due.

        Returns:
            In how many seconds something is due again; infinity: not before something comes.

        Raises:
            QuorumNotMet: Too few witnesses have answered; the next step tries again.
            Refused: The log has stopped.
            RecordError: The log cannot go on.
        """
        state = self._writer.state
        if not state.genesis or not state.is_open:
            return self._open(state)
        if not self.is_confirmed:
            self._confirm(state)
        if self.published is None or self.published.state.size != self._writer.state.size:
            self._witness()
            self._anchor()
            return 0.0
        if self._anchor():
            return 0.0
        self._take_late(self.published)
        due_s = self._refreshed_s + self._limits.refresh_s - self._ports.steady_s()
        if due_s <= 0:
            self._refresh(self.published)
            if self._is_joined(self.published):
                self._say_anchor(self.published)
                return 0.0
            due_s = self._limits.refresh_s
        return min(due_s, self._pass_time())

    def standing(self) -> tuple[Standing, ...]:
        """How it is with each witness."""
        return tuple(
            Standing(
                name=", ".join(party.names),
                url=party.url,
                is_mirror=party.is_mirror,
                answered_us=self._answered_us.get(party),
                fault=self._faults.get(party),
            )
            for party in self._cosigners.parties
        )

    def close(self) -> None:
        """Ask nobody any more."""
        self._cosigners.close()

    def _open(self, state: State) -> float:
        """Begin the log that a closed one named; any other first entry is for people to hand in."""
        closing = state.closing
        if closing is None:
            return math.inf
        if closing.origin != self._log.origin:
            raise RecordError(
                f"the log before this one named {closing.origin!a} as the next, "
                f"not {self._log.origin!a}"
            )
        self._writer.say(Open(origin=closing.origin, previous=state.earlier[-1]), "open")
        return 0.0

    def _confirm(self, state: State) -> None:
        assert state.witness_quorum is not None
        assert state.witness_policy is not None
        self._cosigners.set_parties(parties_of(state.witness_quorum))
        question = self._cosigners.latest(self._limits.confirm_s)
        self._keep_faults(question)
        held: dict[str, bytes | None] = {}
        for party, note in dict(question.answers).items():
            try:
                if note is not None:
                    self._log.check_held(party.names[0], note)
            except (BadSignature, MalformedRecord) as fault:
                self._faults[party] = fault.message
            else:
                held.update(dict.fromkeys(party.names, note))
        self._log.confirm(held, state.witness_policy)
        self.is_confirmed = True

    def _witness(self) -> None:
        with self._writer.turn:
            note = self._log.sign()
            state, meant_size = self._writer.state, self._writer.meant_size
        self._publish(note, state, meant_size)

    def _refresh(self, published: Published) -> None:
        self._publish(published.signed, published.state, published.meant_size)

    def _publish(self, signed: bytes, state: State, meant_size: int) -> None:
        assert state.witness_quorum is not None
        assert state.witness_policy is not None
        policy, quorum = state.witness_policy, state.witness_quorum
        joining = [(parse_policy(each.policy.encode()), each) for each in joining_quorums(state)]
        self._cosigners.set_parties(parties_of(state.witness_quorum, *joining_quorums(state)))
        until = time.monotonic() + self._limits.joining_s

        def is_enough(lines: tuple[Signature, ...]) -> bool:
            note = add_signatures(signed, lines)
            return self._is_met(policy, quorum, note) and (
                all(self._is_met(*each, note) for each in joining) or time.monotonic() > until
            )

        question = self._cosigners.cosign(
            signed, self._log.reader, is_enough, self._limits.cosign_s
        )
        self._keep_faults(question)
        self._show(signed, state, meant_size, question)

    def _show(
        self,
        signed: bytes,
        state: State,
        meant_size: int,
        question: Question[tuple[Signature, ...]],
    ) -> None:
        assert state.witness_policy is not None
        assert state.witness_quorum is not None
        note = add_signatures(signed, self._cosigners.lines(question))
        now_s = self._ports.clock_us() // SECOND_US + SKEW_S
        found = verify_witnessed(note, state.witness_policy, now_s=now_s)
        if not is_dated(found, state.witness_policy, state.witness_quorum):
            raise QuorumNotMet(
                "the witnesses that are needed disagree about the time by more than an hour: "
                + ", ".join(f"{each.key.name} says {each.time_s}" for each in found.cosignatures),
                hint="no reader believes such a checkpoint; their clocks must be set",
            )
        self._log.publish(note, state.witness_policy, now_s=now_s)
        self.published = Published(
            signed=signed,
            note=note,
            state=state,
            meant_size=meant_size,
            witnessed_us=found.time_s * SECOND_US,
            question=question,
        )
        self._refreshed_s = self._ports.steady_s()
        self._cosigners.show(note)
        self._on_published(state)

    def _take_late(self, published: Published) -> None:
        """Publish signatures that came after the quorum's, too."""
        lines = self._cosigners.lines(published.question)
        if add_signatures(published.signed, lines) != published.note:
            self._keep_faults(published.question)
            began_s = self._refreshed_s
            self._show(published.signed, published.state, published.meant_size, published.question)
            self._refreshed_s = began_s

    def _anchor(self) -> bool:
        """Anchor what is published, where that covers more than an anchor; whether it was."""
        published, state = self.published, self._writer.state
        if published is None or published.meant_size <= state.anchored_size:
            return False
        return self._say_anchor(published)

    def _say_anchor(self, published: Published) -> bool:
        state, size = self._writer.state, published.state.size
        policy = state.witness_policy
        if state.closing is not None or size <= state.anchored_size or policy is None:
            return False
        body = Anchor(size=size, note=_fitting(published.note, policy).decode())
        self._writer.say(body, f"anchor-{size}")
        self._writer.note_lapses()
        return True

    def _pass_time(self) -> float:
        """Note what lapsed; where an answer time has passed, have witnesses say so first."""
        if self._writer.state.closing is not None:
            return math.inf
        if self._writer.note_lapses():
            return 0.0
        at_us = self._writer.next_deadline_us()
        left_us = math.inf if at_us is None else at_us - self._ports.clock_us()
        if at_us is None or left_us > 0:
            return left_us / SECOND_US
        assert self.published is not None
        if self.published.witnessed_us < at_us:
            self._refresh(self.published)
        if self.published.witnessed_us >= at_us and self._say_anchor(self.published):
            return 0.0
        return 1.0  # the witnesses' clocks are a little behind this one

    def _is_joined(self, published: Published) -> bool:
        """Whether a change stands still for want of new witnesses who have signed by now."""
        return any(
            proposed.stood_still == "not_witnessed"
            and all(
                self._is_met(parse_policy(each.policy.encode()), each, published.note)
                for each in new
            )
            for proposed, new in _joining(self._writer.state)
        )

    def _is_met(self, policy: WitnessPolicy, quorum: WitnessQuorum, note: bytes) -> bool:
        now_s = self._ports.clock_us() // SECOND_US + SKEW_S
        try:
            return is_dated(verify_witnessed(note, policy, now_s=now_s), policy, quorum)
        except RecordError:
            return False

    def _keep_faults(self, question: Question[Any]) -> None:
        """Keep how it is with each witness, and stop where one shows that the log has forked."""
        faults = dict(question.faults)
        now_us = self._ports.clock_us()
        for party in self._cosigners.parties:
            if party in question.answers:
                self._answered_us[party] = now_us
                self._faults.pop(party, None)
            elif party in faults:
                self._faults[party] = faults[party].message
            else:
                self._faults[party] = "it has not answered yet"
        for party, fault in faults.items():
            if isinstance(fault, Disputed) and fault.held is not None:
                try:
                    self._log.check_held(party.names[0], fault.held)
                except (BadSignature, MalformedRecord) as unsigned:
                    self._faults[party] = unsigned.message


def joining_quorums(state: State) -> tuple[WitnessQuorum, ...]:
    """The witness quorums that pending changes would bring, where people have approved them."""
    return tuple(quorum for _, new in _joining(state) for quorum in new)


def _joining(state: State) -> list[tuple[Proposed, tuple[WitnessQuorum, ...]]]:
    found = []
    for name in sorted(state.pending):
        proposed = state.changes[name]
        if isinstance(proposed.proposal, Seal) or len(proposed.approvals) < _APPROVED_BY:
            continue
        new = tuple(
            act.witness_quorum for act in proposed.proposal.acts if isinstance(act, SetWitnesses)
        )
        if new:
            found.append((proposed, new))
    return found


def _fitting(note: bytes, policy: WitnessPolicy) -> bytes:
    """The note without such signatures as an anchor has no room for and the quorum no need of."""
    read = parse_note(note)
    lines = sorted(read.signatures, key=lambda line: len(line.signature))
    while len(note) > _ANCHOR_HOLDS:
        note = bytes(Note(read.text, tuple(lines := lines[:-1])))
    verify_witnessed(note, policy, now_s=None)
    return note
