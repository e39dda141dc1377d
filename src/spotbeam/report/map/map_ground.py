"""Coasts, borders and names, ready to be drawn under and over the cells of a picture."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.land import borders, views
from spotbeam.land.territories import Ground
from spotbeam.report.map.projection import Floats, Frame

# Detail below this share of the picture's width cannot be seen.
_TOLERANCE = 1.0 / 2500.0


class Label(NamedTuple):
    """A name on the map: where it stands, the radius of the free room around it, and of what."""

    x: float
    y: float
    room: float
    text: str
    of: Literal["country", "disputed", "own"]


class MapGround(NamedTuple):
    """What a map shows beside its cells, in the frame's coordinates.

    Attributes:
        land: Outlines of land within the frame, shape (n, 2) each.
        coasts: Lines between land and sea.
        borders: Lines between countries, from the run's point of view.
        disputed: Lines around land on which states differ.
        own: Outlines of the user's own territories.
        labels: Names of countries and disputed lands; none on a picture of the world.
    """

    land: list[Floats]
    coasts: list[Floats]
    borders: list[Floats]
    disputed: list[Floats]
    own: list[Floats]
    labels: list[Label]


class _Outlines(NamedTuple):
    """Rings of many pieces, flattened: vertices in order, with the ring and piece of each."""

    xy: Floats
    ring: npt.NDArray[np.int64]
    piece: npt.NDArray[np.int64]


def map_ground(frame: Frame, ground: Ground) -> MapGround:
    """The ground that a picture shows, from its point of view."""
    shapes = shapely.orient_polygons(borders.piece_geometries())
    outlines = _outlines(shapes)
    x, y = frame.project(outlines.xy[:, 1], outlines.xy[:, 0])
    drawn = np.column_stack([x, y])
    kinds = _line_kinds(outlines, _holders(ground.view), _lands())
    kinds[~_near(frame, drawn)] = _HIDDEN
    land = _land(frame, shapes)
    own = _own_shapes(frame, ground)
    labels = _labels(frame, land, own, ground) if frame.kind == "region" else []
    return MapGround(
        land=[ring for _, polygon in land for ring in _rings(polygon, frame)],
        coasts=_polylines(frame, outlines, drawn, kinds == _COAST),
        borders=_polylines(frame, outlines, drawn, kinds == _BORDER),
        disputed=_polylines(frame, outlines, drawn, kinds == _DISPUTED),
        own=[ring for _, shape in own for ring in _rings(shape, frame)],
        labels=labels,
    )


def _holders(view: str) -> list[tuple[str, ...]]:
    """Which countries cover each piece, from a point of view."""
    seen = views.view(view)
    return [
        tuple(name for name in seen.territories_of(index) if len(name) == 2)
        for index in range(len(borders.pieces()))
    ]


def _lands() -> list[str]:
    """The disputed land that each piece is part of, empty for most."""
    return ["" if land is None else land.id for land in borders.land_of_pieces()]


def _outlines(shapes: npt.NDArray[np.object_]) -> _Outlines:
    parts, piece = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    return _Outlines(xy, ring, piece[part[ring]])


_HIDDEN, _INNER, _COAST, _BORDER, _DISPUTED = range(5)


def _line_kinds(
    outlines: _Outlines, holders: list[tuple[str, ...]], lands: list[str]
) -> npt.NDArray[np.int8]:
    """What the line from each vertex to the next one divides.

    Neighbouring pieces share their border vertex by vertex, so a line that stands in two outlines
    lies between those two pieces; the second of them is hidden, so that none is drawn twice.
    """
    xy = outlines.xy
    n = len(xy)
    _, point = np.unique(_grid_numbers(xy), return_inverse=True)
    after = np.roll(point, -1)
    same_ring = outlines.ring == np.roll(outlines.ring, -1)
    key = np.minimum(point, after) * np.int64(n) + np.maximum(point, after)
    key[~same_ring] = -np.arange(1, n + 1)[~same_ring]
    _, first, line, count = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(line, kind="stable")
    last = order[np.cumsum(count) - 1]
    one, other = outlines.piece[first], outlines.piece[last]
    names = {value: number for number, value in enumerate(dict.fromkeys(holders))}
    holder = np.array([names[value] for value in holders])
    land_names = {value: number for number, value in enumerate(dict.fromkeys(lands))}
    land = np.array([land_names[value] for value in lands])
    kind = np.full(len(first), _INNER, dtype=np.int8)
    kind[holder[one] != holder[other]] = _BORDER
    kind[land[one] != land[other]] = _DISPUTED
    kind[count == 1] = _COAST
    kinds = np.full(n, _HIDDEN, dtype=np.int8)
    kinds[first] = kind
    kinds[~same_ring] = _HIDDEN
    # The cut at the antimeridian and Antarctica's lower edge are of the file, not of the Earth.
    seam = np.abs(np.abs(xy[:, 0]) - 180.0) < 1e-6
    foot = xy[:, 1] < -89.99
    kinds[(seam & np.roll(seam, -1)) | (foot & np.roll(foot, -1))] = _HIDDEN
    return kinds


def _grid_numbers(xy: Floats) -> npt.NDArray[np.int64]:
    """Vertices as integers, a ten-millionth of a degree apart: equal ones get equal numbers."""
    units = np.rint((xy + np.array([180.0, 90.0])) * 1e7).astype(np.int64)
    number: npt.NDArray[np.int64] = units[:, 0] * np.int64(2**31) + units[:, 1]
    return number


def _near(frame: Frame, drawn: Floats) -> npt.NDArray[np.bool_]:
    """Which lines, from a vertex to the next, may show in the frame."""
    pad = 0.02 * frame.width
    after = np.roll(drawn, -1, axis=0)
    low, high = np.fmin(drawn, after), np.fmax(drawn, after)
    whole = np.isfinite(drawn).all(axis=1) & np.isfinite(after).all(axis=1)
    shown = whole & (high[:, 0] > frame.west - pad) & (low[:, 0] < frame.east + pad)
    near: npt.NDArray[np.bool_] = (
        shown & (high[:, 1] > frame.south - pad) & (low[:, 1] < frame.north + pad)
    )
    return near


def _polylines(
    frame: Frame, outlines: _Outlines, drawn: Floats, chosen: npt.NDArray[np.bool_]
) -> list[Floats]:
    """The chosen lines, joined along their rings and without detail that nobody could see."""
    starts = np.flatnonzero(chosen & ~np.roll(chosen, 1))
    stops = np.flatnonzero(chosen & ~np.roll(chosen, -1)) + 1
    lines = [drawn[start : stop + 1] for start, stop in zip(starts, stops, strict=True)]
    if not lines:
        return []
    # The box of a picture of the world is the world: nothing to cut there.
    shapes: Any = shapely.linestrings(
        np.concatenate(lines),
        indices=np.repeat(np.arange(len(lines)), [len(line) for line in lines]),
    )
    if frame.kind == "region":
        shapes = shapely.clip_by_rect(shapes, *_box(frame))
    shapes = shapely.simplify(shapes, frame.width * _TOLERANCE, preserve_topology=False)
    parts = shapely.get_parts(shapes)
    return [shapely.get_coordinates(part) for part in parts if not shapely.is_empty(part)]


def _box(frame: Frame) -> tuple[float, float, float, float]:
    pad = 0.01 * frame.width
    return (frame.west - pad, frame.south - pad, frame.east + pad, frame.north + pad)


def _land(frame: Frame, shapes: npt.NDArray[np.object_]) -> list[tuple[int, Any]]:
    """Each piece's land within the frame: its index and its shape on the picture."""
    parts, piece = shapely.get_parts(shapes, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    x, y = frame.project(xy[:, 1], xy[:, 0])
    box = _box(frame)
    first = np.searchsorted(part, np.arange(len(parts)))
    # A part that reaches too far away to be drawn is NaN somewhere, and NaN is never greater.
    shown = np.maximum.reduceat(x, first) > box[0]
    shown &= np.minimum.reduceat(x, first) < box[2]
    shown &= np.maximum.reduceat(y, first) > box[1]
    shown &= np.minimum.reduceat(y, first) < box[3]
    parts, piece = parts[shown], piece[shown]
    keep = shown[part]
    drawn = shapely.set_coordinates(parts.copy(), np.column_stack([x, y])[keep])
    if frame.kind == "region":
        drawn = shapely.clip_by_rect(drawn, *box)
    found = zip(piece.tolist(), drawn, strict=True)
    return [(index, shape) for index, shape in found if not shapely.is_empty(shape)]


def _rings(polygon: Any, frame: Frame) -> list[Floats]:
    simple = shapely.simplify(polygon, frame.width * _TOLERANCE, preserve_topology=True)
    return [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(simple))]


def _own_shapes(frame: Frame, ground: Ground) -> list[tuple[str, Any]]:
    """The user's own territories within the frame: name and shape on the picture."""
    known = {row.id for row in borders.disputed_lands()}
    found = []
    for name in ground.ids():
        if not name.startswith("x-") or name in known or name.endswith("/sea"):
            continue
        # Edges are straight in longitude and latitude: short steps keep them so on the picture.
        fine = shapely.segmentize(ground.geometry(name), 0.25)
        drawn = _land(frame, np.array([fine], dtype=object))
        found += [(ground.name_of(name), shape) for _, shape in drawn]
    return found


def _labels(
    frame: Frame, land: list[tuple[int, Any]], own: list[tuple[str, Any]], ground: Ground
) -> list[Label]:
    """A name in the largest room of each country and of each disputed land, if there is room."""
    holders, lands = _holders(ground.view), borders.land_of_pieces()
    shapes: dict[tuple[str, Literal["country", "disputed", "own"]], list[Any]] = {}
    for piece, shape in land:
        disputed = lands[piece]
        if disputed is not None:
            shapes.setdefault((_short(disputed.title), "disputed"), []).append(shape)
        elif len(holders[piece]) == 1:
            shapes.setdefault((ground.name_of(holders[piece][0]), "country"), []).append(shape)
    for name, shape in own:
        shapes.setdefault((name, "own"), []).append(shape)
    window = shapely.box(frame.west, frame.south, frame.east, frame.north)
    labels = []
    for (text, of), parts in shapes.items():
        whole = shapely.intersection(shapely.union_all(shapely.make_valid(np.array(parts))), window)
        largest = max(shapely.get_parts(whole), key=shapely.area, default=None)
        if largest is None or largest.area < (frame.width / 60.0) ** 2:
            continue
        circle = shapely.maximum_inscribed_circle(largest, tolerance=frame.width / 400.0)
        middle, rim = shapely.get_coordinates(circle)
        room = float(np.hypot(*(rim - middle)))
        labels.append(Label(float(middle[0]), float(middle[1]), room, text, of))
    return sorted(labels, key=lambda label: (-label.room, label.text))


def _short(title: str) -> str:
    """A title without what follows a comma or a bracket: the map has little room."""
    return re.split(r",| \(", title)[0]
