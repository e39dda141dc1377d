"""Entries about deciding: changes, emergencies, seals and openings, approvals, anchors."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from spotbeam.governance.entries.acts import Act, DropRule, PutRule
from spotbeam.governance.entries.words import (
    Base64,
    Count,
    Digest,
    Grounds,
    Id,
    Moment,
    Place,
    Places,
    Span,
    Verb,
)


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step of a gradual roll-out: from then on it acts on this ground too."""

    from_us: Moment
    where: Places


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="change"):
    """A proposal: acts on the policy or the roster, for one request, on stated grounds.

    Attributes:
        request: The request that it answers; a change on our own initiative has one by us.
        window: When it has effect; what it changed comes back at the end.
        rollout: Ground by ground, in order of time; empty: everywhere at once.
        impact: Digest over the integers (cells, rules) that its preview showed.
        lapses_us: After this it cannot bind: at most 30 days after it was first anchored.
    """

    request: Id
    grounds: Grounds
    acts: Annotated[tuple[Act, ...], msgspec.Meta(min_length=1, max_length=200)]
    window: Span
    rollout: Annotated[tuple[Stage, ...], msgspec.Meta(max_length=50)] = ()
    impact: Digest
    lapses_us: Moment


EmergencyAct: TypeAlias = PutRule | DropRule


class Emergency(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="emergency"
):
    """A proposal that two people of two factors may pass, for at most 24 hours from binding."""

    request: Id
    grounds: Grounds
    acts: Annotated[tuple[EmergencyAct, ...], msgspec.Meta(min_length=1, max_length=50)]
    lasts_us: Annotated[int, msgspec.Meta(ge=1, le=86_400_000_000)]
    impact: Digest
    lapses_us: Moment


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the public may know of a seal: it can do no more than this.

    Attributes:
        where: Territories that it is about, for quorum, recusal and notices.
        cells: The largest set of cells: it acts only on these or on cells within them.
        lasts_us: The longest time from binding.

    Protected users are untouched, always.
    """

    where: Places
    cells: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=2_000)]
    verb: Verb
    lasts_us: Annotated[int, msgspec.Meta(ge=1, le=31_536_000_000_000)]


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="seal"):
    """A proposal whose acts the public may not see yet: their commitment, inside public bounds.

    Attributes:
        open_by_us: When its opening must be in the record.
    """

    request: Id
    grounds: Grounds
    commitment: Digest
    bounds: Bounds
    open_by_us: Moment
    impact: Digest
    lapses_us: Moment


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="opening"):
    """What a seal held, for everybody: canonical JSON of its acts, and the salt."""

    seal: Id
    value: Annotated[str, msgspec.Meta(max_length=60_000)]
    salt: Base64


class Approval(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="approval"
):
    """A person's word on one change, exactly as they were shown it.

    Attributes:
        change: SHA-256 of the change's entry.
        reads: Digest of the rules and lists that the change reads.
        impact: As the approver's own machine computed it.
        window: The change's own.
        expires_us: At most 24 hours after the anchor that first covers the approval.
    """

    change: Digest
    reads: Digest
    impact: Digest
    window: Span
    expires_us: Moment
    word: Literal["approve", "reject"]


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="anchor"):
    """The log shows that witnesses have seen it: a cosigned checkpoint, as a signed note."""

    size: Count
    note: Annotated[str, msgspec.Meta(max_length=60_000)]
