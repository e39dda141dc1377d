"""Whether rings of positions are the polygons that they claim to be. Nothing is repaired.

A border decides who is served, so a shape that could be read in two ways is refused, with the
place, the value and the fix. Edges are straight in the plane of longitude and latitude
(RFC 7946, section 3.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.errors import TerritoryError
from spotbeam.formats.source_bytes import SourceBytes
from spotbeam.formats.strict_json import place

Positions = npt.NDArray[np.float64]
Rings = Sequence[Positions]

_REASON = re.compile(r"(?P<what>[^\[]+)\[(?P<lon>\S+) (?P<lat>\S+)\]")
_COUNTED_EDGES = 64
_SAMPLED_EDGES = 128
_ANTIMERIDIAN_HINT = (
    "cut it at the antimeridian into a MultiPolygon, with positions at 180 and at -180 "
    "(RFC 7946, section 3.1.9)"
)
_POLE_HINT = (
    "a ring around a pole has no inside in longitude and latitude: start at [-180, lat], run to "
    "[180, lat], then over [180, ±90] and [-180, ±90] back to the start"
)


class Limits(msgspec.Struct, frozen=True):
    """How much a territory file may hold; the whole border file of the world fits four times."""

    bytes: int = 64 * 1024 * 1024
    depth: int = 32
    features: int = 10_000
    rings: int = 50_000
    positions: int = 500_000
    # Pairs of edges whose boxes overlap: what checking validity costs, about 40 ns a pair.
    edge_pairs: int = 100_000_000
    # The same for dissolving features into one, which also keeps every crossing in memory.
    dissolved_edge_pairs: int = 4_000_000

    @property
    def values(self) -> int:
        """JSON values: a position has at most three numbers, a bracket and a comma after it."""
        return 8 * self.positions


class Part(NamedTuple):
    """A shape in a file, with what the file calls it."""

    shape: Any  # shapely Polygon or MultiPolygon, checked
    path: str
    id_text: str | None
    id_path: str
    name: str | None


class ShapeChecks:
    """Checks the shapes of one file, and counts what they hold against the limits."""

    def __init__(self, source: SourceBytes, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self._rings = 0
        self._positions = 0

    def fail(self, message: str, path: str, hint: str) -> NoReturn:
        """Refuse the file for what stands at a path in it."""
        raise TerritoryError(message, place=place(self.source, path), hint=hint)

    def count_ring(self, positions: int, path: str) -> None:
        """Count a ring against the limits before it is looked at."""
        self._rings += 1
        self._positions += positions
        if self._rings > self.limits.rings:
            self.fail(f"more than {self.limits.rings} rings", path, "split the file")
        if self._positions > self.limits.positions:
            self.fail(
                f"more than {self.limits.positions} positions",
                path,
                "simplify the shapes, or split the file",
            )

    def polygon(self, rings: Rings, path: str) -> shapely.Polygon:
        """The polygon of an outer ring and its holes, each checked by itself.

        Args:
            rings: Arrays of shape (n, 2): longitude and latitude, degrees.
            path: Where the polygon stands; ring r is at `path[r]`.
        """
        for index, ring in enumerate(rings):
            self._check_ring(ring, f"{path}[{index}]")
        return shapely.Polygon(rings[0], rings[1:])

    def whole(self, polygons: list[shapely.Polygon], path: str, *, several: bool) -> Any:
        """One geometry of these polygons, checked together.

        Args:
            polygons: From `polygon`.
            path: Where they stand.
            several: They are a MultiPolygon, and polygon p is at `path[p]`.
        """
        shape = shapely.multipolygons(polygons) if several else polygons[0]
        if self.edge_pairs(shape) > self.limits.edge_pairs:
            self.fail(
                "its edges are so long and so close together that checking them would take minutes",
                path,
                "simplify the shape, or cut it into parts",
            )
        if not shapely.is_valid(shape):
            for index, polygon in enumerate(polygons):
                self._explain_polygon(polygon, f"{path}[{index}]" if several else path)
            self._explain_overlap(shape, polygons, path)
        return shape

    def edge_pairs(self, shape: Any) -> float:
        """About how many pairs of edges have overlapping boxes, from a sample of edges.

        The sample is drawn from the file's own digest, so nobody can lay edges between it and
        the same file always gets the same answer.
        """
        rings = _rings_of(shape)
        ends = shapely.get_coordinates(rings)
        ring_of = np.repeat(np.arange(len(rings)), shapely.get_num_coordinates(rings))
        joined = ring_of[1:] == ring_of[:-1]
        low = np.minimum(ends[:-1], ends[1:])[joined]
        high = np.maximum(ends[:-1], ends[1:])[joined]
        n = len(low)
        if n * n / 2 <= self.limits.dissolved_edge_pairs:
            return n * n / 2
        # The few longest may outweigh all others, so they are counted and not sampled.
        by_length = np.argsort((low - high).sum(axis=1), kind="stable")
        longest, others = by_length[:_COUNTED_EDGES], by_length[_COUNTED_EDGES:]
        rng = np.random.default_rng(int(self.source.sha256[:16], 16))
        sample = rng.choice(others, size=_SAMPLED_EDGES)

        def overlaps(edges: npt.NDArray[np.int64]) -> int:
            return sum(
                int(np.count_nonzero(((low <= high[edge]) & (high >= low[edge])).all(axis=1)))
                for edge in edges
            )

        return overlaps(longest) + overlaps(sample) / _SAMPLED_EDGES * len(others) / 2

    def _check_ring(self, ring: Positions, path: str) -> None:
        self._check_range(ring, path)
        if len(ring) < 4:
            self.fail(
                f"a ring of {len(ring)} positions encloses nothing",
                path,
                "a ring has four or more positions, the last one equal to the first",
            )
        if not np.array_equal(ring[0], ring[-1]):
            self.fail(
                f"the ring is not closed: it begins at {_point(ring[0])} "
                f"and ends at {_point(ring[-1])}",
                f"{path}[{len(ring) - 1}]",
                "repeat the first position at the end",
            )
        if len(np.unique(ring, axis=0)) < 3:
            self.fail(
                f"the ring encloses no area: it has {len(np.unique(ring, axis=0))} different "
                f"positions, the first {_point(ring[0])}",
                path,
                "remove it, or give it three or more different positions",
            )
        self._check_edges(ring, path)

    def _check_range(self, ring: Positions, path: str) -> None:
        lon, lat = ring[:, 0], ring[:, 1]
        good = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)  # NaN is not good
        if good.all():
            return
        index = int(np.argmin(good))
        lon_deg, lat_deg = ring[index].tolist()
        at = f"{path}[{index}]"
        if not np.isfinite(ring[index]).all():
            self.fail(f"{_point(ring[index])} is not finite", at, "write finite numbers")
        if abs(lat_deg) > 180 or abs(lon_deg) > 360:
            hint = "these look like projected coordinates: reproject to WGS 84 (OGC:CRS84)"
        elif abs(lat_deg) > 90 >= abs(lon_deg):
            hint = "is latitude written first? GeoJSON writes longitude, then latitude"
        else:
            hint = "longitudes run from -180 to 180: subtract 360, and " + _ANTIMERIDIAN_HINT
        if abs(lat_deg) > 90:
            self.fail(f"latitude {lat_deg!r} is not within -90..90", f"{at}[1]", hint)
        self.fail(f"longitude {lon_deg!r} is not within -180..180", f"{at}[0]", hint)

    def _check_edges(self, ring: Positions, path: str) -> None:
        step = np.diff(ring[:, 0])
        wide = np.flatnonzero(np.abs(step) > 180)
        for index in wide:
            if not _along_the_frame(ring, int(index)):
                wrapped = np.where(np.abs(step) > 180, step - np.sign(step) * 360, step)
                around_pole = round(float(wrapped.sum()) / 360) != 0
                start, end = _point(ring[index]), _point(ring[index + 1])
                self.fail(
                    f"the edge from {start} to {end} spans {abs(step[index]):g} degrees of "
                    "longitude: does it cross the antimeridian or go around the globe?",
                    f"{path}[{index}]",
                    _POLE_HINT if around_pole else _ANTIMERIDIAN_HINT,
                )

    def _explain_polygon(self, polygon: shapely.Polygon, path: str) -> None:
        """Refuse a polygon that is not valid by itself, naming ring and position."""
        rings = _rings_of(polygon)
        for index, ring in enumerate(rings):
            alone = shapely.polygons(ring)
            if shapely.is_valid(alone):
                continue
            at = f"{path}[{index}]"
            if shapely.area(shapely.convex_hull(ring)) == 0:
                self.fail("the ring encloses no area: it lies on a line", at, "remove it")
            what, point = _reason(alone)
            verb = "touches" if what.startswith("Ring") else "crosses"
            self.fail(
                f"the ring {verb} itself at {_point(point)}",
                f"{at}[{_edge_at(ring, point)}]",
                "split it there into polygons that do not cross",
            )
        if shapely.is_valid(polygon):
            return
        what, point = _reason(polygon)
        holes = rings[1:]
        hole = int(np.argmin(shapely.distance(holes, shapely.Point(point))))
        message, hint = {
            "Hole lies outside shell": (
                "the hole lies outside the outer ring",
                "move it inside, or write it as a polygon of its own",
            ),
            "Holes are nested": ("the hole lies within another hole", "remove the inner hole"),
            "Interior is disconnected": (
                "the holes cut the polygon into separate parts",
                "write the parts as polygons of a MultiPolygon",
            ),
        }.get(
            what,
            (
                "the hole crosses or runs along another ring",
                "keep holes inside the outer ring and apart from one another",
            ),
        )
        self.fail(f"{message}, at {_point(point)}", f"{path}[{hole + 1}]", hint)

    def _explain_overlap(self, shape: Any, polygons: list[shapely.Polygon], path: str) -> NoReturn:
        what, point = _reason(shape)
        near = np.argsort(shapely.distance(polygons, shapely.Point(point)), kind="stable")[:2]
        first, second = sorted(int(index) for index in near)
        relation = "lies within" if what == "Nested shells" else "overlaps or shares an edge with"
        self.fail(
            f"polygon {second} {relation} polygon {first}, at {_point(point)}",
            f"{path}[{second}]",
            "join the two into one polygon, or keep them apart",
        )


def _rings_of(shape: Any) -> npt.NDArray[np.object_]:
    rings: npt.NDArray[np.object_] = shapely.get_rings(shapely.get_parts(shape))
    return rings


def _along_the_frame(ring: Positions, index: int) -> bool:
    """Whether a wide edge is part of a planar box, not a slip at the antimeridian.

    It is if it runs along a pole's edge of the plane, or from -180 to 180 along a parallel where
    the ring comes from and goes on along the antimeridian itself.
    """
    (lon_a, lat_a), (lon_b, lat_b) = ring[index].tolist(), ring[index + 1].tolist()
    if {lon_a, lon_b} != {-180.0, 180.0} or lat_a != lat_b:
        return False
    if abs(lat_a) == 90:
        return True
    before = ring[index - 1] if index else ring[-2]
    after = ring[index + 2] if index + 2 < len(ring) else ring[1]
    return bool(before[0] == lon_a and after[0] == lon_b)


def _reason(shape: Any) -> tuple[str, tuple[float, float]]:
    """Why a geometry is not valid, and where."""
    text = str(shapely.is_valid_reason(shape))
    found = _REASON.fullmatch(text)
    if not found:
        point = shapely.get_coordinates(shape)[0]
        return text, (float(point[0]), float(point[1]))
    return found["what"], (float(found["lon"]), float(found["lat"]))


def _edge_at(ring: Any, point: tuple[float, float]) -> int:
    """The index of the position at which the edge nearest to a point begins."""
    ends = shapely.get_coordinates(ring)
    edges = shapely.linestrings(np.stack([ends[:-1], ends[1:]], axis=1))
    return int(np.argmin(shapely.distance(edges, shapely.Point(point))))


def _point(position: Any) -> str:
    return f"[{float(position[0])!r}, {float(position[1])!r}]"
