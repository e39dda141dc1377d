"""What a fold holds: frozen values in persistent maps, so that keeping any past state costs little.

The maps are hash array mapped tries (`rpds`): an insert copies a path of a few nodes. They have no
order that may be relied on; whatever walks one sorts its keys.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, Literal, TypeAlias

import msgspec
from rpds import HashTrieMap

from spotbeam.governance.entries.accounts import Contact, Tie
from spotbeam.governance.entries.acts import CloseLog, PolicyAct
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.deciding import Approval, Change, Emergency, Seal
from spotbeam.governance.entries.logs import Ended
from spotbeam.governance.entries.people import (
    Factor,
    Key,
    QuorumRule,
    Role,
    WitnessQuorum,
)
from spotbeam.governance.entries.words import DAY_US, Span
from spotbeam.governance.void import Finding
from spotbeam.record.policy import WitnessPolicy

Proposal: TypeAlias = Change | Emergency | Seal
PROPOSAL_LASTS_US = 30 * DAY_US
"""From the first anchor that covers a proposal until it can bind no more."""


class SeatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A person's key, and since when it may sign approvals."""

    key: Key
    from_us: int
    is_revoked: bool = False


class Seated(msgspec.Struct, frozen=True, kw_only=True):
    """A person on the roster; those who left stay, so that an id never means two people.

    Attributes:
        human: The id that stands for this human where several ids were found to be one.
        from_us: Approves only what is proposed at this witnessed time or later.
    """

    id: str
    human: str
    factor: str
    roles: tuple[Role, ...]
    keys: HashTrieMap[str, SeatedKey]
    from_us: int
    has_left: bool = False


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Who is seated, and how many must agree.

    Attributes:
        key_owner: Every key there ever was, and whose it is: no key has two owners.
        quorums: Each full quorum with the witnessed time from which it is in force, latest last.
    """

    persons: HashTrieMap[str, Seated]
    factors: HashTrieMap[str, Factor]
    key_owner: HashTrieMap[str, str]
    identities: HashTrieMap[str, str]
    quorums: tuple[tuple[int, QuorumRule], ...]

    def quorum_at(self, witnessed_us: int) -> QuorumRule:
        """The full quorum in force."""
        return [rule for from_us, rule in self.quorums if from_us <= witnessed_us][-1]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request and how it stands.

    Attributes:
        status: `registered`, or how it ended. A lapse is not among them: it follows from time.
        since_us: When it was first witnessed; None before.
        ended_by: The entry that ended it.
    """

    id: str
    request: Request
    signed_by: str
    index: int
    status: Literal["registered", "granted", "refused", "withdrawn"] = "registered"
    since_us: int | None = None
    ended_by: str | None = None
    ended_us: int | None = None

    def has_lapsed(self, at_us: int) -> bool:
        """Whether the answer time passed without an answer."""
        return self.status == "registered" and at_us >= self.request.answer_by_us


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An approval that counts until something makes it fall.

    Attributes:
        is_anchored: Whether a cosigned checkpoint covers it.
    """

    id: str
    approval: Approval
    person: str
    key: str
    index: int
    is_anchored: bool = False


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A change, emergency or seal and how it stands.

    Attributes:
        proposed_us: Witnessed time of the state in which it was proposed.
        anchored_us: Witnessed time of the first anchor that covers it; None before.
        approvals: By person.
        stood_still: Why an anchor did not bind it although enough had approved, or `suspended`.
        bound_us: When it became binding; `bound_index` is the anchor.
    """

    id: str
    digest: str
    proposal: Proposal
    proposer: str
    index: int
    proposed_us: int
    anchored_us: int | None = None
    status: Literal["pending", "bound", "rejected", "withdrawn"] = "pending"
    approvals: HashTrieMap[str, Given] = HashTrieMap()
    bound_us: int | None = None
    bound_index: int | None = None
    stood_still: str | None = None

    def has_lapsed(self, at_us: int) -> bool:
        """Whether it can bind no more: too long after it was witnessed, or by its own word."""
        if self.status != "pending":
            return False
        first_us = self.anchored_us
        return at_us >= self.proposal.lapses_us or (
            first_us is not None and at_us >= first_us + PROPOSAL_LASTS_US
        )


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What one bound change does to one rule, list, sponsor or set of borders, and for how long.

    Among the layers of one thing that are in force, the one that bound last counts; at its end the
    one below shows again.

    Attributes:
        act: None for a seal, whose acts are not in the record.
        stages: Of a gradual roll-out: from when, and on which ground.
    """

    change: str
    act: PolicyAct | None
    span: Span
    stages: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def in_force(self, at_us: int) -> bool:
        """Whether an instant lies in the layer's window."""
        return (self.span.from_us or 0) <= at_us and (
            self.span.until_us is None or at_us < self.span.until_us
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from the layers of one thing, kept so that nothing has to walk them.

    Attributes:
        ground: Of every wording that a rule has or had, in order; empty means everywhere.
        is_everywhere: Whether some wording acts everywhere.
        lines: The name and the layers as `reads_digest` writes them.
    """

    ground: tuple[str, ...] = ()
    is_everywhere: bool = False
    lines: bytes = b""


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A person's contact with a party, and whether it may keep them from approving."""

    id: str
    contact: Contact
    counts: bool


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A person's tie to a party, until when, and whether it may keep them from approving."""

    id: str
    tie: Tie
    signed_by: str
    counts: bool
    until_us: int | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the entries so far mean.

    Attributes:
        size: How many entries of the log at hand were folded.
        halted: Why this reader can read no further, or None.
        frontier: Hashes of the complete subtrees, largest first: the root follows from them.
        frontiers: Those of every size since the last anchor's.
        witnessed_us: The last anchor's time; 0 before there was one.
        awaiting: Index of each entry that no anchor covers yet, with what it is and its id.
        seen: Every id there was, so that none means two things.
        pending: Ids of proposals that may still bind.
        layers: By `rule:…`, `list:…`, `sponsor:…`, `boundaries:…`: lowest first.
        rules_over: Rules whose ground is in a country, by its code; under `*` those whose ground
            may be anywhere. Found again from `layers`: only so that nothing walks all rules.
        rules_naming: Rules that ask about a list, by its id; likewise.
        standing: What follows from the layers of each thing, by the same names; likewise.
        unreviewed: Emergencies that bound and that nobody has reviewed, with their ground.
        seals: Those that bound, in order.
        overdue_from: Seals that bound and are not opened, with the time by which they must be.
        findings: Void entries, and approvals that fell, newest last.
        earlier: The logs before this one, each as it ended. Indices of entries count on through
            all of them (`located`), sizes in anchors are those of the log at hand.
        closing: What closed this log, and which one is next.
        final: Where it was closed; whatever it holds beyond has no effect.
        extended: Seals that were given more time, by which change.
        moved: Cells that small changes moved in a country, by its code, since the full quorum
            last passed a change there.
        begin_by_us: When the first anchor of a log that began by succession is due.
        ties_of: Ids of ties by person, as `contacts_of`.
        verified: Requests that another person traced to their asker, by which entry.
    """

    size: int = 0
    halted: str | None = None
    rules_version: int = 1
    origin: str = ""
    genesis: str = ""
    frontier: tuple[bytes, ...] = ()
    frontiers: HashTrieMap[int, tuple[bytes, ...]] = HashTrieMap()
    witnessed_us: int = 0
    anchored_size: int = 0
    roster: Roster | None = None
    witness_quorum: WitnessQuorum | None = None
    witness_policy: WitnessPolicy | None = None
    awaiting: HashTrieMap[int, tuple[str, str]] = HashTrieMap()
    seen: HashTrieMap[str, int] = HashTrieMap()
    requests: HashTrieMap[str, Asked] = HashTrieMap()
    changes: HashTrieMap[str, Proposed] = HashTrieMap()
    by_digest: HashTrieMap[str, str] = HashTrieMap()
    approvals: HashTrieMap[str, str] = HashTrieMap()
    pending: HashTrieMap[str, int] = HashTrieMap()
    layers: HashTrieMap[str, tuple[Layer, ...]] = HashTrieMap()
    rules_over: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    rules_naming: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    standing: HashTrieMap[str, Standing] = HashTrieMap()
    contacts: HashTrieMap[str, Touched] = HashTrieMap()
    contacts_of: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    unreviewed: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    seals: tuple[str, ...] = ()
    overdue_from: HashTrieMap[str, int] = HashTrieMap()
    openings: HashTrieMap[str, tuple[str, str]] = HashTrieMap()
    findings: HashTrieMap[int, tuple[Finding, ...]] = HashTrieMap()
    earlier: tuple[Ended, ...] = ()
    closing: CloseLog | None = None
    final: Ended | None = None
    begin_by_us: int | None = None
    extended: HashTrieMap[str, str] = HashTrieMap()
    moved: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    ties: HashTrieMap[str, Declared] = HashTrieMap()
    ties_of: HashTrieMap[str, tuple[str, ...]] = HashTrieMap()
    verified: HashTrieMap[str, str] = HashTrieMap()

    @property
    def before(self) -> int:
        """How many entries the logs before this one count."""
        return sum(each.size for each in self.earlier)

    @property
    def newest(self) -> int:
        """The index of the newest entry, counted from the first log on."""
        return self.before + self.size - 1

    @property
    def is_open(self) -> bool:
        """Whether the log at hand has begun; its name is its own from then on."""
        return not self.earlier or self.origin != self.earlier[-1].origin

    def located(self, index: int) -> tuple[str, int]:
        """In which log an entry stands, and at which place in it."""
        for log in self.earlier:
            if index < log.size:
                return log.origin, index
            index -= log.size
        return self.origin, index

    @property
    def seated(self) -> Roster:
        """The roster; there is one from entry 0 on."""
        assert self.roster is not None
        return self.roster


def listed(state: State) -> tuple[Finding, ...]:
    """All void entries and fallen approvals, in order of their index."""
    return tuple(finding for index in sorted(state.findings) for finding in state.findings[index])


def found(state: State, *findings: Finding) -> State:
    """The state with something more on its list of findings."""
    kept = state.findings
    for finding in findings:
        kept = kept.insert(finding.index, (*kept.get(finding.index, ()), finding))
    return msgspec.structs.replace(state, findings=kept)


_FOLLOWS = frozenset({"rules_over", "rules_naming", "standing"})
"""Indexes over what is in the state anyway."""


def state_digest(state: State) -> str:
    """SHA-256, in hexadecimal, over everything that a state holds: two readers compare it.

    Maps are written in order of their keys, so it does not depend on how a map grew; what is None
    or empty is left out, so that a later release may hold more without another digest for records
    that have none of it.
    """
    return sha256(_written(state)).hexdigest()


def _written(value: Any) -> bytes:
    """A value as JSON: a map as pairs in order of its keys, a struct as its name and its fields."""
    kind: Any = type(value)
    if kind is str or kind is int:
        return _ENCODE(value)
    if kind is tuple:
        if set(map(type, value)) <= _SIMPLE:
            return _ENCODE(value)
        return b"[%s]" % b",".join(map(_written, value))
    if kind is HashTrieMap or kind is dict:
        pairs = sorted(value.items(), key=_KEY)
        if {type(each) for _, each in pairs} <= _SIMPLE:
            return _ENCODE(pairs)
        return b"[%s]" % b",".join(b"[%s,%s]" % (_ENCODE(k), _written(v)) for k, v in pairs)
    if kind is Finding:
        return _ENCODE((value.index, value.code))  # not its words: a library's wording may change
    if kind is bytes:
        return b'"%s"' % value.hex().encode()
    if not isinstance(value, msgspec.Struct):
        return _ENCODE(value)
    fields = []
    for name, label in _labels(kind):
        field = getattr(value, name)
        # None and what is empty is left out; neither False nor 0, which say something.
        if field or not (field is None or isinstance(field, _SIZED)):
            fields.append(label + _written(field))
    return b'["%s",{%s}]' % (kind.__name__.encode(), b",".join(fields))


@cache
def _labels(kind: type[msgspec.Struct]) -> tuple[tuple[str, bytes], ...]:
    names = sorted(name for name in kind.__struct_fields__ if name not in _FOLLOWS)
    return tuple((name, f'"{name}":'.encode()) for name in names)


_ENCODE = msgspec.json.Encoder().encode
_KEY = itemgetter(0)
_SIMPLE = {str, int}
_SIZED: Any = (tuple, str, HashTrieMap, dict)
