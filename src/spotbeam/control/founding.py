"""Entry 0: the people, the quorum and the witnesses that a record begins with."""

from __future__ import annotations

from typing import Annotated

import msgspec

from spotbeam.control.drafts import (
    FactorTable,
    PersonTable,
    QuorumTable,
    WitnessesTable,
    read_toml,
)
from spotbeam.control.proposing import Attached, person_of
from spotbeam.control.witnessing import witness_quorum
from spotbeam.decode import decode
from spotbeam.errors import InputError, MalformedRecord, UnknownName, nearest
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import LOG, entry_bytes, unsigned
from spotbeam.governance.entries.people import Boundaries, Factor, Genesis, QuorumRule
from spotbeam.governance.state import State
from spotbeam.land import views
from spotbeam.land.borders import borders_digest
from spotbeam.record.keys import check_key_name

GENESIS_ID = "genesis"
"""The id of entry 0: proofs of possession for a first roster name it."""
RULES_VERSION = 1
BORDERS = "Natural Earth 10m admin-1, as packaged with Spotbeam"


class RosterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who decides from the first entry on, as it is written in TOML.

    Attributes:
        origin: The log's name, as `example.com/log`; proofs of possession bind it.
        log_url: Where the log will be published, if that is known.
        views: Points of view on borders; the record holds the digest of the borders that come
            with Spotbeam.
    """

    origin: str
    log_url: str | None = None
    views: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=50)] = ("un",)
    factor: tuple[FactorTable, ...]
    person: tuple[PersonTable, ...]
    quorum: QuorumTable = QuorumTable()
    witnesses: WitnessesTable


def parse_roster(text: str, place: str) -> RosterFile:
    """The first roster that a TOML text describes.

    Raises:
        InputError: Not TOML, an unknown key (with the nearest known one), a value of another
            type, a factor that is not there, or an origin that cannot name a log.
    """
    roster = decode(read_toml(text, place), RosterFile, place=place)
    try:
        check_key_name(roster.origin)
    except MalformedRecord as fault:
        raise InputError(fault.message, place=f"{place}, origin", hint=fault.hint) from None
    factors = [factor.id for factor in roster.factor]
    for person in roster.person:
        if person.factor not in factors:
            near = nearest(person.factor, factors)
            raise InputError(
                f"there is no factor {person.factor!r}",
                place=f"{place}, person {person.id!r}, factor",
                hint=f"did you mean {near!r}?" if near else f"known: {', '.join(factors)}",
            )
    for view in roster.views:
        if view not in views.names():
            raise UnknownName("point of view", view, views.names(), place=f"{place}, views")
    if roster.witnesses.log_key is not None:
        raise InputError(
            "the log's key is made here", place=f"{place}, witnesses, log_key", hint="take it out"
        )
    return roster


def genesis_entry(
    roster: RosterFile, attached: Attached, log_key: str, salt: str, *, now_us: int, place: str
) -> bytes:
    """Entry 0, checked by the same function that every reader runs over it.

    Args:
        roster: From `parse_roster`.
        attached: Proven keys and identities.
        log_key: The log's verifier key.
        salt: 32 random bytes in hexadecimal.
        now_us: The clock: information only.
        place: The roster's file, for messages.

    Raises:
        InputError: Governance refuses it, with the reason.
    """
    people = [
        person_of(table, attached, f"{place}, person {table.id!r}") for table in roster.person
    ]
    body = Genesis(
        origin=roster.origin,
        salt=salt,
        rules_version=RULES_VERSION,
        factors=tuple(Factor(id=f.id, name=f.name, party=f.party) for f in roster.factor),
        persons=tuple(person for person, _ in people),
        quorum=QuorumRule(**msgspec.structs.asdict(roster.quorum)),
        witness_quorum=witness_quorum(roster.witnesses, log_key, roster.log_url, place),
        boundaries=tuple(
            Boundaries(view=view, source=BORDERS, digest=borders_digest()) for view in roster.views
        ),
        possessions=tuple(each for _, possessions in people for each in possessions),
    )
    data = entry_bytes(unsigned(body, id=GENESIS_ID, actor=LOG, recorded_us=now_us))
    after = apply(State(), data)
    for finding in after.findings.get(0, ()):
        raise InputError(
            f"the roster is refused ({finding.code}): {finding.reason}",
            place=place,
            hint=_FIX.get(finding.code),
        )
    return data


_FIX = {
    "starved": "seat as many approvers, in as many factors, as [quorum] asks for",
    "possession": "each key file must be a proof for this origin and the entry 'genesis': "
    "`spotbeam key prove`",
    "bad_signature": "make the proof again with `spotbeam key prove` for this origin, this person "
    "and the entry 'genesis'",
    "key_reused": "everybody has a key of their own",
    "same_party": "each factor is filled by another party",
}
