"""Discs on the ground: what they cannot leave, and whether an edge comes near enough.

A disc is geodesic on WGS 84: every point within a distance of its centre. Distances are compared as
straight lines through the Earth. How much longer the way along the ground is depends on the
direction; a sphere of the mean radius there is used for all, which is off by 1 cm at 100 km and by
the third power of the distance. Edges are followed as they run, straight in longitude and latitude.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from spotbeam.kernels.lookup.raster import (
    BLOCK,
    BLOCK_COLUMNS,
    COLUMNS,
    PER_DEGREE,
    ROWS,
    column_of,
    row_of,
)
from spotbeam.units import WGS84_ECCENTRICITY_SQUARED, WGS84_EQUATORIAL_RADIUS_KM

A_M = WGS84_EQUATORIAL_RADIUS_KM * 1000.0
E2 = WGS84_ECCENTRICITY_SQUARED
LEAST_RADIUS_M = A_M * (1.0 - E2)  # of the meridian at the equator: no curvature is sharper
RAD = math.pi / 180.0

# Degrees of longitude for a degree of latitude, at most, by row; 1 % more for the bend of circles,
# which is right up to latitude 80 and a degree's reach. Elsewhere the sine rule is used.
_ROW_EDGE_DEG = np.abs(np.arange(ROWS + 1) / PER_DEGREE - 90.0)
_WIDENING = 1.01 / np.cos(
    np.radians(np.minimum(np.maximum(_ROW_EDGE_DEG[1:], _ROW_EDGE_DEG[:-1]), 89.0))
)


@njit(cache=True, nogil=True)
def frame_of(y: float, x: float, radius_m: float) -> tuple[int, int, int, int]:
    """Rows (first, last) and columns (first, last) that a disc cannot leave.

    Columns run on past the map's edges; all of them are meant if they are 0 to COLUMNS - 1.
    """
    # No centre of curvature sees the disc under a wider angle.
    reach = radius_m * ((1.0 + 1e-9) / LEAST_RADIUS_M) + 1e-12
    reach_deg = reach * (1.0 / RAD)
    south, north = y - reach_deg, y + reach_deg
    first_row = row_of(south) if south > -90.0 else 0
    last_row = min(row_of(north), ROWS - 1) if north < 90.0 else ROWS - 1
    half_deg = 180.0
    if reach_deg < 1.0 and abs(y) < 80.0:
        half_deg = reach_deg * _WIDENING[row_of(y)]
    elif south > -90.0 and north < 90.0:
        # The widest turn from which a small circle on the sphere is seen from its pole. That of
        # the ellipsoid is less: its parallels are longer.
        half_deg = math.asin(min(math.sin(reach) / math.cos(y * RAD), 1.0)) / RAD
    if half_deg > 179.0:
        return first_row, last_row, 0, COLUMNS - 1
    return first_row, last_row, column_of(x - half_deg), column_of(x + half_deg)


@njit(cache=True, nogil=True)
def is_in_whole_block(
    block: Any, first_row: int, last_row: int, first_column: int, last_column: int
) -> bool:
    """Whether a frame lies in one block that no segment touches: so it is for most discs."""
    row, column = first_row // BLOCK, first_column // BLOCK
    is_one = (row == last_row // BLOCK) & (column == last_column // BLOCK)
    column += BLOCK_COLUMNS * (int(column < 0) - int(column >= BLOCK_COLUMNS))
    return bool(is_one & (block[row * BLOCK_COLUMNS + column] >= 0))


@njit(cache=True, nogil=True)
def is_plain(
    block: Any,
    fine: Any,
    first_row: int,
    last_row: int,
    first_column: int,
    last_column: int,
) -> bool:
    """Whether no segment runs in a small frame; False, without a look, for a large one."""
    if last_row - first_row > BLOCK or last_column - first_column > BLOCK:
        return False
    for block_row in range(first_row // BLOCK, last_row // BLOCK + 1):
        for block_column in range(first_column // BLOCK, last_column // BLOCK + 1):
            value = np.int64(block[block_row * BLOCK_COLUMNS + block_column % BLOCK_COLUMNS])
            if value >= 0:
                continue
            base = (-1 - value) * BLOCK * BLOCK
            row0, column0 = block_row * BLOCK, block_column * BLOCK
            for row in range(max(row0, first_row), min(row0 + BLOCK - 1, last_row) + 1):
                at = base + (row - row0) * BLOCK - column0
                for column in range(
                    max(column0, first_column), min(column0 + BLOCK - 1, last_column) + 1
                ):
                    if fine[at + column] < 0:
                        return False
    return True


@njit(cache=True, nogil=True)
def scale_m(y: float) -> tuple[float, float, float]:
    """Metres a degree of latitude, and of longitude, at a latitude; and its tangent, unsigned."""
    sine, cosine = math.sin(y * RAD), math.cos(y * RAD)
    w2 = 1.0 - E2 * sine * sine
    across = A_M / math.sqrt(w2)
    tangent = abs(sine) / max(cosine, 1e-9)
    return across * (1.0 - E2) / w2 * RAD, across * cosine * RAD, tangent


@njit(cache=True, nogil=True)
def flat_square(ax: float, ay: float, bx: float, by: float) -> float:
    """The squared distance from the origin to a segment of the plane."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(max(-(ax * dx + ay * dy) / square, 0.0), 1.0)
    x, y = ax + t * dx, ay + t * dy
    return x * x + y * y


@njit(cache=True, nogil=True)
def is_near(
    lat: float,
    lon: float,
    lat_a: float,
    lon_a: float,
    lat_b: float,
    lon_b: float,
    radius_m: float,
) -> bool:
    """Whether a short edge comes within a distance of a place. All angles in radians."""
    px, py, pz, radius = _place_m(lat, lon)
    chord = 2.0 * radius * math.sin(min(0.5 * radius_m / radius, 0.5 * math.pi))
    ax, ay, az, _ = _place_m(lat_a, lon_a)
    bx, by, bz, _ = _place_m(lat_b, lon_b)
    dx, dy, dz = bx - ax, by - ay, bz - az
    square = dx * dx + dy * dy + dz * dz
    along = (px - ax) * dx + (py - ay) * dy + (pz - az) * dz
    t = min(max(along / square, 0.0), 1.0) if square > 0.0 else 0.0
    straight = math.sqrt(
        (ax + t * dx - px) ** 2 + (ay + t * dy - py) ** 2 + (az + t * dz - pz) ** 2
    )
    # How far the edge can bend away from the straight line between its ends: an eighth of the
    # second derivative along it.
    span = abs(lat_b - lat_a) + abs(lon_b - lon_a)
    bend = 0.125 * span * span * 1.01 * A_M
    if straight > chord + bend:
        return False
    if straight <= chord - bend:
        return True
    # The nearest point of the edge itself: the distance falls before it and rises after it.
    low, high = 0.0, 1.0
    for _ in range(30):
        t = 0.5 * (low + high)
        qx, qy, qz, slope = _point_and_slope(lat_a, lon_a, lat_b, lon_b, t, px, py, pz)
        if slope > 0.0:
            high = t
        else:
            low = t
    best = math.inf
    for t in (0.0, 0.5 * (low + high), 1.0):
        qx, qy, qz, _ = _point_and_slope(lat_a, lon_a, lat_b, lon_b, t, px, py, pz)
        best = min(best, math.sqrt((qx - px) ** 2 + (qy - py) ** 2 + (qz - pz) ** 2))
    return bool(best <= chord)


@njit(cache=True, nogil=True)
def _place_m(lat: float, lon: float) -> tuple[float, float, float, float]:
    """ECEF position at height 0, metres, and the mean radius of curvature there; radians in."""
    sine, cosine = math.sin(lat), math.cos(lat)
    w2 = 1.0 - E2 * sine * sine
    across = A_M / math.sqrt(w2)  # radius of curvature in the prime vertical
    mean = across * math.sqrt((1.0 - E2) / w2)
    level = across * cosine
    return (
        level * math.cos(lon),
        level * math.sin(lon),
        across * (1.0 - E2) * sine,
        mean,
    )


@njit(cache=True, nogil=True)
def _point_and_slope(
    lat_a: float,
    lon_a: float,
    lat_b: float,
    lon_b: float,
    t: float,
    px: float,
    py: float,
    pz: float,
) -> tuple[float, float, float, float]:
    """A point of an edge, and how fast half the squared distance to a place grows there."""
    lat, lon = lat_a + t * (lat_b - lat_a), lon_a + t * (lon_b - lon_a)
    sin_lat, cos_lat, sin_lon, cos_lon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    w2 = 1.0 - E2 * sin_lat * sin_lat
    across = A_M / math.sqrt(w2)
    qx, qy = across * cos_lat * cos_lon, across * cos_lat * sin_lon
    qz = across * (1.0 - E2) * sin_lat
    north = (lat_b - lat_a) * across * (1.0 - E2) / w2
    east = (lon_b - lon_a) * across * cos_lat
    slope = (
        (qx - px) * (-sin_lat * cos_lon * north - sin_lon * east)
        + (qy - py) * (-sin_lat * sin_lon * north + cos_lon * east)
        + (qz - pz) * cos_lat * north
    )
    return qx, qy, qz, slope
