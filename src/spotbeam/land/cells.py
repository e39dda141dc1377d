"""The ground, cut into H3 cells.

A cell's corners are H3's own. Its shape is drawn with straight edges in longitude and latitude, as
a map and RFC 7946 do; H3 itself means great circles. Up to latitude 60 the two differ by up to
1.9 km at resolution 2 and 37 m at resolution 4, so coverings hold both: a cell overlaps a territory
if either shape does, and lies in it if both do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.errors import InputError, UnknownName

Floats = npt.NDArray[np.float64]
CellIds = npt.NDArray[np.uint64]
Mode = Literal["centre", "full", "overlap"]

MODES: tuple[Mode, ...] = ("centre", "full", "overlap")
MAX_RESOLUTION = 15

# No point of a cell, nor of any descendant, is farther from the cell's centre than this many mean
# edges of its resolution (h3.average_hexagon_edge_length): 1.14 in a survey of resolutions 0 to 2,
# and edges are at most 1.19 times the mean at finer ones (h3geo.org, "Tables of cell statistics").
_REACH_EDGES = 1.5
_EARTH_RADIUS_KM = 6371.007180918475  # H3's own sphere: authalic radius of WGS 84
_PIECES_PER_EDGE = 8  # leaves 1/64 of the gap between a great circle and its chord on the map


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Some cells of one resolution, in ascending order of their ids.

    Attributes:
        cell: H3 ids, uint64, shape (n_cell,), ascending.
        lat_deg, lon_deg: centres, shape (n_cell,).
        area_km2: shape (n_cell,), on H3's sphere; the world sums to 510,065,622 km².
        resolution: 0 to 15.
    """

    cell: CellIds
    lat_deg: Floats
    lon_deg: Floats
    area_km2: Floats
    resolution: int

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, index: npt.NDArray[Any]) -> CellGrid:
        """The cells at these places, or where this mask is true."""
        return CellGrid(
            self.cell[index],
            self.lat_deg[index],
            self.lon_deg[index],
            self.area_km2[index],
            self.resolution,
        )


@dataclass(frozen=True, eq=False)
class CellBoundaries:
    """The corners of cells, one after the other, for drawing.

    Attributes:
        lat_deg, lon_deg: corners, shape (n_corner,). Within a cell the longitude runs on past 180
            or -180 rather than jump, so that each ring can be drawn as it stands.
        start: shape (n_cell + 1,); the corners of cell i are `start[i]:start[i + 1]`.
        crosses_antimeridian: shape (n_cell,); such a ring must also be drawn 360 degrees away.
        holds_pole: shape (n_cell,); such a ring goes once around and does not close on the map.
    """

    lat_deg: Floats
    lon_deg: Floats
    start: npt.NDArray[np.int64]
    crosses_antimeridian: npt.NDArray[np.bool_]
    holds_pole: npt.NDArray[np.bool_]


def cells_of_world(resolution: int) -> CellGrid:
    """Every cell of the Earth at a resolution."""
    _check_resolution(resolution)
    first = h3.get_res0_cells()
    return grid_of(h3.uncompact_cells(first, resolution) if resolution else first)


def cells_in(geometry: Any, resolution: int, mode: Mode = "centre") -> CellGrid:
    """The cells that lie in, or touch, a shape.

    Args:
        geometry: A shapely polygon or multipolygon in longitude and latitude, cut at the
            antimeridian as RFC 7946 asks.
        resolution: 0 to 15.
        mode: `centre`: the centre is inside, for maps and statistics. `full`: the whole cell is
            inside, for what is allowed. `overlap`: any point is shared, the edge included, for
            what is denied.
    """
    _check_resolution(resolution)
    if mode not in MODES:
        raise UnknownName("covering", mode, MODES)
    inside, undecided = _sift(geometry, resolution)
    grid = grid_of(undecided, resolution)
    if mode == "centre":
        chosen = shapely.contains_xy(geometry, grid.lon_deg, grid.lat_deg)
    else:
        drawn, meant = cell_polygons(grid.cell), cell_polygons(grid.cell, great_circles=True)
        if mode == "full":
            chosen = shapely.covers(geometry, drawn) & shapely.covers(geometry, meant)
        else:
            chosen = shapely.intersects(geometry, drawn) | shapely.intersects(geometry, meant)
    return grid_of(np.concatenate([inside, grid.cell[chosen]]), resolution)


def cells_near(geometry: Any, resolution: int) -> CellIds:
    """Cells that may have a point in a shape: all that have one, and some around it.

    For those who decide about each cell by other means than a geometry library, whose versions
    differ: which cells come on top does not matter then.

    Args:
        geometry: As in `cells_in`.
        resolution: 0 to 15.
    """
    _check_resolution(resolution)
    return np.unique(np.concatenate(_sift(geometry, resolution)))


def cells_in_bounds(bounds: tuple[float, float, float, float], resolution: int) -> CellGrid:
    """The cells whose centres lie within a frame, its edges included.

    Args:
        bounds: south, west, north, east, degrees; west may exceed east across the antimeridian.
        resolution: 0 to 15.
    """
    _check_resolution(resolution)
    south, west, north, east = bounds
    if not -90.0 <= south <= north <= 90.0:
        raise InputError(f"bounds: south {south} and north {north} are not in order")
    if west <= east:
        frame: Any = shapely.box(west, south, east, north)
    else:
        frame = shapely.MultiPolygon(
            [shapely.box(west, south, 180.0, north), shapely.box(-180.0, south, east, north)]
        )
    grid = grid_of(np.concatenate(_sift(frame, resolution)), resolution)
    after_west, before_east = grid.lon_deg >= west, grid.lon_deg <= east
    across = after_west & before_east if west <= east else after_west | before_east
    return grid.take(across & (grid.lat_deg >= south) & (grid.lat_deg <= north))


def grid_of(cells: npt.ArrayLike, resolution: int | None = None) -> CellGrid:
    """The grid of these cells: sorted, each once, with centres and areas.

    Args:
        cells: H3 ids of one resolution, uint64.
        resolution: what they must all have; that of the first if left out.
    """
    ids: CellIds = np.unique(np.asarray(cells, dtype=np.uint64))
    listed = ids.tolist()
    if resolution is None:
        resolution = h3.get_resolution(listed[0]) if listed else 0
    odd = ids[_resolutions(ids) != resolution]
    if len(odd):
        raise InputError(
            f"cell {h3.int_to_str(int(odd[0]))} is not of resolution {resolution}",
            hint="a grid has cells of one resolution",
        )
    centres = np.array([h3.cell_to_latlng(cell) for cell in listed], dtype=np.float64)
    lat_deg, lon_deg = centres.reshape(-1, 2).T
    area_km2 = np.array([h3.cell_area(cell) for cell in listed], dtype=np.float64)
    return CellGrid(
        ids, np.ascontiguousarray(lat_deg), np.ascontiguousarray(lon_deg), area_km2, resolution
    )


def cell_from_hex(text: str) -> int:
    """The cell that a hexadecimal id names, with or without `h3:` before it."""
    bare = text.removeprefix("h3:")
    try:
        cell = int(h3.str_to_int(bare))
    except ValueError:
        cell = 0
    if not h3.is_valid_cell(cell):
        raise InputError(
            f"{text!r} is not an H3 cell", hint="a cell id looks like h3:841ec91ffffffff"
        )
    return cell


def is_cell(text: str) -> bool:
    """Whether a hexadecimal id, with or without `h3:` before it, names a cell."""
    try:
        cell_from_hex(text)
    except InputError:
        return False
    return True


def cell_boundaries(cells: CellIds) -> CellBoundaries:
    """The corners of each cell, ready to draw."""
    ids = np.asarray(cells, dtype=np.uint64)
    rings = [h3.cell_to_boundary(cell) for cell in ids.tolist()]
    start = np.zeros(len(rings) + 1, dtype=np.int64)
    np.cumsum([len(ring) for ring in rings], out=start[1:])
    corners = np.array(list(chain.from_iterable(rings)), dtype=np.float64).reshape(-1, 2)
    lon_deg = _unwrapped(corners[:, 1], start)
    low, high = _extremes(lon_deg, start)
    poles = [
        h3.latlng_to_cell(lat, 0.0, resolution)
        for resolution in np.unique(_resolutions(ids)).tolist()
        for lat in (-90.0, 90.0)
    ]
    return CellBoundaries(
        lat_deg=np.ascontiguousarray(corners[:, 0]),
        lon_deg=lon_deg,
        start=start,
        crosses_antimeridian=(low < -180.0) | (high > 180.0),
        holds_pole=np.isin(ids, np.array(poles, dtype=np.uint64)),
    )


def cell_polygons(cells: CellIds, *, great_circles: bool = False) -> npt.NDArray[np.object_]:
    """Each cell as a shapely polygon in longitude and latitude, cut at the antimeridian.

    Args:
        cells: H3 ids.
        great_circles: follow H3's own edges, which bend on the map, by eight pieces an edge.
    """
    drawn = cell_boundaries(cells)
    lat_deg, lon_deg, start = drawn.lat_deg, drawn.lon_deg, drawn.start
    if great_circles:
        lat_deg, lon_deg, start = _along_great_circles(lat_deg, lon_deg, start)
    ring = np.repeat(np.arange(len(start) - 1), np.diff(start))
    plain = ~drawn.holds_pole[ring] & ~drawn.crosses_antimeridian[ring]
    shapes = np.empty(len(start) - 1, dtype=object)
    easy = np.flatnonzero(~drawn.holds_pole & ~drawn.crosses_antimeridian)
    if len(easy):
        at = np.searchsorted(easy, ring[plain])
        xy = np.column_stack([lon_deg[plain], lat_deg[plain]])
        shapes[easy] = shapely.polygons(shapely.linearrings(xy, indices=at))
    for i in np.flatnonzero(drawn.holds_pole | drawn.crosses_antimeridian):
        corners = slice(start[i], start[i + 1])
        if drawn.holds_pole[i]:
            shapes[i] = _polar_polygon(lat_deg[corners], lon_deg[corners])
        else:
            shapes[i] = _cut_polygon(lat_deg[corners], lon_deg[corners])
    return shapes


def _check_resolution(resolution: int) -> None:
    if not 0 <= resolution <= MAX_RESOLUTION:
        raise InputError(f"resolution {resolution} is not between 0 and {MAX_RESOLUTION}")


def _resolutions(cells: CellIds) -> npt.NDArray[np.uint64]:
    """The resolution of each cell: bits 52 to 55 of its id (h3geo.org, "H3 Index")."""
    return (cells >> np.uint64(52)) & np.uint64(15)


def _sift(geometry: Any, resolution: int) -> tuple[CellIds, CellIds]:
    """Cells that surely lie inside, and cells that the exact shapes must decide.

    Walks down from the 122 coarsest cells, keeping those whose surroundings touch the shape: the
    work goes with the shape's outline, not with the world.
    """
    shapely.prepare(geometry)
    inside: list[CellIds] = []
    cells: CellIds = np.asarray(h3.get_res0_cells(), dtype=np.uint64)
    for level in range(resolution + 1):
        if level:
            parts = [h3.cell_to_children(cell, level) for cell in cells.tolist()]
            cells = np.concatenate([np.empty(0, np.uint64), *parts])
        touches, covered = _surroundings(geometry, cells, level)
        if covered.any():
            inside.append(np.asarray(h3.uncompact_cells(cells[covered], resolution), np.uint64))
        cells = cells[touches & ~covered]
    return np.concatenate([np.empty(0, np.uint64), *inside]), cells


def _surroundings(
    geometry: Any, cells: CellIds, level: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether a box about each cell and all its descendants touches, and is covered by, a shape."""
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()]).reshape(-1, 2)
    lat, lon = centres.T
    reach_rad = _REACH_EDGES * h3.average_hexagon_edge_length(level, unit="km") / _EARTH_RADIUS_KM
    reach = np.degrees(reach_rad)
    south, north = np.maximum(lat - reach, -90.0), np.minimum(lat + reach, 90.0)
    polar = (south == -90.0) | (north == 90.0)
    sine = np.where(polar, 0.0, np.sin(reach_rad) / np.cos(np.radians(lat)))
    half = np.degrees(np.arcsin(np.minimum(sine, 1.0)))
    west = np.where(polar, -180.0, lon - half)
    east = np.where(polar, 180.0, lon + half)
    main = shapely.box(np.maximum(west, -180.0), south, np.minimum(east, 180.0), north)
    touches = shapely.intersects(geometry, main)
    covered = shapely.covers(geometry, main)
    over = (west < -180.0) | (east > 180.0)
    if over.any():
        wrapped_west = np.where(west < -180.0, west + 360.0, -180.0)[over]
        wrapped_east = np.where(west < -180.0, 180.0, east - 360.0)[over]
        rest = shapely.box(wrapped_west, south[over], wrapped_east, north[over])
        touches[over] |= shapely.intersects(geometry, rest)
        covered[over] &= shapely.covers(geometry, rest)
    return touches, covered


def _unwrapped(lon_deg: Floats, start: npt.NDArray[np.int64]) -> Floats:
    """Longitudes that run on through the antimeridian within each ring."""
    if not len(lon_deg):
        return np.empty(0)
    step = np.diff(lon_deg, prepend=lon_deg[0])
    turns = np.cumsum(-np.round(step / 360.0))
    turns -= np.repeat(turns[start[:-1]], np.diff(start))
    return np.ascontiguousarray(lon_deg + 360.0 * turns)


def _extremes(values: Floats, start: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    if not len(values):
        return np.empty(0), np.empty(0)
    return np.minimum.reduceat(values, start[:-1]), np.maximum.reduceat(values, start[:-1])


def _along_great_circles(
    lat_deg: Floats, lon_deg: Floats, start: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Rings with every edge followed along its great circle."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    xyz = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    after = np.arange(1, len(lat) + 1)
    after[start[1:] - 1] = start[:-1]
    share = (np.arange(_PIECES_PER_EDGE) / _PIECES_PER_EDGE)[:, np.newaxis]
    # Points of the chord seen from the Earth's centre: not evenly spaced, but on the great circle.
    chord = xyz[:, np.newaxis, :] * (1.0 - share) + xyz[after][:, np.newaxis, :] * share
    chord = chord.reshape(-1, 3)
    dense_lat = np.degrees(np.arctan2(chord[:, 2], np.hypot(chord[:, 0], chord[:, 1])))
    dense_lon = np.degrees(np.arctan2(chord[:, 1], chord[:, 0]))
    # The corners themselves stay as H3 gives them, to the last bit.
    dense_lat[::_PIECES_PER_EDGE] = lat_deg
    base = np.repeat(lon_deg, _PIECES_PER_EDGE)
    dense_lon += 360.0 * np.round((base - dense_lon) / 360.0)
    dense_lon[::_PIECES_PER_EDGE] = lon_deg
    return dense_lat, dense_lon, start * _PIECES_PER_EDGE


def _cut_polygon(lat_deg: Floats, lon_deg: Floats) -> Any:
    whole = shapely.Polygon(np.column_stack([lon_deg, lat_deg]))
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        frame = shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0)
        for part in shapely.get_parts(shapely.intersection(whole, frame)):
            if shapely.area(part) > 0.0:
                corners = shapely.get_coordinates(part)
                parts.append(shapely.Polygon(corners - np.array([turn, 0.0])))
    return shapely.MultiPolygon(parts)


def _polar_polygon(lat_deg: Floats, lon_deg: Floats) -> Any:
    """The ring around a pole, closed along the map's edges."""
    pole = 90.0 if lat_deg[0] > 0.0 else -90.0
    around = (lon_deg + 180.0) % 360.0 - 180.0
    order = np.argsort(around)
    lon, lat = around[order], lat_deg[order]
    seam = np.interp(180.0, [lon[-1], lon[0] + 360.0], [lat[-1], lat[0]])
    return shapely.Polygon(
        [
            (-180.0, pole),
            (-180.0, seam),
            *zip(lon, lat, strict=True),
            (180.0, seam),
            (180.0, pole),
        ]
    )
