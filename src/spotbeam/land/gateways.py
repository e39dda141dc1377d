"""Where traffic comes down: gateways, and the points of presence behind them.

The shipped sites are those of one licensed list, gathered from filings and checked by its
community, with what the operator's reverse DNS names and gateways inferred from that (see NOTICE
and `scripts/build_gateways.py`). No operator has published such a list: they are a plausible
default, not a statement of fact about any site.
"""

from __future__ import annotations

import csv
import functools
import io
from importlib import resources
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.errors import InputError

Kind = Literal["gateway", "pop"]
STATUSES = ("operational", "planned", "inferred")
Floats = npt.NDArray[np.float64]

SOURCE = "juliensimon/starlink-viz, 2026-03-20, unofficial, with sites inferred"

_EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG (Moritz 2000)


class GroundSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gateway or a point of presence.

    Attributes:
        name: As people call it.
        status: `operational`; `planned`; or `inferred`, for a gateway that the list lacks beside a
            point of presence that is in operation and far from all others.
    """

    name: str
    lat_deg: float
    lon_deg: float
    status: str = "operational"

    def __post_init__(self) -> None:
        """Refuse what is not on the globe, NaN included, before anything is computed from it."""
        for field, most in (("lat_deg", 90.0), ("lon_deg", 180.0)):
            value = getattr(self, field)
            if not abs(value) <= most:
                raise InputError(
                    f"{field} {value:g} is not within -{most:g}..{most:g}",
                    place=self.name,
                    hint="give latitude and longitude in degrees",
                )


def shipped_sites(kind: Kind, *, planned: bool = False) -> tuple[GroundSite, ...]:
    """The sites that come with Spotbeam, sorted by name.

    Args:
        kind: `gateway`, or `pop` for points of presence.
        planned: Also those that the list calls planned.
    """
    return tuple(
        site for of, site in _shipped() if of == kind and (planned or site.status != "planned")
    )


def great_circle_km(
    lat_deg: npt.ArrayLike,
    lon_deg: npt.ArrayLike,
    to_lat_deg: npt.ArrayLike,
    to_lon_deg: npt.ArrayLike,
) -> Floats:
    """Distance over the ground on a sphere of 6371.0088 km; shapes broadcast.

    At most 0.6 % off the distance on the ellipsoid.
    """
    lat, lon, to_lat, to_lon = (
        np.radians(np.asarray(each, dtype=np.float64))
        for each in (lat_deg, lon_deg, to_lat_deg, to_lon_deg)
    )
    haversine = (
        np.sin((to_lat - lat) / 2) ** 2
        + np.cos(lat) * np.cos(to_lat) * np.sin((to_lon - lon) / 2) ** 2
    )
    return np.asarray(2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0))))


@functools.cache
def _shipped() -> tuple[tuple[str, GroundSite], ...]:
    text = resources.files(__package__).joinpath("data", "gateways.csv").read_text("utf-8")
    return tuple(
        (
            row["kind"],
            GroundSite(
                name=row["name"],
                lat_deg=float(row["lat_deg"]),
                lon_deg=float(row["lon_deg"]),
                status=row["status"],
            ),
        )
        for row in csv.DictReader(io.StringIO(text))
    )
