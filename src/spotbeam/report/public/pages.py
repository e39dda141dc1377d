"""The pages of the site, from what is known of each territory and each entry."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from spotbeam.chronicle.contesting import Accounts, event_title
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import STATUS_WORDS
from spotbeam.chronicle.timeline import Event
from spotbeam.report.page.markup import (
    Column,
    Markup,
    definitions,
    join,
    listing,
    table,
    tag,
)
from spotbeam.report.public.parts import (
    accounts_block,
    entry_path,
    events_list,
    linked,
    proof_path,
    sentences,
    territory_path,
)
from spotbeam.report.public.shell import POLICY, Edition, page
from spotbeam.watch.rules import RULES
from spotbeam.watch.standing import Page

ON_WORDS = {
    "granted": ("on", "Yes: service is granted"),
    "granted_in_part": ("part", "In part: on a part of it, or to some"),
    "denied": ("off", "No: service is denied to everybody"),
    "not_granted": ("off", "No: no rule grants service"),
}
_MORE = 3


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How service stands on some ground.

    Attributes:
        word: As `ON_WORDS` has it.
        says: How it came to that, in sentences.
        since: Since when, RFC 3339; None where nothing ever changed.
        asked: Who asked for what holds now, and the entry of each request.
        decided: Who decided it, and the entry of each decision.
        sealed: How many seals over it nobody has opened, with the date of each.
        open: Requests that wait for an answer.
    """

    id: str
    name: str
    word: str
    since: str | None
    says: tuple[str, ...]
    asked: tuple[tuple[str, int], ...]
    decided: tuple[tuple[str, int], ...]
    sealed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    administered_by: tuple[str, ...] = ()
    claimed_by: tuple[str, ...] = ()
    citation: str = ""
    events: tuple[Event, ...] = ()
    accounts: tuple[Accounts, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with what became of it.

    Attributes:
        says: The entry in one sentence.
        followed: What followed from it, as far as the record goes.
        proof: What its proof is called: a receipt, or a tlog-proof.
    """

    id: str
    index: int
    kind: str
    witnessed: str
    says: str
    followed: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    accounts: Accounts | None = None
    proof: str = "tlog-proof"


def index_page(
    edition: Edition, places: Sequence[Place], sealed: Sequence[str], lists: Sequence[str]
) -> str:
    """What is on and off where, since when, by whose decision, at whose request."""
    rows = [
        (
            tag("a", f"{place.name} ({place.id})", href=territory_path(place.id)),
            tag("span", _short(place.word), class_=ON_WORDS[place.word][0]),
            place.since or "ever since this record began",
            join((linked(*each, "") for each in place.decided[-_MORE:]), ", ") or "nobody",
            join((linked(*each, "") for each in place.asked[-_MORE:]), ", ") or "nobody",
        )
        for place in places
    ]
    columns = [Column(title) for title in ("Ground", "Service", "Since", "Decided by", "Asked by")]
    return page(
        edition,
        "Where service is on, and who decided",
        tag(
            "p",
            "Every piece of ground that this record speaks of. Ground that it does not name has no "
            "service: nothing is granted unless a rule grants it.",
        ),
        table("Ground", columns, rows) if rows else tag("p", "No ground is on record."),
        _sealed_block(sealed),
        join((tag("h2", "Lists"), listing(lists))) if lists else "",
    )


def territory_page(edition: Edition, chronicle: Chronicle, place: Place) -> str:
    """One territory: six questions on the first screen, then its whole history."""
    up = "../"
    css, words = ON_WORDS[place.word]
    others = [
        join((_capital(STATUS_WORDS[each.status]), ": ", _to_account(chronicle, each)))
        for each in place.accounts
    ]
    answers = definitions(
        (
            ("Is it on?", tag("span", f"{words}.", class_=f"is {css}")),
            ("Since when?", place.since or "Never changed, as long as this record goes back."),
            ("Who asked?", _names(place.asked, up) or "Nobody, by this record."),
            ("Who decided?", _names(place.decided, up) or "Nobody: dark unless a rule grants it."),
            ("What do others say?", join(others, "; ") if others else "No account is on record."),
            (
                "How do I check?",
                join(
                    (
                        tag("a", "Without us, offline", href=f"{up}how-to-check.html"),
                        ": every line below names its entry, and every entry has its proof.",
                    )
                ),
            ),
        ),
        class_="answers",
    )
    told = [
        tag(
            "section",
            accounts_block(chronicle, each, up=up, title=event_title(chronicle, each.about)),
            id=each.about,
        )
        for each in place.accounts
    ]
    now_us = chronicle.now.witnessed_us
    return page(
        edition,
        f"{place.name} ({place.id})",
        answers,
        sentences(place.says),
        tag("p", _held(place), class_="soft"),
        listing(place.open) if place.open else "",
        _sealed_block(place.sealed),
        *told,
        events_list(place.events, up=up, now_us=now_us, heading="All that is on record"),
        up=up,
    )


def entry_page(edition: Edition, chronicle: Chronicle, item: Item) -> str:
    """One entry: what it says, what followed, what is said about it, and its proof."""
    up = "../"
    facts = definitions(
        (
            ("Entry", f"{item.index}, {item.id} ({item.kind})"),
            ("On record since", item.witnessed),
            (
                "Proof",
                join(
                    (
                        tag("a", f"its {item.proof}", href=f"{up}{proof_path(item.index)}"),
                        ", to check offline: ",
                        tag("code", f"spotbeam record verify {item.index}.txt"),
                    )
                ),
            ),
        ),
        class_="answers",
    )
    told = ""
    if item.accounts is not None and item.accounts.voices:
        told = accounts_block(chronicle, item.accounts, up=up, title="What is said about it")
    now_us = chronicle.now.witnessed_us
    return page(
        edition,
        _capital(item.kind),
        tag("p", f"{item.says}."),
        listing(item.followed) if item.followed else "",
        facts,
        told,
        events_list(item.events, up=up, now_us=now_us, heading="What belongs to it"),
        up=up,
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


def alerts_page(edition: Edition, pages: Sequence[Page]) -> str:
    """Alerts by cause, gravest first; closed and muted ones are there too."""
    blocks = []
    for each in pages:
        alert, stands = each.first.alert, each.first
        state: str = stands.status
        if stands.silenced_by is not None:
            state = f"muted by {stands.silenced_by}"
        blocks.append(
            tag(
                "div",
                tag("strong", f"{_capital(each.level)}: {RULES[alert.rule].title}"),
                tag("p", each.says),
                tag("small", f"{alert.id}, {alert.rule}; {state}"),
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


def _short(word: str) -> str:
    return {"granted": "on", "granted_in_part": "in part"}.get(word, "off")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _names(entries: Sequence[tuple[str, int]], up: str) -> Markup:
    return join((linked(name, index, up) for name, index in entries), "; ")


def _account(chronicle: Chronicle, found: Accounts) -> Markup:
    title = event_title(chronicle, found.about)
    return accounts_block(chronicle, found, up="", title=title)


def _to_account(chronicle: Chronicle, found: Accounts) -> Markup:
    return tag("a", event_title(chronicle, found.about), href=f"#{found.about}")


def _held(place: Place) -> str:
    held = ", ".join(place.administered_by) or "nobody that is known"
    claimed = ", ".join(place.claimed_by) or "nobody that is known"
    return f"Administered by {held}; claimed by {claimed} ({place.citation})."


def _sealed_block(sealed: Sequence[str]) -> Markup:
    if not sealed:
        return Markup("")
    count = f"{len(sealed)} sealed decision{'s' if len(sealed) != 1 else ''}"
    return join((tag("h2", "Sealed"), tag("p", f"{count}, to be opened:"), listing(sealed)))
