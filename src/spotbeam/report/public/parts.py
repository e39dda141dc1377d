"""Pieces of public pages: events with the entry that shows each, and accounts side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spotbeam.chronicle.contesting import Accounts, Voice
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import (
    STATUS_WORDS,
    difference_line,
    grade_words,
    silence_line,
    stance_words,
)
from spotbeam.chronicle.timeline import Event
from spotbeam.chronicle.words import quoted
from spotbeam.report.page.markup import Markup, join, listing, tag


def entry_path(index: int) -> str:
    """The permanent address of an entry's page, from the site's root."""
    return f"entry/{index}.html"


def proof_path(index: int) -> str:
    """The address of an entry's proof, from the site's root."""
    return f"proof/{index}.txt"


def party_path(who: str) -> str:
    """The address of the page of a party or person, from the site's root."""
    return f"party/{who}.html"


def territory_path(place: str) -> str:
    """The address of a territory's page, from the site's root."""
    return f"territory/{place.replace('/', '_').replace(':', '_')}.html"


def events_list(
    events: Iterable[Event], *, up: str | None, now_us: int, heading: str | None = None
) -> Markup:
    """Events in order of time, each with its entry.

    Args:
        events: In order.
        up: The way to the site's root; None: no links, entries by number.
        now_us: What is later lies ahead.
        heading: Of the section; none if not given.
    """
    items = [_event(event, up, now_us) for event in events]
    if not items:
        return tag("p", "Nothing is on record.", class_="soft")
    title = tag("h2", heading) if heading else ""
    return join((title, tag("ol", *items, class_="events")))


def accounts_block(chronicle: Chronicle, found: Accounts, *, up: str | None, title: str) -> Markup:
    """Who says what about one event, side by side, and exactly where they differ."""
    voices = [_voice(voice, found.about, up) for voice in found.voices]
    differences = [difference_line(each) for each in found.differences]
    silent = [silence_line(chronicle, each) for each in found.unanswered]
    return join(
        (
            tag("h2", title),
            tag("p", f"{STATUS_WORDS[found.status].capitalize()}."),
            tag("ul", *voices, class_="voices"),
            listing(differences) if differences else "",
            listing(silent, class_="soft") if silent else "",
        )
    )


def linked(name: str, index: int | None, up: str | None) -> Markup:
    """An entry by its name, with its page where there is one."""
    if index is None or up is None:
        return tag("span", name)
    return tag("a", name, href=f"{up}{entry_path(index)}")


def sentences(lines: Sequence[object]) -> Markup:
    """Lines, each a paragraph."""
    return join(tag("p", line) for line in lines)


def _event(event: Event, up: str | None, now_us: int) -> Markup:
    when = (
        tag("time", event.when, datetime=event.when)
        if "/" not in event.when
        else tag("span", event.when, class_="when")
    )
    ahead = " (ahead)" if event.at_us > now_us else ""
    stop = "" if event.says.endswith((".”", "!”", "?”")) else "."
    late = f" {event.known[:1].upper()}{event.known[1:]}." if event.known else ""
    proof: object = ""
    if event.index is not None:
        proof = join((" [", linked(f"entry {event.index}", event.index, up), "]"))
    return tag("li", join((when, ahead)), tag("span", event.says, stop, tag("small", late), proof))


def _voice(voice: Voice, about: str, up: str | None) -> Markup:
    claim, source = voice.claim, voice.claim.body.source
    back = f" It was taken back in {voice.retracted_by}." if voice.retracted_by else ""
    relies = f", citing {quoted(source.attributed_to)}" if source.attributed_to else ""
    place = f", {source.place}" if source.place else ""
    other = claim.body.alternative
    return tag(
        "li",
        tag("strong", source.name),
        f" {stance_words(voice, about)}{relies}.{back}",
        tag("blockquote", quoted(claim.body.quote)),
        tag("p", f"It offers another explanation: {quoted(other)}.") if other else "",
        tag(
            "small",
            f"Published {source.published}{place}; {grade_words(voice)}; ",
            linked(f"entry {claim.index}", claim.index, up),
        ),
        class_=claim.body.stance,
    )
