"""Accounts of one event as lines of text: who says what, graded how, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.chronicle.contesting import Accounts, Difference, Unanswered, Voice
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


def accounts_lines(chronicle: Chronicle, found: Accounts) -> tuple[str, ...]:
    """Every voice, then every difference, then whoever was named and has not replied."""
    return tuple(_lines(chronicle, found))


def stance_words(voice: Voice, about: str) -> str:
    """How a claim stands to the event that it is about, or to another claim, by its id."""
    body = voice.claim.body
    if body.stance == "retracts":
        return f"takes back {body.about}"
    reply = "replies, and " if voice.is_reply else ""
    return f"{reply}{body.stance} {'it' if body.about == about else body.about}"


def voice_line(voice: Voice, about: str) -> str:
    """What one source says of an event, in its own words."""
    claim = voice.claim
    back = f" (taken back in {voice.retracted_by})" if voice.retracted_by else ""
    other = claim.body.alternative
    explains = f" It offers another explanation: {quoted(other)}." if other else ""
    return (
        f"{source_words(claim.body.source)} {stance_words(voice, about)}: "
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


def silence_line(chronicle: Chronicle, missing: Unanswered) -> str:
    """That somebody has not replied, and whether they were told of what is said of them."""
    if missing.asked_us is not None:
        asked = f"asked on {format_time(missing.asked_us)}"
    elif missing.failure is not None:
        asked = f"a notice did not reach them: {quoted(missing.failure)}"
    else:
        asked = "no notice to them is on record"
    name = named(chronicle.name_of(missing.party))
    return f"{name}, whom {missing.claim} names, has no reply on record ({asked})"


def _lines(chronicle: Chronicle, found: Accounts) -> Iterator[str]:
    for voice in found.voices:
        shown_us = voice.claim.witnessed_us
        since = "not witnessed yet"
        if shown_us is not None:
            since = f"on record since {format_time(shown_us)}"
        yield f"{voice_line(voice, found.about)} [{voice.claim.id}, {grade_words(voice)}, {since}]"
    yield from map(difference_line, found.differences)
    yield from (silence_line(chronicle, missing) for missing in found.unanswered)
