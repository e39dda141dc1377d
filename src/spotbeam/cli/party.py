"""`spotbeam party` and `spotbeam interest`: who there is, and what they want of which ground."""

from __future__ import annotations

from typing import Annotated

import cyclopts

from spotbeam.assembly.sending import checked
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.reads import Reads
from spotbeam.cli.signing import Signer, show_facts
from spotbeam.cli.telling import ground, instant, put
from spotbeam.control.wording import places, plain
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.accounts import Interest, InterestKind, Party, PartyKind, Tie
from spotbeam.times import format_time

Texts = Annotated[list[str], cyclopts.Parameter(negative=())]
_BY, _READS = Signer(), Reads()


def add(
    party: str,
    /,
    *,
    name: str,
    kind: PartyKind,
    role: str | None = None,
    part_of: str | None = None,
    by: Signer = _BY,
) -> None:
    """Register a party, or a natural person by their role; again: amend it.

    Parameters
    ----------
    party
        Its id, as state-xx.
    name
        What it is called.
    kind
        A state, a firm, a unit, a body, the press, or a person.
    role
        Of a person: what they are there, as "head of state".
    part_of
        The party that it belongs to.
    """
    body = checked(Party, "--", party=party, name=name, kind=kind, role=role, part_of=part_of)
    what = f"{party} is registered as {plain(name)}, a {kind}"
    put(by, body, prefix="par", title="Register a party", what=what)


def add_interest(
    party: str,
    /,
    *,
    kind: InterestKind,
    where: Texts,
    from_: Annotated[str | None, cyclopts.Parameter(name="--from")] = None,
    until: str | None = None,
    words: str | None = None,
    by: Signer = _BY,
) -> None:
    """Record that a party has an interest in some ground; more than one party may.

    Parameters
    ----------
    party
        Whose.
    kind
        It claims it, administers it, borders on it, is named as gaining, or licenses service.
    where
        A territory or cell; give it again for more.
    from_
        Since when, RFC 3339 with Z.
    until
        Until when.
    words
        More about it.
    """
    body = checked(
        Interest,
        "--",
        party=party,
        where=ground(by, where),
        kind=kind,
        from_us=None if from_ is None else instant(from_, "--from"),
        until_us=None if until is None else instant(until, "--until"),
        words=words,
    )
    what = f"{party} is on record as {kind} in {places(body.where)}"
    put(by, body, prefix="int", title="Record an interest", what=what)


def show_all(*, reads: Reads = _READS) -> None:
    """List parties and persons."""
    found = [told.body for told in reads.chronicle().parties.values()]
    if reads.json:
        print_json(found)
        return
    rows = [
        [each.party, plain(each.name), each.kind, plain(each.role or ""), each.part_of or ""]
        for each in sorted(found, key=lambda each: each.party)
    ]
    columns = ["party", "name", "kind", "role", "part of"]
    console().print(table("Parties and persons", columns, rows) if rows else "Nobody is on record.")


def show(party: str, /, *, reads: Reads = _READS) -> None:
    """Say what is on record about a party or person: interests and ties."""
    chronicle = reads.chronicle()
    known = chronicle.parties
    if party not in known:
        raise UnknownName("party", party, sorted(known))
    told = known[party]
    interests = [each for each in chronicle.of(Interest) if each.body.party == party]
    ties = [each for each in chronicle.of(Tie) if party in (each.body.party, each.body.person)]
    if reads.json:
        print_json(
            {
                "party": told.body,
                "index": told.index,
                "interests": [each.body for each in interests],
                "ties": [each.body for each in ties],
            }
        )
        return
    facts = [("party", party), ("name", plain(told.body.name)), ("kind", told.body.kind)]
    if told.body.role:
        facts.append(("role", plain(told.body.role)))
    if told.body.part_of:
        facts.append(("part of", chronicle.name_of(told.body.part_of)))
    facts.append(("on record", f"entry {told.index}, by {told.by}"))
    facts += [("interest", f"{i.body.kind} in {places(i.body.where)}") for i in interests]
    for tie in ties:
        other = tie.body.party if tie.body.person == party else tie.body.person
        since = format_time(tie.body.from_us)
        facts.append(("tie", f"{tie.body.kind} with {chronicle.name_of(other)} since {since}"))
    show_facts(facts)
    console().print(f"  next: spotbeam timeline {party}", markup=False)


def show_interests(*, reads: Reads = _READS) -> None:
    """List interests of parties in ground."""
    chronicle = reads.chronicle()
    found = chronicle.of(Interest)
    if reads.json:
        print_json([each.body for each in found])
        return
    rows = [
        [chronicle.name_of(each.body.party), each.body.kind, places(each.body.where), each.by]
        for each in found
    ]
    columns = ["party", "interest", "where", "recorded by"]
    console().print(table("Interests", columns, rows) if rows else "No interest is on record.")
