"""Accounts of one event as lines of text: who says what, graded how, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.chronicle.contesting import Accounts, Difference, Voice
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.telling import source_words
from spotbeam.chronicle.words import named, quoted
from spotbeam.times import format_time

STATUS_WORDS = {
    "recorded": "told by one side",
    "corroborated": "told alike by sources that do not rest on each other",
    "contested": "contested: accounts contradict each other",
    "retracted": "taken back by whoever said it",
}
ASPECT_WORDS = {
    "occurred": "whether it happened",
    "number": "how many there were",
    "date": "when it was",
    "subject": "what it was about",
    "effect": "what it led to",
    "channel": "how it went",
    "who": "who took part",
}
_STANCES = {
    "asserts": "asserts it",
    "denies": "denies it",
    "qualifies": "qualifies it",
    "retracts": "takes back what it said",
}


def accounts_lines(chronicle: Chronicle, found: Accounts) -> tuple[str, ...]:
    """Every voice, then every difference, then whoever was named and has not replied."""
    return tuple(_lines(chronicle, found))


def voice_line(voice: Voice) -> str:
    """What one source says, in its own words."""
    claim = voice.claim
    reply = "replies, and " if voice.is_reply else ""
    back = f" (taken back in {voice.retracted_by})" if voice.retracted_by else ""
    other = claim.body.alternative
    explains = f" It offers another explanation: {quoted(other)}." if other else ""
    return (
        f"{source_words(claim.body.source)} {reply}{_STANCES[claim.body.stance]}: "
        f"{quoted(claim.body.quote)}{back}{explains}"
    )


def grade_words(voice: Voice) -> str:
    """The grades of a claim, by whom; none is weighed against another."""
    if not voice.grades:
        return "graded by nobody"
    return "graded " + ", ".join(
        f"{each.body.reliability or '-'}/{each.body.credibility or '-'} by {each.by}"
        for each in voice.grades
    )


def difference_line(difference: Difference) -> str:
    """Where accounts differ, each reading with the claims that have it."""
    readings = "; ".join(
        f"{named(reading.value)} ({', '.join(reading.claims)})" for reading in difference.readings
    )
    return f"They differ on {ASPECT_WORDS[difference.aspect]}: {readings}"


def _lines(chronicle: Chronicle, found: Accounts) -> Iterator[str]:
    for voice in found.voices:
        shown_us = voice.claim.witnessed_us
        since = "not witnessed yet" if shown_us is None else f"since {format_time(shown_us)}"
        yield f"{voice_line(voice)} [{voice.claim.id}, {grade_words(voice)}, on record {since}]"
    yield from map(difference_line, found.differences)
    for missing in found.unanswered:
        asked = (
            "no notice to them is on record"
            if missing.asked_us is None
            else f"told of it {format_time(missing.asked_us)}"
        )
        name = named(chronicle.name_of(missing.party))
        yield f"{name}, whom {missing.claim} names, has no reply on record ({asked})"
