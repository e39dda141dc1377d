"""The bands that a constellation serves from: held altitudes with evenly filled planes."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.sky.in_service.mean_orbits import Floats, MeanOrbits

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

# A satellite that serves holds its altitude to a tenth of a kilometre or so against the rest of
# its band (standard deviations in the fleets of 2021, 2024 and 2026: 0.01 to 0.3 km, the most at
# 360 km where drag is strong); what climbs or sinks is spread over kilometres.
HOLD_KM = 0.25
BAND_KM = 1.0
BAND_INCLINATION_DEG = 0.25
_HELD_FRACTION = 0.6  # of those within BAND_KM, within 0.3 km of the middle; chance gives 0.3
_HELD_KM = 0.3

_FEWEST = 4
_PLANE_GAP_DEG = 0.6  # between nodes; planes of real fleets are 0.0 to 1.7 degrees wide
# Largest gap along an evenly filled plane: two and a half mean ones (a slot or two empty) or an
# eighth of the orbit, but not much more than half of it.
_EVEN_GAPS, _EVEN_GAP_DEG, _WIDEST_GAP_DEG = 2.5, 45.0, 200.0
_EVEN_FRACTION = 0.4  # of a band's satellites in evenly filled planes…
_EVEN_SHARE, _EVEN_SATELLITES = 0.003, 40  # …and so many of all, or this many: enough by itself
_DENSE_SHARE = 0.01  # of all satellites, at least thirty in three planes: enough if not clumped
_DENSE_SATELLITES, _COMPANY = 30, 3
_CLUMPED = 0.6  # mean length of the sum of unit vectors along a plane: 0 is even, 1 one clump


class Band(msgspec.Struct, frozen=True):
    """One altitude and inclination that satellites hold together.

    Attributes:
        altitude_km: median of its members (see `MeanOrbits`).
        inclination_deg: median.
        climb_km_day: median: what drag does to a fit there, against which a trend is judged.
        hold_km: how far off the altitude a member may be.
        satellites: how many hold it.
        planes: how many planes they fly in.
        even_planes: how many of those are evenly filled.
        plane_nodes_deg: first and last node of each plane. A satellite alone on its node counts
            as one where three planes have company: it fills a plane that others have left or not
            yet reached. With one or two planes it is somebody else's.
    """

    altitude_km: float
    inclination_deg: float
    climb_km_day: float
    hold_km: float
    satellites: int
    planes: int
    even_planes: int
    plane_nodes_deg: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        return (
            f"{self.altitude_km:.1f} km at {self.inclination_deg:.1f} degrees: "
            f"{self.satellites:,} satellites in {self.planes} planes, "
            f"{self.even_planes} evenly filled"
        )


def find_bands(orbits: MeanOrbits) -> tuple[Band, ...]:
    """The bands that serve, by altitude and inclination.

    Peaks of the density over altitude and inclination are candidates. One serves if its members
    hold the altitude and either enough of them fly in evenly filled planes, or they are a
    hundredth of all satellites and not clumped along their planes, or they are half of all. That
    tells a band from a launch's satellites that wait on one altitude in tight trains, from spares
    parked here and there, and from a group caught at one altitude on its way.
    """
    free = np.ones(orbits.altitude_km.size, dtype=np.bool_)
    found = []
    for altitude_km, inclination_deg in _peaks(orbits):
        near = free & (np.abs(orbits.altitude_km - altitude_km) <= BAND_KM)
        near &= np.abs(orbits.inclination_deg - inclination_deg) <= BAND_INCLINATION_DEG
        band = _band(orbits, near) if near.sum() >= _FEWEST else None
        if band is not None:
            found.append(band)
            free &= ~near
    return tuple(sorted(found, key=lambda band: (band.inclination_deg, band.altitude_km)))


def _band(orbits: MeanOrbits, near: Mask) -> Band | None:
    altitude_km = float(np.median(orbits.altitude_km[near]))
    off_km = np.abs(orbits.altitude_km - altitude_km)
    near_off_km = off_km[near]
    if np.mean(near_off_km <= _HELD_KM) < _HELD_FRACTION:
        return None
    hold_km = float(np.clip(3.0 * 1.4826 * np.median(near_off_km), HOLD_KM, BAND_KM))
    members = np.nonzero(near & (off_km <= hold_km))[0]
    planes = [members[plane] for plane in planes_of(orbits.node_deg[members])]
    crowded = [plane for plane in planes if plane.size > 1]
    even = [plane for plane in crowded if is_even(orbits.latitude_deg[plane])]
    n_all, n = orbits.altitude_km.size, members.size
    clumping = sum(p.size * clumping_of(orbits.latitude_deg[p]) for p in planes) / n
    in_even = sum(plane.size for plane in even) / n
    in_clumps = sum(p.size for p in planes if p.size >= _FEWEST and not _spread(orbits, p)) / n
    share = n / n_all
    serves = (
        (in_even >= _EVEN_FRACTION and n >= min(_EVEN_SHARE * n_all, _EVEN_SATELLITES))
        or (
            clumping <= _CLUMPED
            and n >= max(_DENSE_SHARE * n_all, _DENSE_SATELLITES)
            and len(crowded) >= _COMPANY
        )
        or (share >= 0.5 and in_clumps < 0.5)
    )
    if n < _FEWEST or not serves:
        return None
    return Band(
        altitude_km=altitude_km,
        inclination_deg=float(np.median(orbits.inclination_deg[members])),
        climb_km_day=float(np.median(orbits.climb_km_day[members])),
        hold_km=hold_km,
        satellites=int(n),
        planes=len(planes),
        even_planes=len(even),
        plane_nodes_deg=tuple(
            (float(orbits.node_deg[plane[0]]), float(orbits.node_deg[plane[-1]]))
            for plane in (planes if len(crowded) >= _COMPANY else crowded)
        ),
    )


def _spread(orbits: MeanOrbits, plane: Ints) -> bool:
    return clumping_of(orbits.latitude_deg[plane]) <= _CLUMPED


def _peaks(orbits: MeanOrbits) -> list[tuple[float, float]]:
    """Where satellites are densest in altitude and inclination, densest first."""
    cells, count = np.unique(
        np.stack(
            [np.rint(orbits.altitude_km / 0.05), np.rint(orbits.inclination_deg / 0.02)], axis=1
        ),
        axis=0,
        return_counts=True,
    )
    altitude_km, inclination_deg = cells[:, 0] * 0.05, cells[:, 1] * 0.02
    # Cells are sorted by altitude: those within half a kilometre are neighbours in the array.
    density = count.astype(np.int64)
    for shift in range(1, len(cells)):
        ahead, behind = slice(shift, None), slice(None, -shift)
        close = altitude_km[ahead] - altitude_km[behind] <= 0.5 + 1e-9
        if not close.any():
            break
        close &= np.abs(inclination_deg[ahead] - inclination_deg[behind]) <= 0.15
        density[ahead] += np.where(close, count[behind], 0)
        density[behind] += np.where(close, count[ahead], 0)
    peaks: list[tuple[float, float]] = []
    for cell in np.lexsort((inclination_deg, altitude_km, -density)):
        if density[cell] < _FEWEST:
            break
        height, tilt = float(altitude_km[cell]), float(inclination_deg[cell])
        if all(
            abs(height - other) > BAND_KM or abs(tilt - its_tilt) > BAND_INCLINATION_DEG
            for other, its_tilt in peaks
        ):
            peaks.append((height, tilt))
    return peaks


def planes_of(node_deg: Floats) -> list[Ints]:
    """Cut satellites into planes at gaps between their nodes: index arrays, along the nodes."""
    order = np.argsort(node_deg, kind="stable")
    gaps = np.diff(node_deg[order], append=node_deg[order[0]] + 360.0)
    cuts = np.nonzero(gaps > _PLANE_GAP_DEG)[0]
    if not cuts.size:
        return [order]
    # Begin behind a gap, so that a plane across 0 degrees stays whole.
    order = np.roll(order, -(cuts[0] + 1))
    return np.split(order, (np.roll(cuts, -1) - cuts[0])[:-1])


def is_even(latitude_deg: Floats) -> bool:
    """Whether two or more satellites fill their plane evenly, but for a slot or two."""
    along = np.sort(latitude_deg)
    largest = np.diff(along, append=along[0] + 360.0).max()
    allowed_deg = max(_EVEN_GAPS * 360.0 / along.size, _EVEN_GAP_DEG)
    return bool(largest <= min(allowed_deg, _WIDEST_GAP_DEG))


def clumping_of(latitude_deg: Floats) -> float:
    """0 for satellites spread evenly along their plane, 1 for all in one place or alone."""
    return float(np.abs(np.exp(1j * np.radians(latitude_deg)).mean()))
