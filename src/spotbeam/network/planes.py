"""A real catalogue sorted into planes, and satellites along them."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.sky.elements import ElementSets
from spotbeam.sky.in_service import MeanOrbits, find_bands, mean_orbits

Rows = npt.NDArray[np.int64]

# Satellites of one band hold its altitude to a quarter of a kilometre or so, and two bands of one
# inclination lie more than four apart (docs/in-service.md); planes are up to 1.7 degrees wide.
# What flies between two bands belongs to the nearer; what is near none is cut where it jumps.
_NEAR_BAND_KM = 3.0
_BAND_GAP_KM = 1.5
_BAND_GAP_DEG = 0.25
_PLANE_GAP_DEG = 0.6
# Across wider gaps a neighbour is no neighbour: planes are missing, or it is the seam of a star
# pattern, where it flies in the opposite direction.
_WIDE_GAPS = 2.5
_WIDEST_GAP_DEG = 90.0


class Planes(msgspec.Struct, frozen=True, eq=False):
    """One band of a catalogue: its planes in the order of their nodes.

    Attributes:
        rings: rows of each plane's satellites, in the order of flight.
        node_deg: (n_plane,), mean right ascension of the ascending node.
        along_deg: (n_sat of the catalogue,), argument of latitude at the median epoch.
        pairs: which planes are neighbours, as indices into `rings`.
    """

    rings: tuple[Rows, ...]
    node_deg: npt.NDArray[np.float64]
    along_deg: npt.NDArray[np.float64]
    pairs: tuple[tuple[int, int], ...]


def sort_into_planes(elements: ElementSets) -> list[Planes]:
    """Sort satellites by inclination and altitude into bands, and those into planes.

    Nodes and places along the orbit are brought to the median epoch first, so that satellites of
    one plane agree whatever the age of their elements. Give it what is in service: a satellite on
    its way elsewhere would make a plane of its own.
    """
    orbits = mean_orbits(elements)
    found = []
    for band in _bands(orbits):
        rings = [
            ring[np.argsort(orbits.latitude_deg[ring], kind="stable")]
            for ring in _cut_around(orbits.node_deg, band, _PLANE_GAP_DEG)
        ]
        nodes = np.array([_mean_deg(orbits.node_deg[ring]) for ring in rings])
        order = np.argsort(nodes, kind="stable")
        found.append(
            Planes(
                tuple(rings[i] for i in order),
                nodes[order],
                orbits.latitude_deg,
                _neighbours(nodes[order]),
            )
        )
    return found


def _bands(orbits: MeanOrbits) -> list[Rows]:
    """Rows of each band: by the nearest that serves, and what is near none by its jumps."""
    nearest = np.full(orbits.altitude_km.size, -1)
    off_km = np.full(orbits.altitude_km.size, _NEAR_BAND_KM)
    bands = find_bands(orbits)
    for index, band in enumerate(bands):
        off = np.abs(orbits.altitude_km - band.altitude_km)
        alike = np.abs(orbits.inclination_deg - band.inclination_deg) <= _BAND_GAP_DEG
        closer = alike & (off < off_km)
        nearest[closer], off_km[closer] = index, off[closer]
    found = [np.flatnonzero(nearest == index) for index in range(len(bands))]
    rest = np.flatnonzero(nearest < 0)
    for tilted in _cut(orbits.inclination_deg, rest, _BAND_GAP_DEG):
        found += _cut(orbits.altitude_km, tilted, _BAND_GAP_KM)
    return [rows for rows in found if len(rows)]


def _cut(value: npt.NDArray[np.float64], rows: Rows, gap: float) -> list[Rows]:
    """Rows in the order of a value, cut where it jumps."""
    order = rows[np.argsort(value[rows], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(value[order]) > gap) + 1)


def _cut_around(angle_deg: npt.NDArray[np.float64], rows: Rows, gap_deg: float) -> list[Rows]:
    """The same around a circle: a group across 0 degrees stays whole."""
    parts = _cut(angle_deg, rows, gap_deg)
    first, last = angle_deg[parts[0][0]], angle_deg[parts[-1][-1]]
    if len(parts) > 1 and first + 360.0 - last <= gap_deg:
        parts = [np.concatenate([parts[-1], parts[0]]), *parts[1:-1]]
    return parts


def _mean_deg(angle_deg: npt.NDArray[np.float64]) -> float:
    return float(np.degrees(np.angle(np.exp(1j * np.radians(angle_deg)).mean())) % 360.0)


def _neighbours(node_deg: npt.NDArray[np.float64]) -> tuple[tuple[int, int], ...]:
    n = len(node_deg)
    if n < 2:
        return ()
    gap_deg = (np.roll(node_deg, -1) - node_deg) % 360.0
    if n == 2:
        return ((0, 1),) if gap_deg.min() <= _WIDEST_GAP_DEG else ()
    near = gap_deg <= min(_WIDEST_GAP_DEG, _WIDE_GAPS * float(np.median(gap_deg)))
    return tuple((i, (i + 1) % n) for i in np.flatnonzero(near).tolist())
