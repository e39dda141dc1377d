"""Records in which people tell things: a `World` with parties, contacts, claims and decisions."""

from __future__ import annotations

from typing import Any

from support.governance import World

from spotbeam.chronicle.reading import Chronicle, read
from spotbeam.governance.entries.accounts import (
    Claim,
    Contact,
    Grade,
    Interest,
    Matter,
    Party,
    Source,
    Tie,
)
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US
from spotbeam.watch.alerts import Alert, alerts

STATE, OWNER = "state-xx", "owner"


def read_world(world: World) -> Chronicle:
    """The world's record as history."""
    return read(world.entries, world.history())


def found(world: World, rule: str | None = None, *, after_us: int = 0) -> list[Alert]:
    """Alerts at the world's clock, of one rule if one is named."""
    every = alerts(read_world(world), world.clock_us + after_us)
    return [alert for alert in every if rule in (None, alert.rule)]


def with_parties(world: World) -> World:
    """A state that claims UA-43, and the operator's owner, all on record."""
    world.anchor()
    world.say(Party(party=STATE, name="The state of X", kind="state"), "rex")
    world.say(
        Party(party=OWNER, name="The owner", kind="person", role="owner", part_of="spotbeam-op"),
        "rex",
    )
    world.say(Interest(party=STATE, where=("UA-43",), kind="claimant"), "rex")
    world.anchor()
    return world


def contact(world: World, **changes: Any) -> Contact:
    body: dict[str, Any] = {
        "person": OWNER,
        "party": STATE,
        "where": ("RU-MOW",),
        "at_us": world.clock_us,
        "channel": "call",
    }
    return Contact(**{**body, **changes})


def tie(world: World, **changes: Any) -> Tie:
    body: dict[str, Any] = {
        "person": OWNER,
        "party": STATE,
        "kind": "contract",
        "from_us": world.clock_us - 400 * DAY_US,
    }
    return Tie(**{**body, **changes})


def claim(about: str, stance: str = "asserts", name: str = "The Gazette", **changes: Any) -> Claim:
    source = {
        key: changes.pop(key)
        for key in ("party", "attributed_to", "place", "published", "digest")
        if key in changes
    }
    body: dict[str, Any] = {
        "about": about,
        "stance": stance,
        "source": Source(name=name, **{"published": "2026-06-01", **source}),
        "quote": f"{name} {stance}.",
    }
    return Claim(**{**body, **changes})


__all__ = [
    "DAY_US",
    "HOUR_US",
    "OWNER",
    "SECOND_US",
    "STATE",
    "Grade",
    "Matter",
    "claim",
    "contact",
    "found",
    "read_world",
    "tie",
    "with_parties",
]
