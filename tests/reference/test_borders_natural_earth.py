"""The packaged borders against other editions of Natural Earth, simplified by others."""

from __future__ import annotations

import collections
import json
import lzma

import numpy as np
import pytest
import shapely

from spotbeam.land import borders, views

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def tree() -> shapely.STRtree:
    land = borders.piece_geometries()
    shapely.prepare(land)
    return shapely.STRtree(land)


def test_every_feature_is_where_natural_earth_has_it(shared_data):
    """A point in each of the 4,596 features lies in the piece of the same code, or nearly."""
    path = shared_data / "territories" / "ne_10m_admin_1_world_simplified.geojson.xz"
    features = json.loads(lzma.decompress(path.read_bytes()))["features"]
    codes = {feature["properties"]["adm1_code"] for feature in features}
    own: dict[str, list[shapely.Geometry]] = {code: [] for code in codes}
    for piece, outline in zip(borders.pieces(), borders.piece_geometries(), strict=True):
        key = piece.id
        while key and key not in codes:  # a piece cut out of a feature carries a suffix
            key = key.rpartition("-")[0]
        if key:
            own[key].append(outline)
    far = {}
    for feature in features:
        code = feature["properties"]["adm1_code"]
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        point = shapely.point_on_surface(shape)
        # Both outlines are simplified, by up to 0.02 degrees each.
        slack = max(0.0, 0.02 - shapely.distance(point, shape.boundary))
        distance = shapely.distance(own[code], point).min()
        if distance > slack:
            far[code] = distance
    assert far == {}


def test_countries_are_those_of_the_coarser_map(shared_data, tree):
    """De facto, at random points 20 km inside the map units of Natural Earth's 1:50m."""
    path = shared_data / "territories" / "ne_50m_admin_0_map_units.geojson"
    features = json.loads(path.read_bytes())["features"]
    units = [f for f in features if f["properties"].get("iso_a2")]
    rng = np.random.default_rng(4)
    lat = np.degrees(np.arcsin(rng.uniform(-0.85, 0.99, 60_000)))
    lon = rng.uniform(-180, 180, 60_000)
    points = shapely.points(lon, lat)
    cores = [shapely.from_geojson(json.dumps(f["geometry"])).buffer(-0.2) for f in units]
    found = shapely.STRtree(points).query(np.array(cores), predicate="contains")
    seen = views.view("de_facto")
    where = dict(zip(*tree.query(points, predicate="intersects"), strict=True))
    differ: collections.Counter[tuple[str, str]] = collections.Counter()
    for unit, point in found.T.tolist():
        code = units[unit]["properties"]["iso_a2"]
        ids = seen.territories_of(where[point]) if point in where else ("sea",)
        if code not in ids:
            differ[code, "/".join(i for i in ids if "-" not in i)] += 1
    assert len(found.T) > 12_000
    # Fjords that 1:50m fills in; and Baikonur, which Russia administers under lease.
    assert {pair for pair in differ if pair[1] != "sea"} == {("KZ", "RU")}
    assert differ.total() < 6, differ


def test_belts_agree_with_territorial_seas_of_openstreetmap(shared_data, tree):
    """Random points at sea within 12 nautical miles, against land and territorial sea by OSM.

    Not alike by nature: OpenStreetMap draws from baselines, and leaves Greece 6 miles.
    """
    path = shared_data / "territories" / "osm_maritime_12nm_1000m.geojson.xz"
    features = json.loads(lzma.decompress(path.read_bytes()))["features"]
    theirs = shapely.make_valid([shapely.from_geojson(json.dumps(f)) for f in features])
    rng = np.random.default_rng(3)
    lat = np.degrees(np.arcsin(rng.uniform(-0.9, 0.97, 300_000)))
    points = shapely.points(rng.uniform(-180, 180, 300_000), lat)
    at_sea = np.ones(len(points), dtype=bool)
    at_sea[tree.query(points, predicate="intersects")[0]] = False
    points = points[at_sea]
    of_piece, outlines = borders.belts()
    seen = views.view("de_facto")
    ours = collections.defaultdict(set)
    sea = shapely.STRtree(points)
    for belt, point in sea.query(outlines, predicate="contains").T.tolist():
        ours[point].update(seen.territories_of(of_piece[belt]))
    osm = collections.defaultdict(set)
    for feature, point in sea.query(theirs, predicate="contains").T.tolist():
        osm[point].add(features[feature]["properties"].get("isoA2"))
    both = [point for point in ours if point in osm]
    assert len(ours) > 6000
    assert len(both) > 0.97 * len(ours)
    # Dependencies that OpenStreetMap counts with their sovereign are most of the rest.
    assert np.mean([bool(ours[point] & osm[point]) for point in both]) > 0.98
