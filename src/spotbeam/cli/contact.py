"""`spotbeam contact` and `spotbeam zero-report`: who spoke with whom, and that nobody did."""

from __future__ import annotations

from typing import Annotated

import cyclopts
import msgspec

from spotbeam.assembly.sending import checked
from spotbeam.chronicle.reading import Told
from spotbeam.cli.accounts_shown import show_accounts
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.reads import Reads
from spotbeam.cli.signing import Signer, show_facts
from spotbeam.cli.telling import ground, instant, put
from spotbeam.control.wording import places, plain
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.accounts import (
    Capacity,
    Contact,
    ContactChannel,
    Disclosed,
    Disclosure,
    ZeroReport,
)
from spotbeam.times import format_time
from spotbeam.watch.alerts import alerts

Texts = Annotated[list[str], cyclopts.Parameter(negative=())]
_BY, _READS = Signer(), Reads()


def record(
    *,
    party: str,
    at: str,
    where: Texts,
    person: str | None = None,
    channel: ContactChannel | None = None,
    capacity: Capacity | None = None,
    with_: Annotated[Texts | None, cyclopts.Parameter(name="--with")] = None,
    through: str | None = None,
    subject: str | None = None,
    on_behalf_of: str | None = None,
    disclosed: Texts | None = None,
    by: Signer = _BY,
) -> None:
    """Record a contact with a party that has an interest in some ground.

    Nobody is exempt: no head of state, no chance meeting, no private capacity. Your own keeps you
    from approving on that ground for 90 days; somebody else's does once a quorum confirms it.

    Parameters
    ----------
    party
        With whom.
    at
        When, RFC 3339 with Z.
    where
        The ground in which the party has an interest; give it again for more.
    person
        Whose contact; yours if left out.
    channel
        A call, a meeting, a message, or through an intermediary.
    capacity
        Official, private, or spontaneous.
    with_
        Who was there of the other side, by role; again for more.
    through
        The intermediary.
    subject
        What it was about.
    on_behalf_of
        For whom.
    disclosed
        To whom it was disclosed outside the record and when, as "the board@2026-01-02T10:00:00Z".
    """
    hand = by.signing().hand
    body = checked(
        Contact,
        "--",
        person=person or hand.person,
        party=party,
        where=ground(by, where),
        at_us=instant(at, "--at"),
        channel=channel,
        capacity=capacity,
        met=None if with_ is None else tuple(with_),
        through=through,
        subject=subject,
        on_behalf_of=on_behalf_of,
        disclosed=None if disclosed is None else tuple(map(_disclosed, disclosed)),
    )
    whose = "your contact" if body.person == hand.person else f"a contact of {body.person}"
    put(
        by,
        body,
        prefix="con",
        title="Record a contact",
        what=f"{whose} with {party} about {places(body.where)} is on record",
        next_steps=("spotbeam contact show {id}", "spotbeam alert list"),
    )


def disclose(contact: str, /, *, to: str, at: str, by: Signer = _BY) -> None:
    """Say to whom a contact was disclosed outside the record, and when.

    Parameters
    ----------
    contact
        The contact.
    to
        To whom.
    at
        When, RFC 3339 with Z.
    """
    disclosed = Disclosed(to=to, at_us=instant(at, "--at"))
    body = checked(Disclosure, "--", contact=contact, disclosed=disclosed)
    what = f"the contact {contact} is said to have been disclosed to {plain(to)}"
    put(by, body, prefix="dis", title="Disclose a contact", what=what)


def show_all(*, reads: Reads = _READS) -> None:
    """List contacts, and since when the record shows them."""
    chronicle = reads.chronicle()
    found = chronicle.of(Contact)
    if reads.json:
        print_json(
            [{"id": each.id, "index": each.index, "by": each.by, **_plain(each)} for each in found]
        )
        return
    rows = [
        [
            each.id,
            format_time(each.body.at_us),
            chronicle.name_of(each.body.person),
            chronicle.name_of(each.body.party),
            each.body.channel or "",
            places(each.body.where),
            "" if each.witnessed_us is None else format_time(each.witnessed_us),
        ]
        for each in found
    ]
    columns = ["contact", "at", "person", "with", "channel", "about", "on record since"]
    console().print(table("Contacts", columns, rows) if rows else "No contact is on record.")


def show(contact: str, /, *, reads: Reads = _READS) -> None:
    """Say all that is on record about a contact, and what others say about it.

    Parameters
    ----------
    contact
        The contact.
    """
    chronicle = reads.chronicle()
    told = chronicle.get(contact)
    if told is None or not isinstance(told.body, Contact):
        raise UnknownName("contact", contact, [each.id for each in chronicle.of(Contact)])
    if reads.json:
        print_json({"id": told.id, "index": told.index, "by": told.by, **_plain(told)})
        return
    body = told.body
    facts = [
        ("person", chronicle.name_of(body.person)),
        ("with", chronicle.name_of(body.party)),
        ("at", format_time(body.at_us)),
        ("about", places(body.where)),
    ]
    facts += [
        (label, plain(text))
        for label, text in (
            ("channel", body.channel),
            ("capacity", body.capacity),
            ("through", body.through),
            ("subject", body.subject),
            ("on behalf of", body.on_behalf_of),
        )
        if text
    ]
    facts += [("there", plain(name)) for name in body.met or ()]
    disclosures = [*(body.disclosed or ())]
    disclosures += [each.body.disclosed for each in chronicle.about(contact, Disclosure)]
    facts += [("disclosed", f"{plain(d.to)}, {format_time(d.at_us)}") for d in disclosures]
    counts = chronicle.now.contacts[contact].counts
    facts.append(("on record", f"entry {told.index}, by {told.by}"))
    facts.append(("keeps away", "its person, for 90 days" if counts else "nobody: unconfirmed"))
    show_facts(facts)
    show_accounts(chronicle, contact)


def zero_report(
    *,
    from_: Annotated[str | None, cyclopts.Parameter(name="--from")] = None,
    until: str | None = None,
    missing: Annotated[bool, cyclopts.Parameter(negative="")] = False,
    by: Signer = _BY,
) -> None:
    """Sign that you had no contact in a period, or list who has not.

    Parameters
    ----------
    from_
        When the period begins, RFC 3339 with Z.
    until
        When it ends; not later than now.
    missing
        List approvers of whom neither a contact nor a report is on record.
    """
    if missing:
        reads = Reads(workspace=by.workspace, json=by.json)
        found = [a for a in alerts(reads.chronicle(), reads.at_us) if a.rule == "A12"]
        if by.json:
            print_json(found)
            return
        for alert in found:
            console().print(plain(alert.says), markup=False)
        if not found:
            console().print("Nobody's report is missing.")
        return
    if from_ is None or until is None:
        raise InputError("a period has two ends", place="--from, --until", hint="or --missing")
    body = checked(
        ZeroReport, "--", from_us=instant(from_, "--from"), until_us=instant(until, "--until")
    )
    what = f"no contacts from {from_} until {until}"
    put(by, body, prefix="zer", title="Report that there were no contacts", what=what)


def _disclosed(text: str) -> Disclosed:
    to, at, when = text.rpartition("@")
    if not at:
        raise InputError(
            f"{text!r} does not say when",
            place="--disclosed",
            hint='as "the board@2026-01-02T10:00:00Z"',
        )
    return Disclosed(to=to, at_us=instant(when, "--disclosed"))


def _plain(told: Told[Contact]) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(told.body)
    return body
