"""Build the packaged sea belts from the packaged borders.

    python scripts/build_belts.py

Writes `src/spotbeam/land/data/belts.parquet`: for each piece with a coast its *reach*, the ground
and water within 12 nautical miles (22.224 km, geodesic on WGS 84) of that coast. The belt of a
piece is the part of its reach that is on no land; leaving the land in keeps the file small, and
keeps belt and coast from disagreeing by a sliver. Run it again whenever `borders.parquet` changes.

On land the outline of a reach means nothing, so it is thinned there as far as it stays on land.

Coast is every edge of a piece that no other piece shares, but for the edges that exist only
because maps end: the antimeridian and the pole. All that is no piece is sea, so the Caspian is
sea too; lakes are land, as Natural Earth has them. Baselines, bays, opposite coasts and treaties
are not considered: a belt is derived, not a delimitation, and belts of neighbours overlap.

The coast is cut in chunks of about 150 km; each is buffered in an azimuthal equidistant
projection about its own centre, where lengths at its rim are wrong by 1 part in 10,000 at most.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyproj
import shapely
from build_borders import edge_owners, write_geometries

from spotbeam.land.borders import piece_geometries, pieces

DATA = Path(__file__).parent.parent / "src" / "spotbeam" / "land" / "data"

BELT_M = 22_224.0
CHUNK_DEG = 1.3
QUADRANT_SEGMENTS = 10
# A polygon inscribed in a circle lies inside it by up to `SAGITTA_M`; half of it outward centres
# the error about zero.
SAGITTA_M = BELT_M * (1 - np.cos(np.pi / 4 / QUADRANT_SEGMENTS))
THINNED_M = 30.0
BELT_SCALE = 10_000  # stored units per degree: 1e-4 degrees, 11 m


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the packaged sea belts.")
    parser.add_argument("--out", type=Path, default=DATA)
    options = parser.parse_args()

    segments, owner, other = edge_owners(piece_geometries())
    coast = (other < 0) & ~map_edge(segments)
    segments, owner = segments[coast], owner[coast]
    land = shapely.STRtree(piece_geometries())
    reaches = []
    for piece in np.unique(owner):
        reaches.append(reach(segments[owner == piece], land))
        if piece % 100 == 0:
            print(piece, flush=True)
    keys = [pieces()[piece].id for piece in np.unique(owner)]
    check(reaches)
    path = options.out / "belts.parquet"
    write_geometries(path, {"id": keys}, np.array(reaches, dtype=object), BELT_SCALE)


def map_edge(segments: np.ndarray) -> np.ndarray:
    """Edges along the antimeridian or the poles."""
    lon, lat = segments[..., 0], segments[..., 1]
    return (np.abs(lon) == 180).all(axis=1) | (np.abs(lat) == 90).any(axis=1)


def reach(segments: np.ndarray, land: shapely.STRtree) -> shapely.Geometry:
    """All within 12 nautical miles of the edges: a MultiPolygon, cut at the antimeridian."""
    middle = segments.mean(axis=1)
    row = np.floor(middle[:, 1] / CHUNK_DEG)
    width = CHUNK_DEG / np.cos(np.radians(np.minimum((np.abs(row) + 1) * CHUNK_DEG, 88)))
    chunk = np.stack([row, np.floor(middle[:, 0] / width)], axis=1)
    parts = []
    for here in np.unique(chunk, axis=0):
        parts.extend(chunk_reach(segments[(chunk == here).all(axis=1)]))
    whole = polygons(shapely.set_precision(thinned(shapely.union_all(parts)), 1 / BELT_SCALE))
    coarse = polygons(shapely.set_precision(thinned_on_land(whole, land), 1 / BELT_SCALE))
    near = land.geometries[land.query(whole, predicate="intersects")]
    at_sea = shapely.difference(
        shapely.symmetric_difference(whole, coarse), shapely.union_all(near)
    )
    # Where the rounded outline crosses the coast the two may differ by a few metres.
    if coarse.is_valid and shapely.area(at_sea) < 1e-6:
        return coarse
    return whole


def polygons(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


def chunk_reach(segments: np.ndarray) -> list[shapely.Geometry]:
    lon, lat = segments.mean(axis=(0, 1))
    local = pyproj.Proj(proj="aeqd", lat_0=lat, lon_0=lon, ellps="WGS84")
    lines = shapely.line_merge(shapely.MultiLineString(list(segments)))
    # Straight in longitude and latitude is not straight in the projection.
    lines = shapely.segmentize(lines, 0.1)
    flat = shapely.transform(lines, lambda xy: np.stack(local(*xy.T), axis=1))
    grown = shapely.buffer(flat, BELT_M + SAGITTA_M / 2, quad_segs=QUADRANT_SEGMENTS)
    grown = shapely.segmentize(grown, 10_000.0)

    def back(xy: np.ndarray) -> np.ndarray:
        out = np.stack(local(*xy.T, inverse=True), axis=1)
        out[:, 0] = lon + (out[:, 0] - lon + 180) % 360 - 180
        return out

    there = shapely.transform(grown, back)
    parts = []
    for turn in (-360, 0, 360):
        inside = shapely.intersection(there, shapely.box(turn - 180, -90, turn + 180, 90))
        if not inside.is_empty:
            parts.append(shapely.transform(inside, lambda xy, t=turn: xy - [t, 0]))
    return parts


def thinned(geometry: shapely.Geometry) -> shapely.Geometry:
    """Without the vertices that matter less than 30 m."""
    squeeze = np.array([np.cos(np.radians(shapely.centroid(geometry).y)), 1])
    flat = shapely.transform(geometry, lambda xy: xy * squeeze)
    flat = shapely.simplify(flat, THINNED_M / 111_320)
    return shapely.transform(flat, lambda xy: xy / squeeze)


def thinned_on_land(geometry: shapely.Geometry, land: shapely.STRtree) -> shapely.Geometry:
    """The outline with only the vertices that it needs to stay on land where it is on land."""
    near = shapely.union_all(land.geometries[land.query(geometry, predicate="intersects")])
    shapely.prepare(near)
    outline = shapely.boundary(geometry)
    lines = [shapely.difference(outline, near)]
    for line in shapely.get_parts(shapely.line_merge(shapely.intersection(outline, near))):
        if line.geom_type != "LineString":
            continue
        for tolerance_deg in (1.0, 0.2, 0.04, 0.008, 0.0):
            thin = shapely.simplify(line, tolerance_deg)
            # The ends lie on the coast, and so may stick out of the land by a rounding.
            if tolerance_deg == 0 or shapely.length(shapely.difference(thin, near)) < 1e-9:
                break
        lines.append(thin)
    return shapely.build_area(shapely.union_all(lines))


def check(reaches: list[shapely.Geometry]) -> None:
    bad = [g for g in reaches if g.is_empty or not g.is_valid]
    if bad:
        raise SystemExit(f"{len(bad)} reaches are empty or invalid")


if __name__ == "__main__":
    main()
