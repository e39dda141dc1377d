"""The pages about one territory, party or entry."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from spotbeam.chronicle.contesting import Accounts, event_title
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import STATUS_WORDS
from spotbeam.chronicle.timeline import Event
from spotbeam.report.page.markup import (
    Markup,
    definitions,
    join,
    listing,
    tag,
)
from spotbeam.report.public.parts import (
    accounts_block,
    events_list,
    linked,
    proof_path,
    sentences,
)
from spotbeam.report.public.shell import Edition, page

ON_WORDS = {
    "granted": ("on", "Yes: service is granted"),
    "granted_in_part": ("part", "In part: on a part of it, or to some"),
    "denied": ("off", "No: service is denied to everybody"),
    "not_granted": ("off", "No: no rule grants service"),
}


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


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """A party or person with all that the record tells of them.

    Attributes:
        says: What they are, in sentences.
    """

    id: str
    name: str
    says: tuple[str, ...]
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


def party_page(edition: Edition, chronicle: Chronicle, who: Who) -> str:
    """A party or person: what they are, what they did, and what is said."""
    up = "../"
    told = [
        tag("section", accounts_block(chronicle, each, up=up, title=title), id=each.about)
        for each in who.accounts
        for title in (event_title(chronicle, each.about),)
    ]
    return page(
        edition,
        f"{who.name} ({who.id})",
        sentences(who.says),
        *told,
        events_list(
            who.events,
            up=up,
            now_us=chronicle.now.witnessed_us,
            heading="All that is on record",
        ),
        up=up,
    )


def territory_page(edition: Edition, chronicle: Chronicle, place: Place) -> str:
    """One territory: six questions on the first screen, then its whole history."""
    up = "../"
    css, words = ON_WORDS[place.word]
    others = [
        join((capital(STATUS_WORDS[each.status]), ": ", _to_account(chronicle, each)))
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
        sealed_block(place.sealed),
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
        capital(item.kind),
        tag("p", f"{item.says}."),
        listing(item.followed) if item.followed else "",
        facts,
        told,
        events_list(item.events, up=up, now_us=now_us, heading="What belongs to it"),
        up=up,
    )


def capital(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def _names(entries: Sequence[tuple[str, int]], up: str) -> Markup:
    return join((linked(name, index, up) for name, index in entries), "; ")


def _to_account(chronicle: Chronicle, found: Accounts) -> Markup:
    return tag("a", event_title(chronicle, found.about), href=f"#{found.about}")


def _held(place: Place) -> str:
    held = ", ".join(place.administered_by) or "nobody that is known"
    claimed = ", ".join(place.claimed_by) or "nobody that is known"
    return f"Administered by {held}; claimed by {claimed} ({place.citation})."


def sealed_block(sealed: Sequence[str]) -> Markup:
    """How many seals nobody has opened, with the date of each; nothing else of them."""
    if not sealed:
        return Markup("")
    count = f"{len(sealed)} sealed decision{'s' if len(sealed) != 1 else ''}"
    return join((tag("h2", "Sealed"), tag("p", f"{count}, to be opened:"), listing(sealed)))
