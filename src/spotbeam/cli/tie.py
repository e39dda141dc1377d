"""`spotbeam tie`: what binds a person to a party, declared by themself or by others."""

from __future__ import annotations

from typing import Annotated

import cyclopts

from spotbeam.assembly.sending import checked
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.reads import Reads
from spotbeam.cli.signing import Signer
from spotbeam.cli.telling import ground, instant, put
from spotbeam.control.wording import places
from spotbeam.governance.entries.accounts import Tie, TieEnd, TieKind
from spotbeam.times import format_time

Texts = Annotated[list[str], cyclopts.Parameter(negative=())]
_BY, _READS = Signer(), Reads()


def declare(
    *,
    party: str,
    kind: TieKind,
    since: str,
    person: str | None = None,
    where: Texts | None = None,
    until: str | None = None,
    words: str | None = None,
    by: Signer = _BY,
) -> None:
    """Declare a tie to a party.

    Your own keeps you from approving on the ground it names, while it lasts and 90 days longer.
    Somebody else's keeps nobody away until a quorum confirms it (`confirm_contact` in a draft).

    Parameters
    ----------
    party
        To whom.
    kind
        A contract, holding, office, political funding, access to classified work, or family.
    since
        From when, RFC 3339 with Z.
    person
        Whose tie; yours if left out.
    where
        The ground on which the party has an interest; give it again for more.
    until
        Until when; it lasts if left out.
    words
        More about it.
    """
    hand = by.signing().hand
    body = checked(
        Tie,
        "--",
        person=person or hand.person,
        party=party,
        kind=kind,
        where=ground(by, where),
        from_us=instant(since, "--since"),
        until_us=None if until is None else instant(until, "--until"),
        words=words,
    )
    whose = "your tie" if body.person == hand.person else f"a tie of {body.person}"
    about = f" about {places(body.where)}" if body.where else ""
    put(
        by,
        body,
        prefix="tie",
        title="Declare a tie",
        what=f"{whose} to {party} ({kind}){about} is on record",
        next_steps=("spotbeam tie end {id} --at …",),
    )


def end(tie: str, /, *, at: str, by: Signer = _BY) -> None:
    """Say that a tie is over; it counts 90 days longer, and nobody is freed backwards.

    Parameters
    ----------
    tie
        The tie.
    at
        Since when, RFC 3339 with Z.
    """
    body = checked(TieEnd, "--", tie=tie, until_us=instant(at, "--at"))
    put(by, body, prefix="ten", title="End a tie", what=f"the tie {tie} is said to be over")


def show_all(*, reads: Reads = _READS) -> None:
    """List ties, and whether they keep their person from approving."""
    chronicle = reads.chronicle()
    found = [chronicle.now.ties[told.id] for told in chronicle.of(Tie)]
    if reads.json:
        print_json(found)
        return
    rows = [
        [
            each.id,
            chronicle.name_of(each.tie.person),
            chronicle.name_of(each.tie.party),
            each.tie.kind,
            places(each.tie.where) if each.tie.where else "",
            format_time(each.tie.from_us),
            "" if each.until_us is None else format_time(each.until_us),
            "yes" if each.counts and each.tie.where else "no",
        ]
        for each in found
    ]
    columns = ["tie", "person", "party", "kind", "where", "from", "until", "keeps away"]
    console().print(table("Ties", columns, rows) if rows else "No tie is on record.")
