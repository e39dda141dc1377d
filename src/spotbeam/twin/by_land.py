"""Between two places by land: down to each one's point of presence, and along fibre between them.

So most traffic between two terminals goes today; the way over the sky alone is in `routes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy.typing as npt

from spotbeam.land.gateways import GroundSite, great_circle_km
from spotbeam.network.ground_segment import fibre_ms
from spotbeam.network.routing import Path
from spotbeam.twin.nets import Net, territories_at
from spotbeam.twin.routes import binding_landing, route_to_internet, spread
from spotbeam.twin.world import World


class LandStep(msgspec.Struct, frozen=True, kw_only=True):
    """The way by land at one moment.

    Attributes:
        round_trip_ms: None where either end has no way to the internet.
        fibre_one_way_ms: Between the two points of presence.
        pops: Where traffic of the first and of the second place comes down.
        without: The end that has no way to the internet, `from` or `to`; None where both have.
        reason: Why it has none, a key of `routes.NO_ROUTE`.
    """

    round_trip_ms: float | None
    fibre_one_way_ms: float | None = None
    pops: tuple[str, str] | None = None
    without: str | None = None
    reason: str | None = None


def way_by_land(
    world: World, net: Net, origin: GroundSite, end: GroundSite, times_us: npt.NDArray[Any]
) -> Iterator[LandStep]:
    """The way by land at rising instants; landing rules bind each end where it stands.

    Each end takes its own least delay to the internet, as it would for any traffic.
    """
    ends = [
        route_to_internet(net, place, times_us, binding_landing(net, territories))
        for place, territories in zip(
            (origin, end), territories_at(world, (origin, end)), strict=True
        )
    ]
    for one, other in zip(*ends, strict=True):
        if one.path is None or other.path is None:
            without, reason = ("to", other.reason) if one.path else ("from", one.reason)
            yield LandStep(round_trip_ms=None, without=without, reason=reason)
            continue
        here, there = _lands_at(net, one.path), _lands_at(net, other.path)
        length_km = great_circle_km(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg)
        between_ms = float(fibre_ms(length_km, net.settings.latency))
        yield LandStep(
            round_trip_ms=one.path.round_trip_ms + other.path.round_trip_ms + 2 * between_ms,
            fibre_one_way_ms=between_ms,
            pops=(here.name, there.name),
        )


def summary_by_land(steps: Sequence[LandStep]) -> dict[str, Any]:
    """What the way by land was like over a run."""
    found = [step for step in steps if step.round_trip_ms is not None]
    reasons = Counter((step.without, step.reason) for step in steps if step.reason)
    pairs = Counter(step.pops for step in found if step.pops)
    return {
        "with_path_fraction": len(found) / max(1, len(steps)),
        "no_route": [
            {"without": without, "reason": reason, "steps": count}
            for (without, reason), count in reasons.most_common()
        ],
        "round_trip_ms": spread([step.round_trip_ms or 0.0 for step in found]),
        "pops": [
            {"from": pair[0], "to": pair[1], "steps": count} for pair, count in pairs.most_common()
        ],
    }


def _lands_at(net: Net, path: Path) -> GroundSite:
    """Where a path leaves the operator: the point of presence, or the gateway without any."""
    segment = net.segment
    if path.pop is not None:
        lat, lon = segment.pop_lat_deg[path.pop], segment.pop_lon_deg[path.pop]
        return GroundSite(name=segment.pop[path.pop], lat_deg=float(lat), lon_deg=float(lon))
    assert path.gateway is not None, "a path to the internet comes down somewhere"
    gateways = segment.gateways
    return GroundSite(
        name=gateways.name[path.gateway],
        lat_deg=float(gateways.lat_deg[path.gateway]),
        lon_deg=float(gateways.lon_deg[path.gateway]),
    )
