"""The pages about the whole record, from what is known of each place, request and alert."""

from __future__ import annotations

from collections.abc import Sequence

from spotbeam.chronicle.contesting import Accounts, event_title
from spotbeam.chronicle.reading import Chronicle
from spotbeam.report.page.markup import (
    Column,
    Markup,
    definitions,
    join,
    listing,
    table,
    tag,
)
from spotbeam.report.public.pages import ON_WORDS, Place, Who, capital, sealed_block
from spotbeam.report.public.parts import (
    accounts_block,
    entry_path,
    linked,
    party_path,
    territory_path,
)
from spotbeam.report.public.shell import POLICY, Edition, page
from spotbeam.watch.rules import RULES
from spotbeam.watch.standing import Page

_MORE = 3


def index_page(
    edition: Edition,
    places: Sequence[Place],
    *,
    waiting: Sequence[tuple[str, int]],
    sealed: Sequence[str],
    alerts: Sequence[tuple[str, int]],
    lists: Sequence[str],
) -> str:
    """What is on and off where, since when, by whose decision, at whose request.

    Args:
        edition: How fresh it all is.
        places: The ground that the record speaks of.
        waiting: Requests that nobody has answered, and the entry of each.
        sealed: When each seal is to be opened.
        alerts: How many causes of alerts there are of each level, gravest first.
        lists: What may be shown of the length of each list.
    """
    found = ", ".join(f"{count:,} {level}" for level, count in alerts) or "none"
    return page(
        edition,
        "Where service is on, and who decided",
        tag(
            "p",
            "Every piece of ground that this record speaks of. Ground that it does not name has no "
            "service: nothing is granted unless a rule grants it.",
        ),
        tag("ul", *(_place_line(place) for place in places), class_="places")
        if places
        else tag("p", "No ground is on record."),
        tag("h2", "Requests that wait for an answer"),
        listing(linked(*each, "") for each in waiting) if waiting else tag("p", "None."),
        sealed_block(sealed),
        tag("h2", "Alerts"),
        tag("p", tag("a", f"By cause: {found}", href="alerts.html"), "."),
        join((tag("h2", "Lists"), listing(lists))) if lists else "",
        tag("h2", "How fresh this is"),
        definitions(
            (
                ("Witnessed", edition.witnessed),
                ("Entries", f"{edition.size:,}"),
                ("Root", tag("code", edition.root)),
                ("Signed by", ", ".join(edition.signed_by) or "nobody yet"),
            ),
            class_="answers",
        ),
    )


def who_page(edition: Edition, people: Sequence[Who]) -> str:
    """Everybody on record: parties, persons, and those on the roster."""
    lines = [
        join((tag("a", each.name, href=party_path(each.id)), f" ({each.id})")) for each in people
    ]
    return page(
        edition,
        "Who is on record",
        tag("p", "Whoever is named here is on record. That says nothing for or against them."),
        listing(lines) if lines else tag("p", "Nobody."),
    )


def requests_page(edition: Edition, rows: Sequence[tuple[int, Sequence[str]]]) -> str:
    """Every request, and how it ended."""
    columns = [Column(t) for t in ("Request", "To", "Where", "Asked by", "Came by", "Stands")]
    made = [(tag("a", cells[0], href=entry_path(index)), *cells[1:]) for index, cells in rows]
    return page(
        edition,
        "What was asked for, and how it ended",
        table("Requests", columns, made) if made else tag("p", "Nobody asked for anything."),
    )


def accounts_page(edition: Edition, chronicle: Chronicle, told: Sequence[Accounts]) -> str:
    """Every event that anybody speaks of, with accounts side by side."""
    blocks = [tag("section", _account(chronicle, each), id=each.about) for each in told]
    return page(
        edition,
        "What is said, by whom, and where accounts differ",
        tag(
            "p",
            "This record takes no side. Claims stand in their sources' own words, with their "
            "grades: sources from A (completely reliable) to F (cannot be judged), information "
            "from 1 (confirmed) to 6 (cannot be judged), each for itself and by whoever graded it.",
        ),
        *(blocks or (tag("p", "Nobody says anything."),)),
    )


def alerts_page(edition: Edition, chronicle: Chronicle, pages: Sequence[Page]) -> str:
    """Alerts by cause, gravest first; closed and muted ones are there too."""
    blocks = []
    for each in pages:
        alert, stands = each.first.alert, each.first
        state: str = stands.status
        if stands.silenced_by is not None:
            state = f"muted by {stands.silenced_by}"
        seen = chronicle.now.seen
        shown = join((linked(name, seen.get(name), "") for name in alert.evidence), ", ")
        blocks.append(
            tag(
                "div",
                tag("strong", f"{capital(each.level)}: {RULES[alert.rule].title}"),
                tag("p", each.says),
                tag("small", f"{alert.id}, {alert.rule}; {state}; by ", shown),
                class_="alert",
                id=alert.id,
            )
        )
    return page(
        edition,
        "What deserves a second look",
        tag(
            "p",
            "Alerts follow from the record, and whoever reads it finds the same ones. They say "
            "what came after what. They accuse nobody.",
        ),
        *(blocks or (tag("p", "Nothing, just now."),)),
    )


def check_page(edition: Edition) -> str:
    """How anybody checks all of it without trusting this page."""
    record = edition.record or "RECORD"
    return page(
        edition,
        "How to check this record yourself",
        tag(
            "p",
            "This page is made from a public, witnessed log. You need not believe the page: a "
            "copy of the log lies beside it, and the tool that checks it is free.",
        ),
        tag("h2", "The whole record"),
        tag(
            "pre",
            tag(
                "code",
                f"pip install spotbeam\nspotbeam record verify {record} \\\n"
                f"  --genesis {edition.genesis}",
            ),
        ),
        tag(
            "p",
            "The digest after --genesis is that of entry 0, which names the people who decide and "
            "the witnesses. Take it from somebody whom you trust, not from here.",
        ),
        tag("h2", "One entry"),
        tag("p", "Each entry's page has its proof to download. It is checked offline:"),
        tag("pre", tag("code", f"spotbeam record verify 12.txt --policy {POLICY}")),
        tag(
            "p",
            tag("a", "The witness policy", href=POLICY),
            " says whose signatures count. Of a decision, ",
            tag("code", "spotbeam record prove"),
            " makes a receipt with the approvals, which needs no policy.",
        ),
        tag("h2", "Who has signed this edition"),
        listing(edition.signed_by) if edition.signed_by else tag("p", "Nobody yet."),
        tag("h2", "What a proof does not show"),
        tag(
            "p",
            "That nothing later undid a decision: only the whole record shows it. That two keys "
            "are held by two people: that is the word of those who seated them. What was said "
            "where nobody wrote it down: no record shows that.",
        ),
    )


def _place_line(place: Place) -> Markup:
    decided = join((linked(*each, "") for each in place.decided[-_MORE:]), "; ")
    asked = join((linked(*each, "") for each in place.asked[-_MORE:]), "; ")
    return tag(
        "li",
        tag(
            "div",
            tag("a", f"{place.name} ({place.id})", href=territory_path(place.id)),
            tag("span", _short(place.word), class_=ON_WORDS[place.word][0]),
        ),
        tag(
            "p",
            f"Since {place.since}. " if place.since else "Ever since this record began. ",
            join(("Decided: ", decided or "nobody", ". Asked: ", asked or "nobody", ".")),
        ),
    )


def _short(word: str) -> str:
    return {"granted": "on", "granted_in_part": "in part"}.get(word, "off")


def _account(chronicle: Chronicle, found: Accounts) -> Markup:
    title = event_title(chronicle, found.about)
    return accounts_block(chronicle, found, up="", title=title)
