"""The way to the internet from one place at one moment, by name, and what would open one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import msgspec
import numpy as np

from spotbeam.land.gateways import GroundSite
from spotbeam.network.settings import Landing, Network
from spotbeam.service.verdict import Verdict
from spotbeam.twin.changes import Change
from spotbeam.twin.nets import net_of
from spotbeam.twin.routes import NO_ROUTE, binding_landing, route_to_internet
from spotbeam.twin.world import World


class RouteHere(msgspec.Struct, frozen=True, kw_only=True):
    """The way from one place to the internet at one moment, by name.

    Attributes:
        reason: Why there is none, a key of `NO_ROUTE`; None where there is one.
        why: The reason as a sentence.
        satellites: Catalogue numbers on the way.
        landing: What the landing rules that bind the place say.
    """

    mode: str
    reason: str | None
    why: str | None
    round_trip_ms: float | None = None
    satellites: tuple[int, ...] = ()
    gateway: str | None = None
    pop: str | None = None
    landing: tuple[Landing, ...] = ()

    @property
    def way(self) -> str:
        """Satellites, gateway and point of presence, in turn."""
        return " → ".join(filter(None, (*map(str, self.satellites), self.gateway, self.pop)))


def route_here(
    world: World, lat_deg: float, lon_deg: float, territories: Sequence[str], at_us: int
) -> RouteHere:
    """The way from a place to the internet at a moment, or why there is none."""
    net = net_of(world, engine="sgp4")
    landing = binding_landing(net, territories)
    place = GroundSite(name="here", lat_deg=lat_deg, lon_deg=lon_deg)
    (step,) = route_to_internet(net, place, np.array([at_us], dtype=np.int64), landing)
    path = step.path
    return RouteHere(
        mode=net.settings.mode,
        reason=step.reason,
        why=None if step.reason is None else NO_ROUTE[step.reason],
        round_trip_ms=None if path is None else round(path.round_trip_ms, 3),
        satellites=()
        if path is None
        else tuple(int(net.elements.catalogue_number[row]) for row in path.satellites),
        gateway=None
        if path is None or path.gateway is None
        else net.segment.gateways.name[path.gateway],
        pop=None if path is None or path.pop is None else net.segment.pop[path.pop],
        landing=tuple(net.settings.landing[index] for index in landing),
    )


def ways_to_open(
    world: World,
    lat_deg: float,
    lon_deg: float,
    territories: Sequence[str],
    at_us: int,
    decided: Verdict,
) -> Iterator[Change]:
    """What else of the network would give a place without a way one; each is evaluated.

    The fewest changes that do: one at a time, and two at once only where no single one does.

    Args:
        world: The scenario, resolved.
        lat_deg: Where.
        lon_deg: Where.
        territories: Of the place.
        at_us: When.
        decided: The verdict there, which none of this changes.
    """
    settings = world.scenario.network or Network()
    options: list[tuple[str, dict[str, Any]]] = []
    if settings.mode == "bent_pipe":
        options.append(("with links between satellites", {"mode": "lasers"}))
    if settings.landing:
        options.append(("without the landing rules", {"landing": ()}))
    if "shipped" in (settings.gateways, settings.pops) and not settings.planned:
        options.append(("with the sites that are planned", {"planned": True}))
    for together in (1, 2):
        found = False
        for some in combinations(options, together):
            patch = {key: value for _, change in some for key, value in change.items()}
            network = msgspec.structs.replace(settings, **patch)
            scenario = msgspec.structs.replace(world.scenario, network=network)
            other = msgspec.structs.replace(world, scenario=scenario)
            here = route_here(other, lat_deg, lon_deg, territories, at_us)
            if here.round_trip_ms is None:
                continue
            found = True
            words = " and ".join(text for text, _ in some)
            yield Change(
                kind="network",
                text=f"{words}: {here.round_trip_ms:.1f} ms to the internet, by {here.way}",
                patch={"network": patch},
                outcome=decided.outcome,
                reason=decided.reason,
            )
        if found:
            return
