"""What the entries of a receipt show by themselves: folded as ever, with gaps between them.

`apply` judges people, witnesses, requests and time from the entries that are there. Only decisions
about service are judged here, because what they read (every rule and list on their ground) is not
in a receipt: their approvals are held to all rules of `approving` and `binding` but that one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import get_args

import msgspec
from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.errors import RecordError
from spotbeam.governance.anchors import APPROVAL_LASTS_US
from spotbeam.governance.apply import apply
from spotbeam.governance.asking import open_request
from spotbeam.governance.binding import committed
from spotbeam.governance.entries import Body, Entry, parse_entry
from spotbeam.governance.entries.acts import PolicyAct
from spotbeam.governance.entries.asking import Withdrawal
from spotbeam.governance.entries.deciding import Anchor, Approval, Change, Emergency, Seal
from spotbeam.governance.entries.logs import Open, Succession
from spotbeam.governance.proposing import window_of
from spotbeam.governance.quorum import (
    allows_emergencies,
    demand_eligible,
    is_met,
    quorum_for,
)
from spotbeam.governance.roster import signer
from spotbeam.governance.state import Given, Proposed, State, found, listed
from spotbeam.governance.succession import onward
from spotbeam.governance.void import Finding, Void, demand
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.policy import WitnessPolicy

_POLICY_ACTS = get_args(PolicyAct)


class Judged(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a receipt's entries show.

    Attributes:
        state: After the last of them: who is seated and whose witnesses count, as far as is shown.
        decisions: Every proposal, in order: about service, people, witnesses or the rules.
        others: Every other entry that has its effect here: index and what it is.
        void: Entries that have none, with the reason.
        policies: Whose signatures count at the end of each log; None where nobody's do.

    Indices count on through all logs.
    """

    state: State
    decisions: tuple[Proposed, ...] = ()
    others: tuple[tuple[int, Entry], ...] = ()
    void: tuple[Finding, ...] = ()
    policies: tuple[WitnessPolicy | None, ...] = ()


def judge(*logs: Iterable[tuple[int, bytes]]) -> Judged:
    """Fold the entries of a receipt, given log by log with their indices in it, ascending.

    That they are in a witnessed log is for `verify_receipt` to check, each log under the witness
    policy that stands at its end (`policies`); that entry 0 of the first is the right one, for
    whoever knows its digest.
    """
    judging = _Judging()
    policies = []
    for number, entries in enumerate(logs):
        if number:
            judging.state = onward(judging.state)
        for index, data in entries:
            judging.take(index, data)
        policies.append(judging.state.witness_policy)
    state = judging.state
    return Judged(
        state=state,
        decisions=tuple(sorted(state.changes.values(), key=lambda each: each.index)),
        others=tuple(judging.others),
        void=listed(state),
        policies=tuple(policies),
    )


class _Judging:
    """A fold with gaps under way."""

    def __init__(self) -> None:
        self.state = State()
        self.names: list[str] = []
        self.others: list[tuple[int, Entry]] = []

    def take(self, place: int, data: bytes) -> None:
        """Take one more entry, by its place in the log at hand."""
        self.state = _placed(self.state, place)
        index = self.state.before + place
        try:
            entry = parse_entry(data)
        except Void:
            self.state = apply(self.state, data)
            return
        self.state = _believing(self.state, place, entry.body)
        index = self.state.before + place
        if self.state.halted is None and self._is_ours(entry):
            try:
                self._decide(index, entry)
            except Void as fault:
                self.state = found(self.state, Finding(index, fault.code, fault.reason))
            self.state = replace(self.state, size=place + 1)
        else:
            before = self.state.anchored_size
            self.state = apply(self.state, data)
            if index not in self.state.findings:
                self.others.append((index, entry))
            self._drop_suspended()
            if self.state.anchored_size != before:
                for name in self.names:
                    self._anchored(self.state.changes[name])

    def _is_ours(self, entry: Entry) -> bool:
        """Whether an entry is about a decision whose readings a receipt does not hold."""
        match entry.body:
            case Change(acts=acts):
                return any(isinstance(act, _POLICY_ACTS) for act in acts)
            case Emergency() | Seal():
                return True
            case Approval(change=digest):
                return self.state.by_digest.get(digest) in self.names
            case Withdrawal(target=target):
                return target in self.names or self.state.approvals.get(target) in self.names
        return False

    def _decide(self, index: int, entry: Entry) -> None:
        state, name = self.state, entry.envelope.id
        demand(state.final is None, "closed", "the log was closed before it")
        demand(state.roster is not None, "no_genesis", "the receipt does not begin with entry 0")
        demand(entry.envelope.v == state.rules_version, "other_version", "another rules version")
        demand(name not in state.seen, "repeated", "the id is used a second time")
        person = signer(state, entry)
        match entry.body:
            case Change() | Emergency() | Seal() as body:
                self._proposed(index, entry, body, person.id)
            case Approval() as body:
                self._approved(index, entry, body, person.id)
            case Withdrawal() as body:
                self._withdrawn(body, person.id)
        self.state = replace(self.state, seen=self.state.seen.insert(name, index))

    def _proposed(
        self, index: int, entry: Entry, body: Change | Emergency | Seal, proposer: str
    ) -> None:
        state = self.state
        open_request(state, body.request)
        if isinstance(body, Change):
            demand(
                all(isinstance(act, _POLICY_ACTS) for act in body.acts),
                "mixed",
                "acts with a window and acts that happen once are two changes",
            )
        demand(body.lapses_us > state.witnessed_us, "too_late", "it has lapsed already")
        if isinstance(body, Emergency):
            demand(
                allows_emergencies(state), "no_emergencies", "the full quorum is as small as its"
            )
        proposed = Proposed(
            id=entry.envelope.id,
            digest=entry.digest,
            proposal=body,
            proposer=proposer,
            index=index,
            proposed_us=state.witnessed_us,
        )
        self.names.append(proposed.id)
        self._keep(proposed)
        self.state = replace(
            self.state, by_digest=self.state.by_digest.insert(entry.digest, proposed.id)
        )

    def _approved(self, index: int, entry: Entry, body: Approval, person: str) -> None:
        state, key = self.state, entry.envelope.key or ""
        proposed = state.changes[state.by_digest[body.change]]
        demand(proposed.status == "pending", "decided", f"the proposal is {proposed.status}")
        demand(not proposed.has_lapsed(state.witnessed_us), "lapsed", "the proposal has lapsed")
        demand(body.window == window_of(proposed.proposal), "other_window", "another window")
        demand(body.impact == proposed.proposal.impact, "other_impact", "another impact")
        demand(body.expires_us > state.witnessed_us, "expired", "the approval has expired")
        demand_eligible(state, proposed, state.seated.persons[person], key, state.witnessed_us)
        if body.word == "reject":
            self._keep(replace(proposed, status="rejected"))
            return
        given = Given(id=entry.envelope.id, approval=body, person=person, key=key, index=index)
        self._keep(replace(proposed, approvals=proposed.approvals.insert(person, given)))
        self.state = replace(
            self.state, approvals=self.state.approvals.insert(given.id, proposed.id)
        )

    def _withdrawn(self, body: Withdrawal, person: str) -> None:
        if body.target in self.names:
            proposed = self.state.changes[body.target]
            demand(
                proposed.proposer == person and proposed.status == "pending",
                "not_theirs",
                "only its proposer takes it back, and only before it binds",
            )
            self._keep(replace(proposed, status="withdrawn"))
            return
        proposed = self.state.changes[self.state.approvals[body.target]]
        given = proposed.approvals.get(person)
        demand(
            given is not None and given.id == body.target and proposed.status == "pending",
            "not_theirs",
            "only the approver takes it back, and only before it binds",
        )
        self._keep(replace(proposed, approvals=proposed.approvals.remove(person)))

    def _anchored(self, proposed: Proposed) -> None:
        """Date what an anchor covers, and bind what is now approved and witnessed."""
        state = self.state
        if proposed.status != "pending":
            return
        at_us, stop = state.witnessed_us, state.before + state.anchored_size
        if proposed.anchored_us is None and proposed.index < stop:
            proposed = replace(proposed, anchored_us=at_us)
        kept = proposed.approvals
        for person in sorted(proposed.approvals):
            given = proposed.approvals[person]
            if given.is_anchored or given.index >= stop:
                continue
            if at_us < given.approval.expires_us <= at_us + APPROVAL_LASTS_US:
                kept = kept.insert(person, replace(given, is_anchored=True))
            else:
                kept = kept.remove(person)
                finding = Finding(given.index, "expired", "it expires too late, or has expired")
                self.state = found(self.state, finding)
        self._keep(replace(proposed, approvals=kept))
        self._bind(self.state.changes[proposed.id])

    def _bind(self, proposed: Proposed) -> None:
        state, at_us = self.state, self.state.witnessed_us
        if proposed.anchored_us is None or proposed.has_lapsed(at_us):
            return
        asked = state.requests[proposed.proposal.request]
        if asked.since_us is None or asked.status != "registered" or asked.has_lapsed(at_us):
            return
        grounds = proposed.proposal.grounds
        if any(each.until_us is not None and each.until_us <= at_us for each in grounds):
            return
        if not is_met(state, quorum_for(state, proposed), self._counting(proposed)):
            return
        with contextlib.suppress(Void):
            self.state = committed(state, proposed, None)

    def _counting(self, proposed: Proposed) -> list[Given]:
        state, kept = self.state, []
        for person in sorted(proposed.approvals):
            given = proposed.approvals[person]
            if not given.is_anchored or given.approval.expires_us <= state.witnessed_us:
                continue
            try:
                demand_eligible(
                    state, proposed, state.seated.persons[person], given.key, state.witnessed_us
                )
            except Void:
                continue
            kept.append(given)
        return kept

    def _drop_suspended(self) -> None:
        """Let all approvals fall of what somebody approved who has no seat or key any more."""
        for name in self.names:
            proposed = self.state.changes[name]
            for given in proposed.approvals.values():
                person = self.state.seated.persons[given.person]
                if proposed.status == "pending" and (
                    person.has_left or person.keys[given.key].is_revoked
                ):
                    self._keep(replace(proposed, approvals=HashTrieMap(), stood_still="suspended"))

    def _keep(self, proposed: Proposed) -> None:
        changes = self.state.changes.insert(proposed.id, proposed)
        self.state = replace(self.state, changes=changes)


def _placed(state: State, index: int) -> State:
    """The state as if every entry before an index had been folded; the tree is not known here."""
    return replace(state, size=index, frontier=(bytes(32),) * index.bit_count())


def _believing(state: State, place: int, body: Body) -> State:
    """The state that takes on the witnesses' word what only a whole record shows.

    That is the root in an anchor, and in which state the log before this one ended.
    """
    if isinstance(body, Anchor):
        try:
            root = parse_signed_checkpoint(body.note.encode())[0].root
        except (RecordError, ValueError):
            return state  # `apply` will say what is wrong with it
        return replace(state, frontiers=HashTrieMap({body.size: (root,)}))
    if isinstance(body, Open | Succession) and place == 0 and state.earlier:
        *before, last = state.earlier
        is_closed = state.closing is not None
        if last.origin == body.previous.origin and (
            last.size == body.previous.size if is_closed else last.size <= body.previous.size
        ):
            return replace(state, earlier=(*before, body.previous))
    return state
