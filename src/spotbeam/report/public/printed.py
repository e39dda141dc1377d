"""A history on paper: one file, which prints well."""

from __future__ import annotations

from collections.abc import Sequence

from spotbeam.chronicle.contesting import Accounts, event_title
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.timeline import Event
from spotbeam.report.page.markup import tag
from spotbeam.report.public.parts import accounts_block, events_list, sentences
from spotbeam.report.public.shell import single
from spotbeam.times import format_time


def timeline_page(
    chronicle: Chronicle,
    title: str,
    events: Sequence[Event],
    accounts: Sequence[Accounts],
    says: Sequence[str] = (),
) -> str:
    """A subject's history as a page.

    Args:
        chronicle: For names, and how far it goes.
        title: What the subject is called.
        events: In order of time.
        accounts: What is said about its events.
        says: How its service stands, of a territory.
    """
    now_us = chronicle.now.witnessed_us
    told = [
        accounts_block(chronicle, each, up=None, title=event_title(chronicle, each.about))
        for each in accounts
    ]
    return single(
        title,
        tag(
            "p",
            f"By the record {chronicle.now.origin}, as witnessed {format_time(now_us)}. What "
            "stands later follows; the record does not say why.",
            class_="soft",
        ),
        sentences(says),
        events_list(events, up=None, now_us=now_us),
        *told,
        tag("h2", "How to check a line"),
        tag("p", "Each line names the entry that shows it. This writes its proof into a file:"),
        tag("pre", tag("code", "spotbeam record prove RECORD ENTRY --plain --out proof.txt")),
        tag("p", "Entry 0 of this record has the digest ", tag("code", chronicle.now.genesis), "."),
    )
