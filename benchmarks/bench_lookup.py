"""Points to territories: Spotbeam beside GeoPandas and shapely, same polygons, same answers.

Run it from the repository: `python benchmarks/bench_lookup.py [--quick]`.

Every contender joins a million points to the pieces of land and the sea belts; belts cover land
too, there as here, so the work is the same. All answers are compared before anything is timed.
"""

from __future__ import annotations

import sys
import time

import geopandas
import numpy as np
import shapely
from pyproj import Geod
from side_by_side import compare, machine

from spotbeam.kernels.lookup.build import Lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.land import borders, territories


def uniform(count, rng):
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    return lat, rng.uniform(-180.0, 180.0, count)


def near_borders(count, rng):
    """Within 20 km of a corner of a border or coast."""
    corners = shapely.get_coordinates(borders.piece_geometries())
    lon, lat = corners[rng.integers(0, len(corners), count)].T
    turn, away_m = rng.uniform(0.0, 360.0, count), rng.uniform(0.0, 20_000.0, count)
    lon, lat, _ = Geod(ellps="WGS84").fwd(lon, lat, turn, away_m)
    return np.asarray(lat), np.asarray(lon)


def main() -> None:
    count = 100_000 if "--quick" in sys.argv else 1_000_000
    rng = np.random.default_rng(1)
    began = time.process_time()
    ground = territories.ground("un")
    first = time.process_time() - began
    lookup: Lookup = ground.lookup
    territories._lookup.cache_clear()
    territories._ground.cache_clear()
    began = time.process_time()
    territories.ground("un")
    again = time.process_time() - began
    print(f"{len(borders.pieces()):,} pieces of land and {len(borders.belts()[0]):,} sea belts,")
    print(
        f"{len(lookup.faces):,} faces of outlines, {len(ground.face_territories):,} of territories"
    )
    print(f"set up in {first:.2f} s CPU with the borders read, {again:.2f} s without;")
    print(f"{lookup.nbytes / 1e6:.0f} MB. {machine()}")

    outlines = np.concatenate([borders.piece_geometries(), borders.belts()[1]])
    parts, whole = shapely.get_parts(outlines, return_index=True)
    frame = geopandas.GeoDataFrame({"region": np.arange(len(outlines))}, geometry=outlines)
    exploded = geopandas.GeoDataFrame({"region": whole}, geometry=parts)
    final = np.arange(len(lookup.faces), dtype=np.int32)
    for name, points in (
        ("uniform", uniform(count, rng)),
        ("near borders", near_borders(count, rng)),
    ):
        lat, lon = points

        def joined(lat=lat, lon=lon):
            points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat))
            return geopandas.sjoin(points, frame, predicate="within")

        def reversed_tree(lat=lat, lon=lon):
            part, point = shapely.STRtree(shapely.points(lon, lat)).query(parts, "contains")
            return whole[part], point

        ready = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat))

        def joined_to_parts(ready=ready):
            return geopandas.sjoin(ready, exploded, predicate="within")

        faces = locate(lookup.raster, final, lat, lon)
        size = np.array([len(regions) for regions in lookup.faces])
        held = np.array([region for regions in lookup.faces for region in regions], dtype=np.int64)
        first_of = np.concatenate([[0], np.cumsum(size)])
        of_point = np.repeat(np.arange(count), size[faces])
        step = np.arange(len(of_point)) - np.repeat(
            np.cumsum(size[faces]) - size[faces], size[faces]
        )
        ours = set(
            zip(of_point.tolist(), held[first_of[faces][of_point] + step].tolist(), strict=True)
        )
        which, point = reversed_tree()
        theirs = set(zip(point.tolist(), which.tolist(), strict=True))
        join = joined()
        join_pairs = set(zip(join.index.tolist(), join["region"].tolist(), strict=True))
        print(
            f"\n{name}: {len(ours):,} pairs of point and outline; different from the reversed "
            f"tree: {len(ours ^ theirs)}, from GeoPandas: {len(ours ^ join_pairs)}"
        )
        compare(
            {
                "spotbeam Ground.locate": lambda lat=lat, lon=lon: ground.locate(lat, lon),
                "geopandas sjoin": joined,
                "geopandas sjoin, points ready, multipolygons taken apart": joined_to_parts,
                "shapely, tree of points": reversed_tree,
            },
            repeats=5,
            items=(count, "points"),
            title=f"{count:,} points, {name}",
        )
        compare(
            {
                f"discs of {radius:g} m": lambda lat=lat, lon=lon, r=radius: ground.touched(
                    lat, lon, r
                )
                for radius in (0.0, 100.0, 1_000.0, 10_000.0)
            },
            repeats=5,
            items=(count, "discs"),
            title=f"{count:,} discs, {name}",
        )


if __name__ == "__main__":
    main()
