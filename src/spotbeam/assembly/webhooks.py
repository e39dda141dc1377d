"""Hand what is new in a record to a webhook, and remember how far that has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from spotbeam.assembly.feed_items import Item
from spotbeam.errors import InputError
from spotbeam.formats.atomic import write_text
from spotbeam.http.webhooks import opened, send
from spotbeam.times import format_time

_HEAD = "spotbeam webhook cursor v1"


def deliver(items: Sequence[Item], url: str, secret_file: Path, cursor: Path) -> int:
    """Send each item that the cursor does not know yet, oldest first; how many were sent.

    An item is written into the cursor once its receiver has taken it: whoever is killed between the
    two sends it again, under the same id.

    Args:
        items: Oldest first.
        url: The receiver's.
        secret_file: Holds the shared secret.
        cursor: Remembers which items were taken; made if it is not there.

    Raises:
        InputError: The secret or the cursor is none.
        Unreachable: The receiver is not there; what it took before is remembered.
        Refused: The receiver does not want it.
    """
    hook = opened(_read(secret_file, "--secret-file"))
    done = _delivered(cursor)
    sent = 0
    for item in items:
        if item.id in done:
            continue
        send(hook, url, message_id(item), body_of(item))
        done.add(item.id)
        with cursor.open("a", encoding="utf-8") as stream:
            stream.write(f"{item.id}\n")
        sent += 1
    return sent


def message_id(item: Item) -> str:
    """The webhook id of an item: the same whenever it is sent."""
    return item.id.replace(":", "_").replace("/", "_")


def body_of(item: Item) -> str:
    """What is sent: the event, its sentence, and its place in the record."""
    return json.dumps(
        {
            "type": f"record.{item.kind.replace(' ', '_')}",
            "timestamp": format_time(item.at_us),
            "data": {
                "id": item.id,
                "index": item.index,
                "title": item.title,
                "says": item.says,
            },
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def _read(path: Path, place: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path.name!r} cannot be read: {fault}", place=place) from None


def _delivered(cursor: Path) -> set[str]:
    if not cursor.exists():
        write_text(cursor, f"{_HEAD}\n")
    text = _read(cursor, "--cursor")
    head, *ids = text.split("\n")[:-1] or [""]
    if head == _HEAD and not text.endswith("\n"):
        # A line without its end: the sender was killed while it wrote. Its item goes again.
        write_text(cursor, "".join(f"{line}\n" for line in (head, *ids)))
    if head != _HEAD:
        raise InputError(
            f"{cursor.name!r} is no cursor", place="--cursor", hint="name a file that is not there"
        )
    return set(ids)
