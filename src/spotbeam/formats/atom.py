"""Atom feeds: RFC 4287."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from spotbeam.formats.feed import Feed, FeedItem
from spotbeam.times import format_time

_ATOM = "http://www.w3.org/2005/Atom"


def atom_feed(feed: Feed) -> bytes:
    """A feed as an Atom document, the same bytes for the same feed.

    Characters that XML 1.0 cannot hold stand as their escapes.
    """
    root = xml.Element("feed", {"xmlns": _ATOM})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", format_time(feed.updated_us))
    author = xml.SubElement(root, "author")
    _text(author, "name", feed.title)
    xml.SubElement(root, "link", {"rel": "self", "href": f"{feed.base}feed.atom"})
    if feed.home is not None:
        xml.SubElement(root, "link", {"rel": "alternate", "href": feed.home})
    for item in feed.items:
        _entry(root, item)
    xml.indent(root, space=" ")
    text: str = xml.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _entry(root: xml.Element, item: FeedItem) -> None:
    entry = xml.SubElement(root, "entry")
    _text(entry, "id", item.id)
    _text(entry, "title", item.title)
    _text(entry, "updated", format_time(item.at_us))
    _text(entry, "published", format_time(item.at_us))
    xml.SubElement(entry, "link", {"rel": "alternate", "href": item.link})
    xml.SubElement(entry, "category", {"term": item.kind})
    _text(entry, "content", item.text, type="text")


def _text(parent: xml.Element, name: str, text: str, **attributes: str) -> None:
    xml.SubElement(parent, name, attributes).text = "".join(map(_allowed, text))


def _allowed(character: str) -> str:
    code = ord(character)
    if character in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD:
        return character
    return character if code >= 0x10000 else character.encode("unicode_escape").decode()
