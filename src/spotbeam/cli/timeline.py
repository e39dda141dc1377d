"""`spotbeam timeline`: the history of a territory, person, party, request or event, with proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spotbeam.assembly.telling import chronicle_of
from spotbeam.assembly.timelines import event_line
from spotbeam.assembly.told import ToldHistory, told_history
from spotbeam.chronicle.contesting import event_title
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import STATUS_WORDS, accounts_lines
from spotbeam.cli.output import print_json, say
from spotbeam.cli.reads import Reads
from spotbeam.control.wording import plain
from spotbeam.formats.atomic import write_text
from spotbeam.report.public.printed import timeline_page

_READS = Reads()


def timeline(
    subject: str,
    /,
    *,
    view: str = "un",
    html: Path | None = None,
    reads: Reads = _READS,
) -> None:
    """Tell the history of a subject: what was asked, decided and told, and how to prove each line.

    Every event has the time at which it happened, as the record or its teller says, and the entry
    that shows it. `spotbeam record prove ENTRY` writes the proof of one into a file.

    Parameters
    ----------
    subject
        A territory or cell, or the id of a person, party, request, proposal, contact, matter or
        claim.
    view
        Point of view on borders.
    html
        Write a page that prints well, in one file.
    """
    read = reads.record()
    chronicle = chronicle_of(read)
    if reads.known_time is not None:
        chronicle = chronicle.known_at(reads.at_us)
    found = told_history(read, chronicle, subject, at_us=reads.at_us, view=view)
    if html is not None:
        page = timeline_page(
            chronicle, found.title, found.events, found.accounts, tuple(_service(found))
        )
        write_text(html, page)
    if reads.json:
        print_json(found)
        return
    _show(chronicle, found)
    if html is not None:
        say(f"written: {html}")


def _service(found: ToldHistory) -> Iterator[str]:
    """How service stands, of a territory."""
    if found.ground is not None:
        yield f"In the point of view {found.ground.view}:"
        yield from found.ground.now.switch.says


def _show(chronicle: Chronicle, found: ToldHistory) -> None:
    title = found.subject if found.title == found.subject else f"{found.subject} ({found.title})"
    say(f"{title}, by the record {chronicle.now.origin}")
    for text in _service(found):
        say(f"  {text}")
    say("")
    for event in found.events:
        say(f"  {event_line(event, chronicle.now.witnessed_us)}")
    if not found.events:
        say("  nothing is on record")
    for about in found.accounts:
        say("")
        say(f"{plain(event_title(chronicle, about.about))} ({STATUS_WORDS[about.status]}):")
        for line in accounts_lines(chronicle, about):
            say(f"  {line}")
    say("")
    say("What stands later follows; the record does not say why. To prove a line:")
    say("  spotbeam record prove ENTRY")
