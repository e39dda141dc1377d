"""What a change does: acts on rules, lists, sponsors, borders, people and the witness quorum.

Everything that can alter service or who decides about it is an act, so that one function commits.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from spotbeam.governance.entries.people import (
    Boundaries,
    Factor,
    Key,
    Person,
    Possession,
    QuorumRule,
    WitnessQuorum,
)
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import Count, Digest, Id, Moment, Name, Place, Words


class PutRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="put_rule"):
    """Bring in a rule, or another wording of it."""

    rule: RuleEntry


class DropRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drop_rule"):
    """Take a rule out."""

    rule: Id


class PutList(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="put_list"
):
    """The next version of a list of terminals, by the root over its salted rows."""

    list: Id
    version: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    count: Count
    root: Digest


class DropList(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drop_list"):
    """Take a list out; no rule may need it."""

    list: Id


class PutSponsor(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="put_sponsor"
):
    """Who pays, and until when."""

    sponsor: Id
    until_us: Moment | None = None


class DropSponsor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="drop_sponsor"):
    """Take a sponsor out."""

    sponsor: Id


class PutBoundaries(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="put_boundaries"):
    """Draw a point of view with other borders."""

    boundaries: Boundaries


class Seat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="seat"):
    """Seat a person, with proof of every key, from 72 hours after it binds."""

    person: Person
    possessions: Annotated[tuple[Possession, ...], msgspec.Meta(max_length=8)]


class Unseat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="unseat"):
    """Take a person's seat, as soon as it binds."""

    person: Id


class AddKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="add_key"):
    """Give a person another key, from 72 hours after it binds."""

    person: Id
    key: Key
    possession: Possession


class DropKey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="drop_key"
):
    """Take a key from a person, as soon as it binds."""

    person: Id
    key: Digest


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="merge"):
    """Two ids turned out to be one human: from now on they count as one."""

    person: Id
    same_as: Id


class AddFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="add_factor"):
    """A new group of seats."""

    factor: Factor


class SetQuorum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set_quorum"):
    """Another full quorum, from 72 hours after it binds."""

    quorum: QuorumRule


class SetWitnesses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set_witnesses"):
    """Another witness quorum or log key: binds at an anchor that satisfies the old and the new."""

    witness_quorum: WitnessQuorum


class CloseLog(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="close_log"
):
    """Close this log where it binds, and name the one in which the record goes on."""

    origin: Name
    witness_quorum: WitnessQuorum


class SetRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set_rules"):
    """Entries mean what another version of the rules says, from the next entry on."""

    version: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class ConfirmContact(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="confirm_contact"
):
    """A quorum confirms a contact or a tie that somebody else recorded."""

    contact: Id


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="review"):
    """A full quorum has looked at an emergency action afterwards."""

    emergency: Id
    finding: Literal["upheld", "faulted"]
    words: Words


class SilenceAlerts(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="silence_alerts"
):
    """Alerts of one rule on some ground are muted, visibly, for 30 days at most.

    Attributes:
        where: None: everywhere.
    """

    rule: Annotated[str, msgspec.Meta(pattern=r"\AA[1-9][0-9]?\Z")]
    where: Annotated[tuple[Place, ...], msgspec.Meta(max_length=2_000)] = ()
    until_us: Moment
    words: Words


class ExtendSeal(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="extend_seal"
):
    """Give a seal more time until it must be opened: once, and before it is overdue."""

    seal: Id
    open_by_us: Moment


PolicyAct: TypeAlias = (
    PutRule | DropRule | PutList | DropList | PutSponsor | DropSponsor | PutBoundaries
)
"""Acts that last from the change's start to its end."""
RosterAct: TypeAlias = Seat | Unseat | AddKey | DropKey | Merge | AddFactor | SetQuorum
ConstitutionAct: TypeAlias = (
    SetWitnesses | CloseLog | SetRules | ConfirmContact | Review | ExtendSeal | SilenceAlerts
)
Act: TypeAlias = PolicyAct | RosterAct | ConstitutionAct
"""The last two kinds happen once, when the change binds, and have no window."""
