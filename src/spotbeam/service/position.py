"""Where a terminal is, reduced to what rules ask of it: which ground its position disc touches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.service.policy import Policy

Ids = tuple[str, ...]


class GroundLike(Protocol):
    """What this room asks of `land.territories.Ground`."""

    @property
    def view(self) -> str: ...

    @property
    def face_territories(self) -> Sequence[Ids]: ...

    def locate(
        self, lat_deg: npt.NDArray[np.float64], lon_deg: npt.NDArray[np.float64], /
    ) -> npt.NDArray[np.int32]: ...

    def touched(
        self,
        lat_deg: npt.NDArray[np.float64],
        lon_deg: npt.NDArray[np.float64],
        radius_m: npt.NDArray[np.float64],
        /,
    ) -> tuple[npt.NDArray[np.int32], Sequence[Sequence[int]]]: ...

    def ids(self) -> Sequence[str]: ...


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position and the ground around it.

    Ground is told apart by *faces*: the smallest areas that no border crosses. A face is known by
    the ids of all territories that it belongs to.

    Attributes:
        error_m: Radius of the 95 % disc.
        own: The face of the position itself; None where the position is unknown.
        discs: By guard width in km: the faces that the disc touches once it is widened by that
            much. Each holds `own`.
    """

    lat_deg: float
    lon_deg: float
    error_m: float = 0.0
    assurance: int = 3
    own: Ids | None = None
    discs: Mapping[float, tuple[Ids, ...]] = {}

    @property
    def is_known(self) -> bool:
        return self.own is not None

    def faces(self, guard_km: float) -> tuple[Ids, ...]:
        """The faces that the disc touches with a guard band; none for an unknown position."""
        return self.discs[guard_km] if self.is_known else ()

    @property
    def widest(self) -> tuple[Ids, ...]:
        """The faces that any rule may ask about."""
        return self.discs[max(self.discs)] if self.is_known else ()


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """How a terminal moves."""

    speed_kmh: float = 0.0
    altitude_m: float = 0.0


def place(
    policy: Policy,
    ground: GroundLike,
    lat_deg: float,
    lon_deg: float,
    *,
    error_m: float = 0.0,
    assurance: int = 3,
) -> Position:
    """A position as the rules of a policy see it. NaN coordinates make an unknown one."""
    lat, lon, error = (np.array([value], dtype=np.float64) for value in (lat_deg, lon_deg, error_m))
    return places(policy, ground, lat, lon, error, np.array([assurance]))[0]


def places(
    policy: Policy,
    ground: GroundLike,
    lat_deg: npt.NDArray[np.float64],
    lon_deg: npt.NDArray[np.float64],
    error_m: npt.NDArray[Any],
    assurance: npt.NDArray[Any],
) -> list[Position]:
    """Many positions at once, shapes (n,)."""
    known = ~np.isnan(lat_deg)
    lat, lon = np.where(known, lat_deg, 0.0), np.where(known, lon_deg, 0.0)
    own = ground.locate(lat, lon)
    radius_m = error_m.astype(np.float64)
    touched = {
        guard_km: ground.touched(lat, lon, radius_m + guard_km * 1000.0)
        for guard_km in policy.guards_km()
    }
    names = ground.face_territories
    discs = {
        guard_km: [tuple(names[face] for face in faces) for faces in sets]
        for guard_km, (_, sets) in touched.items()
    }
    return [
        Position(
            lat_deg=float(lat_deg[row]),
            lon_deg=float(lon_deg[row]),
            error_m=float(error_m[row]),
            assurance=int(assurance[row]),
            own=names[own[row]] if known[row] else None,
            discs={
                guard_km: discs[guard_km][index[row]] for guard_km, (index, _) in touched.items()
            }
            if known[row]
            else {},
        )
        for row in range(len(lat_deg))
    ]


# IUGG mean radius: Moritz, Geodetic Reference System 1980, Journal of Geodesy 74 (2000).
MEAN_RADIUS_KM = 6371.0088


def distance_km(
    from_lat_deg: float, from_lon_deg: float, to_lat_deg: float, to_lon_deg: float
) -> float:
    """Great-circle distance on a sphere (haversine), within 0.6 % of the geodesic; NaN passes."""
    from_lat, to_lat = math.radians(from_lat_deg), math.radians(to_lat_deg)
    half_north = math.sin((to_lat - from_lat) / 2.0)
    half_east = math.sin(math.radians(to_lon_deg - from_lon_deg) / 2.0)
    square = half_north * half_north + math.cos(from_lat) * math.cos(to_lat) * half_east * half_east
    if square > 1.0:  # rounding, at the antipode
        square = 1.0
    return 2.0 * MEAN_RADIUS_KM * math.asin(math.sqrt(square))


def is_at_sea(territories: Ids) -> bool:
    """Whether a face is sea: the open sea, or a belt that no land territory shares.

    A user's own territory or a cell drawn over the sea leaves it sea.
    """
    if "XZ" in territories:
        return True
    return any(name.endswith("/sea") for name in territories) and not any(
        not name.endswith("/sea") and not name.startswith(("x-", "h3:")) for name in territories
    )
