"""What is new in a record, item by item: each with a permanent id, a sentence and its entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sentences import entry_says
from spotbeam.chronicle.words import lasting, places_words
from spotbeam.formats.atom import atom_feed
from spotbeam.formats.feed import Feed, FeedItem
from spotbeam.formats.json_feed import json_feed
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.deciding import Anchor
from spotbeam.governance.void import Void
from spotbeam.report.public.parts import entry_path
from spotbeam.watch.alerts import alerts
from spotbeam.watch.rules import RULES

FEED_LENGTH = 200
"""How many of the newest items a feed holds; older ones have their pages."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Something new.

    Attributes:
        id: Permanent: of the record's genesis, and the entry or what follows from it.
        index: The entry that it is about.
        at_us: From when the record shows it.
        kind: `request`, `change`, `claim` and so on; `lapse`, `bound`, `alert` where it follows.
    """

    id: str
    index: int
    at_us: int
    kind: str
    title: str
    says: str


def feed_items(chronicle: Chronicle, entries: Sequence[bytes], at_us: int) -> tuple[Item, ...]:
    """All items of a record, in order of the time from which it shows them.

    Args:
        chronicle: As far as it was known.
        entries: Those of the record.
        at_us: What follows from time alone (a lapse, an alert) counts up to here.
    """
    found = [*_entries(chronicle, entries), *_followed(chronicle, at_us)]
    return tuple(sorted(found, key=lambda item: (item.at_us, item.index, item.id)))


def write_feeds(
    chronicle: Chronicle, items: Sequence[Item], base_url: str | None
) -> tuple[tuple[str, bytes], ...]:
    """The feeds of a site: name and bytes of each.

    Args:
        chronicle: For the record's name and how far it goes.
        items: Oldest first.
        base_url: Where the site stands; None: addresses are relative.
    """
    feed = feed_of(chronicle, items[-FEED_LENGTH:], base_url)
    return ("feed.atom", atom_feed(feed)), ("feed.json", json_feed(feed))


def feed_of(chronicle: Chronicle, items: Sequence[Item], base_url: str | None) -> Feed:
    """Items as a feed, newest first."""
    base = "" if base_url is None else base_url.rstrip("/") + "/"
    return Feed(
        id=f"urn:spotbeam:{chronicle.now.genesis}",
        title=f"The record {chronicle.now.origin}",
        home=base or None,
        base=base,
        updated_us=max((item.at_us for item in items), default=chronicle.now.witnessed_us),
        items=tuple(
            FeedItem(
                id=item.id,
                title=item.title,
                text=item.says,
                link=f"{base}{entry_path(item.index)}",
                at_us=item.at_us,
                index=item.index,
                kind=item.kind,
            )
            for item in reversed(items)
        ),
    )


def _entries(chronicle: Chronicle, entries: Sequence[bytes]) -> Iterator[Item]:
    for index, data in enumerate(entries):
        at_us = chronicle.witnessed_at(index)
        if at_us is None or index in chronicle.now.findings:
            continue
        try:
            entry = parse_entry(data)
        except Void:
            continue
        if isinstance(entry.body, Anchor):
            continue
        kind = entry.envelope.type.replace("_", " ")
        yield _item(
            chronicle,
            f"entry:{index}",
            index,
            at_us,
            kind,
            f"{kind.capitalize()} {entry.envelope.id}",
            entry_says(entry, chronicle.now),
        )


def _followed(chronicle: Chronicle, at_us: int) -> Iterator[Item]:
    """What no entry says: lapses, decisions that took effect, alerts."""
    for asked in chronicle.requests:
        by_us = asked.request.answer_by_us
        if asked.since_us is not None and by_us <= at_us and asked.has_lapsed(at_us):
            waited = lasting(by_us - asked.since_us)
            says = (
                f"the request {asked.id} to {asked.request.verb} in "
                f"{places_words(asked.request.where)} lapsed: nobody answered it within {waited}"
            )
            name = f"lapse:{asked.id}"
            title = f"Lapsed: {asked.id}"
            yield _item(chronicle, name, asked.index, by_us, "lapse", title, says)
    for proposed in chronicle.proposals:
        if proposed.bound_us is not None:
            says = (
                f"{proposed.id} is binding: signed by {', '.join(sorted(proposed.approvals))}, "
                "and witnessed"
            )
            name, title = f"bound:{proposed.id}", f"Binding: {proposed.id}"
            yield _item(chronicle, name, proposed.index, proposed.bound_us, "bound", title, says)
    for alert in alerts(chronicle, at_us):
        index = chronicle.now.seen.get(alert.evidence[0], 0) if alert.evidence else 0
        title = f"{alert.level.capitalize()}: {RULES[alert.rule].title}"
        name = f"alert:{alert.id}"
        yield _item(chronicle, name, index, alert.known_us, "alert", title, alert.says)


def _item(
    chronicle: Chronicle, name: str, index: int, at_us: int, kind: str, title: str, says: str
) -> Item:
    return Item(
        id=f"urn:spotbeam:{chronicle.now.genesis}:{name}",
        index=index,
        at_us=at_us,
        kind=kind,
        title=title,
        says=says if says.endswith(".") else f"{says}.",
    )
