"""A feed before it is written: what Atom and JSON Feed have in common."""

from __future__ import annotations

import msgspec


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item.

    Attributes:
        id: Permanent, and an IRI.
        link: Its page, absolute or relative to the feed.
        at_us: When it became known, microseconds since 1970.
        index: The record's entry.
    """

    id: str
    title: str
    text: str
    link: str
    at_us: int
    index: int
    kind: str


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed, newest item first.

    Attributes:
        home: The site; None: not known.
        base: What stands before relative addresses; empty: nothing.
    """

    id: str
    title: str
    home: str | None
    base: str
    updated_us: int
    items: tuple[FeedItem, ...]
