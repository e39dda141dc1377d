"""`spotbeam matter` and `spotbeam claim`: what is told about an event, by whom, graded by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import cyclopts

from spotbeam.assembly.claims import claim_body, claim_source
from spotbeam.assembly.sending import checked
from spotbeam.chronicle.contesting import accounts, event_title, events, root_of
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import STATUS_WORDS
from spotbeam.cli.accounts_shown import show_accounts
from spotbeam.cli.output import console, print_json, say, table
from spotbeam.cli.reads import Reads
from spotbeam.cli.signing import Signer
from spotbeam.cli.telling import ground, put
from spotbeam.control.wording import plain
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.accounts import Claim, Grade, Matter

Texts = Annotated[list[str], cyclopts.Parameter(negative=())]
_BY, _READS = Signer(), Reads()


def open_matter(
    title: str,
    /,
    *,
    where: Texts | None = None,
    party: Texts | None = None,
    date: str | None = None,
    by: Signer = _BY,
) -> None:
    """Open a matter: an event that people speak of and that is no entry of this record.

    Parameters
    ----------
    title
        In neutral words.
    where
        The ground that it is about; give it again for more.
    party
        Who takes part, as accounts have it; give it again for more.
    date
        A day, month, year or interval, as 2024-10-25, 2024-10 or 2022/2024.
    """
    body = checked(
        Matter,
        "--",
        title=title,
        where=ground(by, where),
        parties=tuple(party or ()),
        date=date,
    )
    put(
        by,
        body,
        prefix="mat",
        title="Open a matter",
        what=f"the matter “{plain(title)}” is open",
        next_steps=("spotbeam claim record {id} --stance asserts --source … --quote …",),
    )


def record(
    about: str,
    /,
    *,
    file: Path | None = None,
    stance: Literal["asserts", "denies", "qualifies"] | None = None,
    source: str | None = None,
    published: str | None = None,
    quote: str | None = None,
    source_party: str | None = None,
    attributed_to: str | None = None,
    place: str | None = None,
    archive: Path | None = None,
    names: Texts | None = None,
    occurred: Literal["yes", "no"] | None = None,
    number: str | None = None,
    date: str | None = None,
    subject: str | None = None,
    effect: str | None = None,
    how: str | None = None,
    who: str | None = None,
    alternative: str | None = None,
    by: Signer = _BY,
) -> None:
    """Record what a source says about an event, in its own words.

    The options from --occurred to --who say in a few words what it says of each aspect, so that
    accounts can be laid side by side. --stance, --source, --published and --quote are needed,
    here or in --file.

    Parameters
    ----------
    about
        A matter, contact, request, decision, or another claim: then it is a reply to it.
    file
        TOML or JSON with the options' names as keys (source_party; channel for --how); what is
        given as an option wins.
    stance
        It asserts that, denies it, or qualifies it.
    source
        Who says it: a paper, an office, a person by their role.
    published
        When, as 2024-10-25.
    quote
        The source's own words.
    source_party
        The party that speaks, where it is one: so a party's reply is told from a third voice.
    attributed_to
        On whom the source relies, in its own words, as "two officials".
    place
        Where it can be read.
    archive
        An archived copy; it goes in by its digest.
    names
        A party or person of whom it speaks: they are owed a notice, and may reply. Again for more.
    occurred
        Whether it happened at all.
    number
        How many there were, as 3, "at least 2" or "1 to 4".
    date
        When it was, as 2022-10 or 2022/2024.
    subject
        What it was about.
    effect
        What it led to.
    how
        By which channel.
    who
        Who took part.
    alternative
        Another explanation that the source gives.
    """
    given = {
        "stance": stance,
        "source": source,
        "published": published,
        "quote": quote,
        "source_party": source_party,
        "attributed_to": attributed_to,
        "place": place,
        "archive": None if archive is None else str(archive),
        "names": names,
        "occurred": occurred,
        "number": number,
        "date": date,
        "subject": subject,
        "effect": effect,
        "channel": how,
        "who": who,
        "alternative": alternative,
    }
    body = claim_body(about, given, file)
    put(
        by,
        body,
        prefix="clm",
        title="Record a claim",
        what=f"{plain(body.source.name)} {body.stance} {about}",
        next_steps=("spotbeam claim grade {id} --reliability … --credibility …",),
    )


def retract(
    claim: str, /, *, published: str, quote: str, place: str | None = None, by: Signer = _BY
) -> None:
    """Record that a claim's own source takes it back. The claim stays to be read.

    Parameters
    ----------
    claim
        The claim.
    published
        When the source took it back, as 2024-10-25.
    quote
        In its own words.
    place
        Where that can be read.
    """
    chronicle = Reads(workspace=by.workspace, json=by.json).chronicle()
    told = _claim(chronicle, claim)
    source = told.source
    body = checked(
        Claim,
        "--",
        about=claim,
        stance="retracts",
        source=claim_source(source.name, published, party=source.party, place=place),
        quote=quote,
    )
    what = f"{plain(source.name)} takes back {claim}"
    put(by, body, prefix="clm", title="Record a retraction", what=what)


def grade(
    claim: str,
    /,
    *,
    reliability: Literal["A", "B", "C", "D", "E", "F"] | None = None,
    credibility: Literal[1, 2, 3, 4, 5, 6] | None = None,
    words: str | None = None,
    by: Signer = _BY,
) -> None:
    """Grade a claim: its source, its information, each for itself. Other grades stay beside it.

    Parameters
    ----------
    claim
        The claim.
    reliability
        Of the source: A completely reliable, to E unreliable; F cannot be judged.
    credibility
        Of the information: 1 confirmed, to 5 improbable; 6 cannot be judged.
    words
        Why.
    """
    body = checked(
        Grade, "--", claim=claim, reliability=reliability, credibility=credibility, words=words
    )
    marks = f"{reliability or '-'}/{credibility or '-'}"
    put(by, body, prefix="grd", title="Grade a claim", what=f"{claim} is graded {marks}")


def show(about: str, /, *, reads: Reads = _READS) -> None:
    """Lay the accounts of one event side by side: who says what, and exactly where they differ.

    Parameters
    ----------
    about
        A matter, contact, request or decision; or a claim, for the event that it is about.
    """
    chronicle = reads.chronicle()
    if about not in chronicle.now.seen:
        known = [*events(chronicle), *(told.id for told in chronicle.of(Claim))]
        raise UnknownName("event or claim", about, known)
    root = root_of(chronicle, about)
    if reads.json:
        print_json(accounts(chronicle, root))
        return
    say(f"{root}: {plain(event_title(chronicle, root))}")
    show_accounts(chronicle, root)
    if not accounts(chronicle, root).voices:
        say("  nobody says anything about it")


def show_all(*, reads: Reads = _READS) -> None:
    """List events that anybody speaks of, and how their accounts stand to each other."""
    chronicle = reads.chronicle()
    found = [accounts(chronicle, name) for name in events(chronicle)]
    if reads.json:
        print_json(found)
        return
    rows = [
        [
            each.about,
            plain(event_title(chronicle, each.about)),
            len(each.voices),
            STATUS_WORDS[each.status].partition(":")[0] if each.voices else "no claim",
            ", ".join(difference.aspect for difference in each.differences),
        ]
        for each in found
    ]
    columns = ["event", "what", "claims", "stands", "differ on"]
    console().print(table("Events", columns, rows) if rows else "Nobody says anything.")


def _claim(chronicle: Chronicle, name: str) -> Claim:
    told = chronicle.get(name)
    if told is None or not isinstance(told.body, Claim):
        raise UnknownName("claim", name, [each.id for each in chronicle.of(Claim)])
    return told.body
