"""HTML in small pieces. Text is escaped unless it is already markup, so nothing slips through."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Markup(str):
    """Text that is HTML already; everything else is escaped when it is put into a page."""

    __slots__ = ()


def safe(content: object) -> Markup:
    """The content as HTML: markup as it is, other text escaped, None as nothing."""
    if isinstance(content, Markup):
        return content
    return Markup("" if content is None else html.escape(str(content), quote=True))


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Pieces one after the other."""
    return Markup(between.join(safe(part) for part in parts))


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """An element; `class_` and `for_` stand for class and for, `aria_label` for aria-label."""
    return Markup(f"<{name}{_attributes(attributes)}>{join(content)}</{name}>")


def void(name: str, /, **attributes: object) -> Markup:
    """An element that has no content."""
    return Markup(f"<{name}{_attributes(attributes)}>")


def _attributes(attributes: dict[str, object]) -> str:
    parts = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name = key.rstrip("_").replace("_", "-")
        parts.append(f" {name}" if value is True else f' {name}="{safe(value)}"')
    return "".join(parts)


class Column(NamedTuple):
    """A column of a table: its heading, and whether it holds numbers."""

    title: object
    is_number: bool = False


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    note: object = None,
    row_attributes: Sequence[dict[str, object]] | None = None,
    class_: str | None = None,
) -> Markup:
    """A table with caption and headings, in a box of its own that scrolls where it is too wide.

    The first cell of each row is the row's heading.
    """
    head = join(
        tag("th", column.title, scope="col", class_="n" if column.is_number else None)
        for column in columns
    )
    body = []
    for index, row in enumerate(rows):
        cells = [
            tag(
                "td" if at else "th",
                cell,
                scope=None if at else "row",
                class_="n" if column.is_number else None,
            )
            for at, (cell, column) in enumerate(zip(row, columns, strict=True))
        ]
        body.append(tag("tr", *cells, **(row_attributes[index] if row_attributes else {})))
    parts = [
        tag("caption", caption, tag("small", note) if note else None),
        tag("thead", tag("tr", head)),
        tag("tbody", *body),
    ]
    return tag(
        "div",
        tag("table", *parts, class_=class_),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=f"Table: {caption}",
    )


def definitions(pairs: Iterable[tuple[object, object]], **attributes: object) -> Markup:
    """A list of terms, each with what it means."""
    items = [join((tag("dt", term), tag("dd", meaning))) for term, meaning in pairs]
    return tag("dl", *(tag("div", item) for item in items), **attributes)


def listing(items: Iterable[object], **attributes: object) -> Markup:
    """A list without order."""
    return tag("ul", *(tag("li", item) for item in items), **attributes)
