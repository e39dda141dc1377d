"""How the words of a forecast look: one colour and one pattern each, the same in every picture.

Colour never stands alone: each word has a pattern too. The colours start from Okabe and Ito, "Color
universal design" (2008), and were then moved apart until every two of them differ by more than 20
(CIEDE2000) for normal sight and for protanopia, deuteranopia and tritanopia as modelled by Machado,
Oliveira and Fernandes (2009); a test keeps them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Pattern = Literal["plain", "dots", "cross", "back", "forward", "level", "sparse"]


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A public status word: how it reads and how it is drawn.

    Attributes:
        label: As a reader meets it.
        meaning: One plain sentence.
        fill: Colour on a light page.
        dark_fill: Colour on a dark page.
        ink: Colour of the pattern on `fill`.
        dark_ink: Colour of the pattern on `dark_fill`.
        pattern: What is drawn over the fill.
    """

    label: str
    meaning: str
    fill: str
    dark_fill: str
    ink: str
    dark_ink: str
    pattern: Pattern


# From the better to the worse, as `service.status` ranks them.
WORDS: Mapping[str, Word] = {
    "available": Word(
        label="available",
        meaning="The reference terminal is served at most steps of the run.",
        fill="#3A927C",
        dark_fill="#49A98E",
        ink="#3A927C",
        dark_ink="#49A98E",
        pattern="plain",
    ),
    "at_capacity": Word(
        label="at capacity",
        meaning="A satellite is in view, but the model has no beam left for this ground.",
        fill="#F5B04D",
        dark_fill="#FFC84A",
        ink="#8A5A0A",
        dark_ink="#8A5A0A",
        pattern="dots",
    ),
    "out_of_view": Word(
        label="out of view",
        meaning=(
            "Policy allows service, but at most steps no satellite stands above the elevation "
            "mask, or none has a route to a gateway."
        ),
        fill="#2F3B45",
        dark_fill="#04070A",
        ink="#8E9BA6",
        dark_ink="#6B7884",
        pattern="cross",
    ),
    "awaiting_approval": Word(
        label="awaiting approval",
        meaning="Nothing authorises service here yet, and a request to activate it is open.",
        fill="#A9C3F5",
        dark_fill="#BDB6F8",
        ink="#3C5FA8",
        dark_ink="#4A4AA8",
        pattern="back",
    ),
    "not_offered": Word(
        label="not offered",
        meaning="Nothing authorises service here, or a rule other than an order denies it.",
        fill="#E6E3DC",
        dark_fill="#4A5A5C",
        ink="#C9C4B9",
        dark_ink="#66777A",
        pattern="sparse",
    ),
    "withheld": Word(
        label="withheld",
        meaning=(
            "Nothing authorises service here and a request to withhold it is open, or a rule "
            "disables the cell."
        ),
        fill="#8D52B5",
        dark_fill="#9250DE",
        ink="#E6D3F2",
        dark_ink="#E6D3F2",
        pattern="level",
    ),
    "blocked_by_order": Word(
        label="blocked by order",
        meaning="An order or sanction that binds the operator denies service here.",
        fill="#C23B0E",
        dark_fill="#CD470F",
        ink="#FFD2BF",
        dark_ink="#FFD2BF",
        pattern="forward",
    ),
}


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A service state of a terminal: how it reads and how its dot is drawn."""

    label: str
    meaning: str
    colour: str
    marker: Literal["dot", "ring", "square", "triangle", "cross"]
    pattern: Pattern


STATES: Mapping[str, State] = {
    "served": State(
        label="served",
        meaning="Policy allows it and a satellite is in view at most steps.",
        colour="#2A7F6B",
        marker="dot",
        pattern="plain",
    ),
    "limited": State(
        label="limited",
        meaning="Served, with a data rate that a rule caps.",
        colour="#E08A00",
        marker="square",
        pattern="dots",
    ),
    "no_satellite": State(
        label="no satellite",
        meaning="Policy allows it, but no satellite is above the mask at most steps.",
        colour="#2F3B45",
        marker="ring",
        pattern="cross",
    ),
    "no_route": State(
        label="no route",
        meaning="Policy allows it and a satellite is in view, but no way leads to a gateway.",
        colour="#9B7FE0",
        marker="triangle",
        pattern="back",
    ),
    "denied": State(
        label="denied",
        meaning="A rule denies it, or nothing authorises it.",
        colour="#A8270B",
        marker="cross",
        pattern="forward",
    ),
}

# Light to dark in even steps of lightness, so that it survives a grey print: satellites in view.
SATELLITE_SCALE = (
    "#EEF3F6",
    "#D0E0EA",
    "#ABC8DA",
    "#82AECA",
    "#5B92B7",
    "#3A749F",
    "#235583",
    "#133A63",
)
# Availability: dark where there is little of it.
AVAILABILITY_SCALE = ("#2A1E3F", "#553670", "#8A4F87", "#BD6C86", "#E29A86", "#F3CFA8", "#DCEBE4")

SEA = "#EAF0F3"
LAND = "#F7F5F0"
INK = "#1D2730"
MUTED = "#56626C"
BORDER = "#27323B"
OWN = "#7A1F5C"


def exact_colours() -> tuple[str, ...]:
    """The colours that a picture must show as they are, each once."""
    words = [colour for word in WORDS.values() for colour in (word.fill, word.ink)]
    states = [state.colour for state in STATES.values()]
    scales = [*SATELLITE_SCALE, *AVAILABILITY_SCALE]
    return tuple(dict.fromkeys(["#FFFFFF", INK, MUTED, SEA, LAND, *words, *states, *scales]))


def in_rank(words: Iterable[str]) -> list[str]:
    """Status words from the better to the worse; unknown ones come last."""
    rank = list(WORDS)
    return sorted(set(words), key=lambda w: (rank.index(w) if w in WORDS else len(rank), w))


def word_of(name: str) -> Word:
    """How a status word looks; a word that this module does not know looks like `not_offered`."""
    if name in WORDS:
        return WORDS[name]
    return msgspec.structs.replace(WORDS["not_offered"], label=name.replace("_", " "), meaning="")
