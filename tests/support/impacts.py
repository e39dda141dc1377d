"""Records and terminals on which changes are previewed and then really made."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
from support.governance import World, rule

from spotbeam.governance.entries.acts import PutList, PutRule, PutSponsor
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry
from spotbeam.governance.entries.words import HOUR_US
from spotbeam.governance.policy import Openings, row_bytes
from spotbeam.record.seal import list_root
from spotbeam.service.terminals import Mobility, Protection, Terminals

PEOPLE = ("bo", "cy", "dee")
GROUND = ("UA", "UA/sea", "UA-43", "UA-43/sea", "UA-40", "UA-40/sea", "XZ")
CRIMEA = ("UA-43", "UA-43/sea", "UA-40", "UA-40/sea")
CELL = "h3:841e4a3ffffffff"  # of resolution 4, over the neck of Crimea
FLEETS = ("clinics", "lorries", "ships", "boats")
LISTED = "verified"


def black_sea(**seats: Any) -> World:
    """A record with the rules of the shipped scenario in short, and a list that one asks about."""
    world = World(quorum=QuorumRule(persons=3, factors=2), **seats)
    rules = (
        rule("ua-authorised", where=("UA", "UA/sea"), except_=CRIMEA, guard_km="5"),
        rule("high-seas", where=("XZ",), who=WhoEntry(mobility=(Mobility.MARITIME,))),
        rule(
            "ua-speed-cap",
            effect="deny",
            gate="mobility",
            where=("UA", "UA/sea"),
            who=WhoEntry(not_on_list=(LISTED,)),
            thresholds=ThresholdsEntry(over_kmh="75", clear_below_kmh="65"),
            on_stale="deny",
            stale_after_us=6 * HOUR_US,
        ),
        rule(
            "medical",
            effect="exempt",
            gate=None,
            where=("UA",),
            lifts=("list", "mobility"),
            who=WhoEntry(protection=(Protection.MEDICAL,)),
        ),
    )
    first = put_list(world, 1, terminals_named(0, 200))
    world.pass_change(
        *(PutRule(each) for each in rules),
        first,
        PutSponsor(sponsor="s1"),
        request=world.request(where=GROUND),
        people=PEOPLE,
    )
    assert world.codes() == []
    return world


def terminals_named(first: int, stop: int) -> tuple[str, ...]:
    return tuple(f"t{number}" for number in range(first, stop))


def rows_of(terminals: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    """Each with a salt of its own, here from its name."""
    return tuple((name, sha256(name.encode()).digest()[:16]) for name in terminals)


def put_list(world: World, version: int, terminals: tuple[str, ...]) -> PutList:
    pairs = [(row_bytes(name), salt) for name, salt in rows_of(terminals)]
    root = list_root(world.origin, LISTED, version, pairs).hex()
    return PutList(list=LISTED, version=version, count=len(terminals), root=root)


def openings(**versions: tuple[str, ...]) -> Openings:
    """Rows by version, as `v1=terminals_named(0, 200)`."""
    lists = {(LISTED, int(name[1:])): rows_of(names) for name, names in versions.items()}
    return Openings(lists=lists)


def over_the_black_sea(n: int, seed: int = 5) -> Terminals:
    """n terminals of every kind over the Black Sea and its shores, some near borders or nowhere."""
    source = np.random.default_rng(seed)
    pick = source.choice
    unknown = source.random(n) < 0.01
    lat, lon = source.uniform(43.0, 49.0, n), source.uniform(28.0, 40.0, n)
    near = source.random(n) < 0.3  # around Crimea's neck, where three territories meet
    lat = np.where(near, 46.0 + source.normal(0, 0.2, n), lat)
    lon = np.where(near, 33.7 + source.normal(0, 0.6, n), lon)
    return Terminals.from_columns(
        {
            "id": np.char.add("t", np.arange(n).astype(str)),
            "fleet": pick(FLEETS, n),
            "sponsor": pick(("s1", "s2", ""), n),
            "mobility": pick([word.value for word in Mobility], n),
            "protection": pick(("none", "none", "none", "medical", "aid", "emergency"), n),
            "verified": source.random(n) < 0.7,
            "account": pick(("active",) * 30 + ("disabled",), n),
            "distress": source.random(n) < 0.01,
            "lat_deg": np.where(unknown, np.nan, lat),
            "lon_deg": np.where(unknown, np.nan, lon),
            "position_error_m": pick((0.0, 0.0, 20.0, 3_000.0), n),
            "assurance": source.integers(0, 4, n),
            "speed_kmh": pick((0.0, 26.0, 70.0, 80.0, 95.0), n),
        }
    )


def change_of(world: World, *acts: Any, **changes: Any) -> Any:
    """The body of a change over the whole ground, its request already in the record."""
    verb = changes.pop("verb", "activate")
    request = world.request(where=GROUND, verb=verb)
    return world.change_body(*acts, request=request, **changes)
