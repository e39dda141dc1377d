"""What commands print: JSON for scripts, tables and progress for people."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

_NOT_ASCII = re.compile(r"[^\n -~]")


def print_json(value: Any) -> None:
    """One JSON document on standard output; what is not a number is null.

    Characters that could steer a terminal are escaped, as JSON allows.
    """
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(_NOT_ASCII.sub(lambda found: _shown_in_json(found[0]), text) + "\n")


def shown(text: str) -> str:
    r"""One line of text that a terminal takes as text.

    What others wrote may hold control characters, and ones that turn the direction of writing:
    they are shown as `\x1b` and `\u202e`.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def say(line: str) -> None:
    """One line on standard output, with nothing in it that could steer a terminal."""
    sys.stdout.write(shown(line) + "\n")


def console() -> Console:
    """Standard output for people; colours only on a terminal, room for tables off it."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140
    return Console(highlight=False, soft_wrap=True, width=width)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; columns whose cells are all numbers are set to the right.

    Columns of short words are never broken; where there is too little room, the long ones are.
    """
    result = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for index, column in enumerate(columns):
        cells = [_text(row[index]) for row in rows]
        width = max(map(len, [column, *cells]))
        is_short = width <= 26
        is_number = all(_is_number(row[index]) for row in rows)
        result.add_column(
            column,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_short,
            min_width=width if is_short else 12,
        )
    for row in rows:
        result.add_row(*(_text(cell) for cell in row))
    return result


def _shown_in_json(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _text(cell: object) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return escape(shown(str(cell)))


def _is_number(cell: object) -> bool:
    """Numbers, and numbers that were written out, as `1,234` or `99.5 %`."""
    return isinstance(cell, int | float) or bool(re.fullmatch(r"-?[\d,.]+( %)?", str(cell)))


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with the time left, on standard error and only on a terminal."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
