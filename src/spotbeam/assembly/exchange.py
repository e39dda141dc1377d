"""Entities of other people's tools, as entries that somebody signs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from spotbeam.assembly.hands import Signing
from spotbeam.assembly.sending import checked
from spotbeam.assembly.telling import tell
from spotbeam.assembly.workspace import Workspace
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.telling import told_words
from spotbeam.control.telling import parties, people
from spotbeam.formats.ftm import Found
from spotbeam.governance.entries.accounts import Claim, Matter, Party, Source, Tie

Body = Party | Tie | Matter | Claim


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would put on record, in order.

    Attributes:
        bodies: A claim's `about` is the number of its matter among the matters.
        says: Each in a sentence.
    """

    bodies: tuple[Body, ...]
    says: tuple[str, ...]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was put on record: ids of the entries, in order."""

    entries: tuple[str, ...]


def plan_of(chronicle: Chronicle, found: Found, told_by: str, published: str) -> Plan:
    """What a file holds that the record does not have yet.

    Args:
        chronicle: The record.
        found: The file.
        told_by: The source of notes that name none.
        published: The date of notes that have none.

    Raises:
        InputError: A text is longer than the record can hold, or the date is none.
    """
    known, persons = parties(chronicle), people(chronicle)
    bodies: list[Body] = [each for each in found.parties if each.party not in known]
    persons |= {each.party for each in found.parties if each.kind == "person"}
    for who, whom, kind, from_us, until_us, words in found.ties:
        if who in persons:
            bodies.append(
                checked(
                    Tie,
                    "a link, ",
                    person=who,
                    party=whom,
                    kind=kind,
                    from_us=from_us,
                    until_us=until_us,
                    words=f"{words} (told by {told_by}, {published})"[:4_000],
                )
            )
    bodies += found.matters
    for matter, publisher, words, date in found.claims:
        source = checked(
            Source, "a note, ", name=(publisher or told_by)[:200], published=date or published
        )
        bodies.append(
            checked(
                Claim,
                "a note, ",
                about=f"matter-{matter}",
                stance="asserts",
                source=source,
                quote=words[:4_000],
            )
        )
    names = {each.party: each.name for each in found.parties}
    says = [told_words("you", each, lambda name: names.get(name, name)) for each in bodies]
    return Plan(bodies=tuple(bodies), says=tuple(says))


def import_entities(
    workspace: Workspace, signing: Callable[[], Signing], plan: Plan, *, wait: bool = False
) -> Imported:
    """Sign and record what was planned, one entry after the other.

    Broken off, it goes on with the same file: parties that are on record are left out. Matters and
    claims are told again.

    Raises:
        Refused: The record would void an entry; those before it are recorded.
    """
    recorded: list[str] = []
    matters: list[str] = []
    for body in plan.bodies:
        if isinstance(body, Claim):
            number = int(body.about.removeprefix("matter-"))
            body = msgspec.structs.replace(body, about=matters[number])
        prefix = {Party: "par", Tie: "tie", Matter: "mat", Claim: "clm"}[type(body)]
        done = tell(
            workspace, signing(), body, prefix=prefix, title="Record what others told", wait=wait
        )
        recorded.append(done.id)
        if isinstance(body, Matter):
            matters.append(done.id)
    return Imported(entries=tuple(recorded))
