"""`spotbeam feed`: what is new in a record, for people, feed readers and webhooks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from spotbeam.assembly.feed_items import feed_items, feed_of
from spotbeam.assembly.telling import chronicle_of
from spotbeam.assembly.webhooks import deliver
from spotbeam.cli.output import print_json, say
from spotbeam.cli.reads import Reads
from spotbeam.errors import InputError
from spotbeam.formats.atom import atom_feed
from spotbeam.formats.json_feed import json_feed
from spotbeam.times import MICROSECONDS, format_time

_READS = Reads()


def feed(
    *,
    format: Literal["text", "atom", "json-feed"] = "text",
    since: int = 0,
    base_url: str | None = None,
    webhook: str | None = None,
    secret_file: Path | None = None,
    cursor: Path | None = None,
    reads: Reads = _READS,
) -> None:
    """Say what is new in a record, or hand it to a webhook.

    With --webhook each item is sent once it is not yet in the cursor file, signed after Standard
    Webhooks. Delivery is at least once: a receiver tells repeats by their webhook-id.

    Parameters
    ----------
    format
        text, atom or json-feed.
    since
        Only items about this entry or later ones.
    base_url
        Where the site stands, for links.
    webhook
        The receiver's address.
    secret_file
        A file with the secret that you share with the receiver, as whsec_….
    cursor
        The file that remembers what was delivered; made if it is not there.
    """
    read = reads.record()
    chronicle = chronicle_of(read)
    items = [
        item
        for item in feed_items(chronicle, read.entries, read.time_s * MICROSECONDS)
        if item.index >= since
    ]
    if webhook is not None:
        if secret_file is None or cursor is None:
            raise InputError(
                "a webhook needs a secret and a cursor",
                place="--webhook",
                hint="give --secret-file FILE and --cursor FILE",
            )
        sent = deliver(items, webhook, secret_file, cursor)
        say(f"{sent:,} of {len(items):,} items delivered to {webhook}; the others were before")
        return
    if reads.json:
        print_json(items)
    elif format == "atom":
        sys.stdout.write(atom_feed(feed_of(chronicle, items, base_url)).decode())
    elif format == "json-feed":
        sys.stdout.write(json_feed(feed_of(chronicle, items, base_url)).decode())
    else:
        for item in items:
            say(f"{format_time(item.at_us)}  entry {item.index}  {item.title}: {item.says}")
