"""Entries about asking: what arrived, who asked for what, and how it ended without a change."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from spotbeam.governance.entries.accounts import Check
from spotbeam.governance.entries.words import (
    Channel,
    Digest,
    Grounds,
    Id,
    Moment,
    Name,
    Place,
    Verb,
    Words,
)


class Arrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="arrival"):
    """Something arrived that nobody has registered yet: all that the server may say alone."""

    digest: Digest
    channel: Channel


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="request"):
    """Somebody asks for a change of service.

    Attributes:
        where: The ground; none means everywhere, and only then may a change act everywhere.
        asker: Who asks: a rostered person's id, or a name for which a registrar signs.
        on_behalf_of: For whom, where the asker speaks for another.
        channel: How it came: `letter`, `portal`, `telephone`, `in-person`.
        verified: How its registrar made sure that it came from its asker; None: not stated. Nothing
            can be proposed for one that is `unverified`, until another person verified it.
        contacts: Those in which it was voiced.
        spoken: What was asked for, as its registrar noted it: of an oral request.
        answer_by_us: When it lapses if nobody has answered.
        arrival: The entry that first recorded it, if it came unregistered.
    """

    verb: Verb
    where: Annotated[tuple[Place, ...], msgspec.Meta(max_length=2_000)]
    asker: Name
    on_behalf_of: Name | None = None
    channel: Channel
    grounds: Grounds
    answer_by_us: Moment
    arrival: Id | None = None
    letter: Digest | None = None
    verified: Check | Literal["unverified"] | None = None
    contacts: Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)] | None = None
    spoken: Words | None = None


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="refusal"):
    """An approver refuses a request, on stated grounds that are quoted."""

    request: Id
    grounds: Grounds
    quote: Words


class Withdrawal(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="withdrawal"
):
    """Whoever signed a request, a change or an approval takes it back."""

    target: Id


class Lapse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="lapse"):
    """The log notes that an answer time has passed; without the note it has passed all the same."""

    request: Id
