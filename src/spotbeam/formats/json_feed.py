"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from typing import Any

from spotbeam.formats.feed import Feed
from spotbeam.times import format_time


def json_feed(feed: Feed) -> bytes:
    """A feed as JSON Feed; the record's entry stands under `_spotbeam`, as extensions do."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "_spotbeam": {"id": feed.id},
        "items": [
            {
                "id": item.id,
                "url": item.link,
                "title": item.title,
                "content_text": item.text,
                "date_published": format_time(item.at_us),
                "tags": [item.kind],
                "_spotbeam": {"index": item.index},
            }
            for item in feed.items
        ],
    }
    if feed.home is not None:
        document["home_page_url"] = feed.home
        document["feed_url"] = f"{feed.base}feed.json"
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
