"""From the round Earth to a flat picture: the projection and the rings that go on it.

A region lies on Lambert's azimuthal equal-area projection around its own middle, which has neither
a seam nor a pole to stumble over; the world lies on Equal Earth. Both keep areas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.land.cells import CellBoundaries, CellGrid, cell_boundaries, cell_polygons

Floats = npt.NDArray[np.float64]
EARTH_RADIUS_KM = 6371.0  # IUGG mean radius; a picture's scale bar needs no more

# Beyond this angle from its middle a region is drawn as the world: shapes get too long.
_REGION_LIMIT_DEG = 62.0

# Šavrič, Patterson and Jenny, "The Equal Earth map projection", IJGIS 33 (2018), equation 1.
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_ROOT3 = np.sqrt(3.0)


class Rings(NamedTuple):
    """Closed outlines on the picture, one after the other.

    Attributes:
        x, y: corners in units of the Earth's radius, shape (n_corner,).
        start: shape (n_ring + 1,); ring i is `start[i]:start[i + 1]`.
        owner: shape (n_ring,): which cell the ring belongs to.
    """

    x: Floats
    y: Floats
    start: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]

    def of(self, chosen: npt.NDArray[np.bool_]) -> Rings:
        """The rings of the chosen cells (a mask over cells)."""
        keep = np.flatnonzero(chosen[self.owner])
        length = np.diff(self.start)[keep]
        start = np.zeros(len(keep) + 1, dtype=np.int64)
        np.cumsum(length, out=start[1:])
        index = np.repeat(self.start[keep] - start[:-1], length) + np.arange(start[-1])
        return Rings(self.x[index], self.y[index], start, self.owner[keep])


@dataclass(frozen=True)
class Frame:
    """A projection and the window of it that the picture shows, in units of the Earth's radius."""

    kind: Literal["region", "world"]
    lat_0_deg: float
    lon_0_deg: float
    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        return self.east - self.west

    @property
    def height(self) -> float:
        return self.north - self.south

    @property
    def name(self) -> str:
        """The projection, as a caption says it."""
        if self.kind == "world":
            return "Equal Earth projection"
        lat, lon = round(abs(self.lat_0_deg), 1), round(abs(self.lon_0_deg), 1)
        return (
            f"Lambert azimuthal equal-area projection around {lat:g}° "
            f"{'S' if self.lat_0_deg < 0 else 'N'}, {lon:g}° {'W' if self.lon_0_deg < 0 else 'E'}"
        )

    def bar_km(self) -> float:
        """Length of a scale bar: the largest 1, 2, 5, 10 … km below a fifth of the width."""
        fifth_km = self.width * EARTH_RADIUS_KM / 5.0
        power = 10.0 ** float(np.floor(np.log10(fifth_km)))
        below = [s * power for s in (1.0, 2.0, 5.0) if s * power <= fifth_km * (1 + 1e-12)]
        return float(max(below))

    def project(self, lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
        """Places to picture coordinates; NaN for places too far away to be drawn."""
        if self.kind == "world":
            return equal_earth(lat_deg, lon_deg)
        return lambert_equal_area(lat_deg, lon_deg, self.lat_0_deg, self.lon_0_deg)

    def outline(self) -> tuple[Floats, Floats]:
        """The edge of the map: the frame of a region, the rim of the world."""
        if self.kind == "region":
            x = np.array([self.west, self.east, self.east, self.west, self.west])
            y = np.array([self.south, self.south, self.north, self.north, self.south])
            return x, y
        up = np.linspace(-90.0, 90.0, 181)
        lat = np.concatenate([up, up[::-1]])
        lon = np.concatenate([np.full(181, 180.0), np.full(181, -180.0)])
        return equal_earth(lat, lon)


def frame_of(cells: CellGrid) -> Frame:
    """The projection and window that show all of these cells."""
    lat, lon = np.radians(cells.lat_deg), np.radians(cells.lon_deg)
    xyz = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    middle = xyz.mean(axis=0)
    length = float(np.linalg.norm(middle))
    middle = middle / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    reach_deg = float(np.degrees(np.arccos(np.clip((xyz @ middle).min(), -1.0, 1.0))))
    if reach_deg > _REGION_LIMIT_DEG:
        x, y = equal_earth(np.array([0.0, 90.0]), np.array([180.0, 0.0]))
        return Frame("world", 0.0, 0.0, -float(x[0]), -float(y[1]), float(x[0]), float(y[1]))
    lat_0 = float(np.degrees(np.arcsin(np.clip(middle[2], -1.0, 1.0))))
    lon_0 = float(np.degrees(np.arctan2(middle[1], middle[0])))
    corners = cell_boundaries(cells.cell)
    x, y = lambert_equal_area(corners.lat_deg, corners.lon_deg, lat_0, lon_0)
    west, east, south, north = x.min(), x.max(), y.min(), y.max()
    pad = 0.012 * max(east - west, north - south)
    return Frame(
        "region",
        lat_0,
        lon_0,
        float(west - pad),
        float(south - pad),
        float(east + pad),
        float(north + pad),
    )


def lambert_equal_area(
    lat_deg: Floats, lon_deg: Floats, lat_0_deg: float, lon_0_deg: float
) -> tuple[Floats, Floats]:
    """Lambert's azimuthal equal-area projection of the unit sphere.

    Snyder, "Map projections: a working manual", USGS Professional Paper 1395 (1987), equations
    22-4, 24-2, 24-13 and 24-14. NaN beyond 120 degrees from the middle.
    """
    lat, lon = np.radians(lat_deg), np.radians(lon_deg - lon_0_deg)
    lat_0 = np.radians(lat_0_deg)
    cosine = np.sin(lat_0) * np.sin(lat) + np.cos(lat_0) * np.cos(lat) * np.cos(lon)
    far = cosine < -0.5
    scale = np.sqrt(2.0 / (1.0 + np.where(far, 1.0, cosine)))
    x = scale * np.cos(lat) * np.sin(lon)
    y = scale * (np.cos(lat_0) * np.sin(lat) - np.sin(lat_0) * np.cos(lat) * np.cos(lon))
    return np.where(far, np.nan, x), np.where(far, np.nan, y)


def equal_earth(lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
    """The Equal Earth projection of the unit sphere, around the meridian of Greenwich.

    Šavrič, Patterson and Jenny (2018), equations 1 and 2. Longitudes beyond ±180 run on past the
    rim, so that a ring across the antimeridian can be drawn at both ends and clipped.
    """
    theta = np.arcsin(_ROOT3 / 2.0 * np.sin(np.radians(lat_deg)))
    square = theta * theta
    sixth = square**3
    slope = 9 * _A4 * sixth * square + 7 * _A3 * sixth + 3 * _A2 * square + _A1
    x = 2.0 * _ROOT3 / 3.0 * np.radians(lon_deg) * np.cos(theta) / slope
    y = theta * (_A1 + _A2 * square + sixth * (_A3 + _A4 * square))
    return x, y


def cell_rings(frame: Frame, cells: CellGrid) -> Rings:
    """The outlines of all cells on the picture.

    A cell across the antimeridian of a world picture comes twice, once at each rim.
    """
    corners = cell_boundaries(cells.cell)
    owner = np.arange(len(cells.cell), dtype=np.int64)
    if frame.kind == "region":
        x, y = frame.project(corners.lat_deg, corners.lon_deg)
        return Rings(x, y, corners.start, owner)
    plain = _rings_where(corners, ~corners.holds_pole, 0.0)
    parts = [plain]
    across = corners.crosses_antimeridian & ~corners.holds_pole
    parts += [_rings_where(corners, across, turn) for turn in (-360.0, 360.0)]
    for index in np.flatnonzero(corners.holds_pole):
        outline = np.array(cell_polygons(cells.cell[[index]])[0].exterior.coords)[:-1]
        x, y = equal_earth(outline[:, 1], outline[:, 0])
        parts.append(Rings(x, y, np.array([0, len(x)]), np.array([index])))
    return _joined(parts)


def _rings_where(corners: CellBoundaries, chosen: npt.NDArray[np.bool_], turn_deg: float) -> Rings:
    whole = Rings(
        corners.lat_deg, corners.lon_deg, corners.start, np.arange(len(chosen), dtype=np.int64)
    ).of(chosen)
    x, y = equal_earth(whole.x, whole.y + turn_deg)
    return Rings(x, y, whole.start, whole.owner)


def _joined(parts: list[Rings]) -> Rings:
    offset = np.cumsum([0, *(len(part.x) for part in parts)])
    starts = [part.start[:-1] + at for part, at in zip(parts, offset[:-1], strict=True)]
    return Rings(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([*starts, offset[-1:]]).astype(np.int64),
        np.concatenate([part.owner for part in parts]),
    )
