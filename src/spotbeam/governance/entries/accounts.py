"""Entries about what people tell: who knew whom, who spoke with whom, and who says what about it.

They are testimony. Two of them bear on who may approve, a contact and a tie, and only where the
person themself signed it or a quorum confirmed it; the others have no effect on any decision.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from spotbeam.governance.entries.words import Count, Digest, Id, Moment, Name, Place, Places, Words

Happened = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000_000)]
Date = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?(?:/[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)?\Z"
    ),
]
"""A day, a month or a year, or two of them as an interval: ISO 8601-2 (EDTF) level 0."""
PartyKind = Literal["state", "firm", "unit", "body", "press", "person"]
InterestKind = Literal["claimant", "administrator", "neighbour", "beneficiary", "licensor"]
TieKind = Literal[
    "contract", "holding", "office", "political-funding", "classified-access", "family"
]
ContactChannel = Literal["call", "meeting", "message", "intermediary"]
Capacity = Literal["official", "private", "spontaneous"]
Stance = Literal["asserts", "denies", "qualifies", "retracts"]
Aspect = Literal["occurred", "number", "date", "subject", "effect", "channel", "who"]
Check = Literal["call-back", "signed-order", "in-person", "second-channel"]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="party"):
    """A state, a firm, a unit, or a natural person by their role; written again, it is amended.

    Attributes:
        role: Of a person: what they are there, as `head of state`.
        part_of: The party that they belong to or work for.
    """

    party: Id
    name: Name
    kind: PartyKind
    role: Name | None = None
    part_of: Id | None = None


class Interest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="interest"
):
    """A party has an interest in some ground: claims it, administers it, borders on it, gains."""

    party: Id
    where: Places
    kind: InterestKind
    from_us: Moment | None = None
    until_us: Moment | None = None
    words: Words | None = None


class Tie(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="tie"):
    """A person is bound to a party: by contract, holding, office, funding, access or family.

    It keeps its person from approving on that ground while it lasts and 90 days longer, where that
    person signed it, or a quorum confirmed it.

    Attributes:
        person: A rostered id, or a party's that is a person.
        where: The ground on which the party has an interest; none: it keeps nobody away.
        until_us: None: it lasts.
    """

    person: Id
    party: Id
    kind: TieKind
    where: Annotated[tuple[Place, ...], msgspec.Meta(max_length=2_000)] = ()
    from_us: Happened
    until_us: Moment | None = None
    words: Words | None = None


class TieEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="tie_end"):
    """Whoever declared a tie says that it is over, not before this is witnessed."""

    tie: Id
    until_us: Moment


class Disclosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """To whom a contact was disclosed outside the record, and when, in its teller's words."""

    to: Name
    at_us: Happened


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="contact"):
    """Somebody had contact with a party that has an interest in some ground.

    It keeps its person from approving only where that person signed it, or a quorum confirmed it.
    Nobody is exempt: no head of state, no spontaneous meeting, no private capacity.

    Attributes:
        person: A rostered id, or a party's that is a person.
        met: Those of the other side, by their roles.
        through: The intermediary.
        disclosed: Outside the record. In it, a contact is disclosed when it is witnessed there.
    """

    person: Id
    party: Id
    where: Places
    at_us: Happened
    channel: ContactChannel | None = None
    capacity: Capacity | None = None
    met: Annotated[tuple[Name, ...], msgspec.Meta(max_length=50)] | None = None
    through: Name | None = None
    subject: Words | None = None
    on_behalf_of: Name | None = None
    disclosed: Annotated[tuple[Disclosed, ...], msgspec.Meta(max_length=50)] | None = None


class ZeroReport(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="zero_report"
):
    """A person signs that in this period they had no contact that belongs in the record."""

    from_us: Happened
    until_us: Happened


class Matter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="matter"):
    """Something that accounts are about and that is no entry of this record.

    Attributes:
        title: In neutral words.
    """

    title: Name
    where: Annotated[tuple[Place, ...], msgspec.Meta(max_length=2_000)] = ()
    parties: Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)] = ()
    date: Date | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where words were published, and by whom.

    Attributes:
        party: Who speaks, where they are a party: so a reply is told from a third voice.
        attributed_to: On whom the source relies, in its own words, as `two officials`.
        place: Where it can be read: a title and page, or an address.
        digest: SHA-256 of the archived copy.
    """

    name: Name
    party: Id | None = None
    attributed_to: Name | None = None
    place: Name | None = None
    published: Date
    digest: Digest | None = None


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that a claim says of its matter, so that accounts can be laid side by side.

    Attributes:
        value: Of `occurred` yes or no; of `number` a count, `3`, `at least 2` or `1 to 4`; of
            `date` a `Date`; of the others a few neutral words.
    """

    aspect: Aspect
    value: Name


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="claim"):
    """A source asserts, denies or qualifies something; or takes back what it said.

    Attributes:
        about: A matter, contact, request, decision or claim. A retraction is about a claim.
        quote: The source's own words.
        names: Parties and persons of whom it speaks: they may reply.
        alternative: Another explanation that the source gives.
    """

    about: Id
    stance: Stance
    source: Source
    quote: Words
    says: Annotated[tuple[Said, ...], msgspec.Meta(max_length=20)] = ()
    names: Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)] = ()
    alternative: Words | None = None


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="grade"):
    """Its signer grades a claim: its source A to F, its information 1 to 6, each for itself.

    The scales are those of the Admiralty code (NATO AJP-2.1): F and 6 mean "cannot be judged".
    """

    claim: Id
    reliability: Literal["A", "B", "C", "D", "E", "F"] | None = None
    credibility: Literal[1, 2, 3, 4, 5, 6] | None = None
    words: Words | None = None


class Disclosure(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="disclosure"
):
    """A contact was disclosed outside the record, told later than the contact itself."""

    contact: Id
    disclosed: Disclosed


class Verification(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="verification"
):
    """Somebody other than its registrar made sure that a request came from its asker."""

    request: Id
    how: Check
    words: Words | None = None


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="notice"):
    """Somebody was told of a request, a change or a claim, or could not be reached.

    Attributes:
        to: The party, or a few words for a class of people.
        receipt: SHA-256 of what shows that it arrived; or else `failure` says why it did not.
    """

    about: Id
    to: Name
    role: Literal["licensor", "sponsor", "protected", "named"]
    at_us: Happened
    receipt: Digest | None = None
    failure: Words | None = None


class AlertAct(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="alert_act"
):
    """Somebody takes up an alert. Alerts follow from the record, so their ids do too."""

    alert: Id
    act: Literal["acknowledge", "explain", "escalate", "close"]
    words: Words


class ServiceSeen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="service"
):
    """A probe on some ground had service or not, with the reason code that it was given."""

    where: Place
    service: Literal["on", "off"]
    reason: Name | None = None


class RegistrantsSeen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="registrants"
):
    """Counts over those who registered the terminals of a list.

    Attributes:
        most_by_registrant, most_at_address, most_by_payer, most_in_day: The largest of each.
        far_first_fixes: Terminals whose first position was far from their registrant.
    """

    list: Id
    terminals: Count
    most_by_registrant: Count
    most_at_address: Count
    most_by_payer: Count
    most_in_day: Count
    far_first_fixes: Count


class PositionSeen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="position"
):
    """A terminal's position jumped, or GNSS and the network's own estimate were apart."""

    where: Place
    terminal_class: Name
    jump_m: Count | None = None
    jump_s: Count | None = None
    apart_m: Count | None = None


class LossSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="loss"):
    """So many terminals lost service on some ground within a time."""

    where: Place
    terminals: Count
    protected: Count
    within_s: Count


class WitnessSeen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="witness"
):
    """A witness refused, was missing, or showed another root for a size that is known."""

    witness: Name
    found: Literal["refused", "missing", "two-roots"]
    evidence: Digest | None = None


class Observation(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="observation"
):
    """What somebody measured, outside the record.

    Attributes:
        by: The probe, edge or instrument, as its signer names it.
        at_us: When it was seen.
    """

    by: Name
    at_us: Happened
    seen: ServiceSeen | RegistrantsSeen | PositionSeen | LossSeen | WitnessSeen
