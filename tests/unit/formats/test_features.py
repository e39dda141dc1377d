"""A user's own territories: good files mean what they say, broken ones are refused in one line."""

from __future__ import annotations

import hashlib
import json
import lzma
import resource
import struct
import sys

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spotbeam.errors import TerritoryError
from spotbeam.formats.shape_checks import Limits
from spotbeam.formats.source_bytes import SourceBytes
from spotbeam.formats.territory_files import read_territories, territories_from

SQUARE = [[30, 45], [40, 45], [40, 50], [30, 50], [30, 45]]
HOLE = [[32, 46], [32, 47], [33, 47], [33, 46], [32, 46]]


def source(text: str | bytes, name: str = "own.geojson") -> SourceBytes:
    data = text.encode() if isinstance(text, str) else text
    return SourceBytes(name, data, hashlib.sha256(data).hexdigest())


def read(value, **options):
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    return territories_from(source(text), **options)


def refused(value, **options) -> TerritoryError:
    with pytest.raises(TerritoryError) as caught:
        read(value, **options)
    assert caught.value.exit_code == 2
    assert caught.value.place.startswith("own.geojson")
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400
    return caught.value


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*polygons):
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def feature(geometry, **members):
    return {"type": "Feature", "properties": None, "geometry": geometry, **members}


def collection(*features, **members):
    return {"type": "FeatureCollection", "features": list(features), **members}


def box(west, south, east, north):
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


# --- what is read -------------------------------------------------------------------------------


def test_a_polygon_with_a_hole_is_read_as_it_is_written():
    (own,) = read(collection(feature(polygon(SQUARE, HOLE), properties={"name": "Steppe"})))
    assert (own.id, own.name, own.source) == ("x-steppe", "Steppe", "own.geojson")
    assert own.geometry.equals_exact(shapely.Polygon(SQUARE, [HOLE]), 0)
    text = json.dumps(collection(feature(polygon(SQUARE, HOLE), properties={"name": "Steppe"})))
    assert own.sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("value", [polygon(SQUARE), feature(polygon(SQUARE)), multi([SQUARE])])
def test_a_bare_geometry_takes_its_id_from_the_file(value):
    (own,) = read(value)
    assert (own.id, own.name) == ("x-own", "x-own")
    assert own.geometry.equals(shapely.box(30, 45, 40, 50))


def test_either_winding_is_accepted():
    (own,) = read(polygon(SQUARE[::-1], HOLE[::-1]))
    assert own.geometry.area == pytest.approx(49)


def test_heights_are_passed_over_and_big_texts_do_not_matter():
    ring = [[*position, 120.5] for position in SQUARE]
    note = 'brackets and "quotes" \\' + "[{" * 1000
    (own,) = read(feature(polygon(ring), properties={"note": note}))
    assert own.geometry.area == 50
    assert not own.geometry.has_z


def test_ids_come_from_the_property_then_the_feature_then_the_name_then_the_file():
    owns = read(
        collection(
            feature(polygon(box(0, 0, 1, 1)), id=7, properties={"id": "x-a", "name": "A"}),
            feature(polygon(box(2, 0, 3, 1)), id=7, properties={"id": None, "name": "Seven"}),
            feature(polygon(box(4, 0, 5, 1)), properties={"name": "Île d’Été"}),
            feature(polygon(box(6, 0, 7, 1)), properties={"id": "UA-43"}),
            feature(polygon(box(8, 0, 9, 1))),
        )
    )
    assert [own.id for own in owns] == ["x-a", "x-7", "x-ile-dete", "x-ua-43", "x-own"]
    assert [own.name for own in owns] == ["A", "Seven", "Île d’Été", "x-ua-43", "x-own"]


def test_features_with_one_id_are_one_territory_even_where_they_touch_or_overlap():
    apart = [feature(polygon(box(x, 0, x + 1, 1)), properties={"id": "x-a"}) for x in (0, 2)]
    (own,) = read(collection(*apart))
    assert own.geometry.area == 2
    neighbours = [feature(polygon(box(x, 0, x + 1.5, 1)), id="x-a") for x in (0, 1)]
    (own,) = read(collection(*neighbours))
    assert own.geometry.equals(shapely.box(0, 0, 2.5, 1))


def test_a_default_id_stands_for_all_but_ids_of_ones_own():
    owns = read(
        collection(
            feature(polygon(box(0, 0, 1, 1)), id=0, properties={"name": "North"}),
            feature(polygon(box(2, 0, 3, 1)), id=1, properties={"name": "South"}),
            feature(polygon(box(4, 0, 5, 1)), id="x-other"),
            feature(polygon(box(6, 0, 7, 1))),
        ),
        default_id="x-front",
    )
    assert [(own.id, own.name) for own in owns] == [
        ("x-front", "North, South"),
        ("x-other", "x-other"),
    ]
    assert owns[0].geometry.area == 3


def test_the_antimeridian_and_the_poles_are_read_where_they_are_written_as_planar_boxes():
    fiji = multi([box(177, -19, 180, -16)], [box(-180, -19, -178, -16)])
    antarctica = polygon([[-180, -90], [180, -90], [180, -70], [0, -60], [-180, -70], [-180, -90]])
    band = polygon(box(-180, -60, 180, 60))
    areas = [read(value)[0].geometry.area for value in (fiji, antarctica, band)]
    assert areas == [3 * 3 + 2 * 3, 360 * 20 + 360 * 10 / 2, 360 * 120]


def test_crs84_written_out_and_one_collection_of_polygons_are_read():
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    shapes = {
        "type": "GeometryCollection",
        "geometries": [polygon(SQUARE), multi([box(0, 0, 1, 1)])],
    }
    assert read(collection(feature(shapes), crs=crs))[0].geometry.area == 51


# --- what is refused: (value, place after the file's name, words of the message, words of the fix)

BOW_TIE = [[30, 45], [40, 50], [40, 45], [30, 50], [30, 45]]
SHAPES = {
    "bow-tie": (
        collection(feature(polygon(SQUARE)), feature(multi([SQUARE], [BOW_TIE]))),
        "features[1].geometry.coordinates[1][0][0]",
        "crosses itself at [35.0, 47.5]",
        "split",
    ),
    "ring touches itself": (
        polygon([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]]),
        "coordinates[0]",
        "itself at [2.0, 0.0]",
        "split",
    ),
    "open ring": (
        polygon(SQUARE[:-1]),
        "coordinates[0][3]",
        "begins at [30.0, 45.0] and ends at [30.0, 50.0]",
        "repeat the first position",
    ),
    "three positions": (polygon([[0, 0], [1, 1], [0, 0]]), "coordinates[0]", "3 positions", "four"),
    "empty ring": (polygon([]), "coordinates[0]", "0 positions", "four"),
    "no rings": (polygon(), "coordinates", "without rings", "outer ring"),
    "no polygons": (multi(), "coordinates", "no polygons", "at least one"),
    "one point again and again": (
        polygon([[5, 5]] * 6),
        "coordinates[0]",
        "1 different positions, the first [5.0, 5.0]",
        "three or more",
    ),
    "a line": (polygon([[0, 0], [1, 1], [3, 3], [0, 0]]), "coordinates[0]", "on a line", "remove"),
    "there and back": (
        polygon([[0, 0], [1, 1], [0, 0], [0, 0]]),
        "coordinates[0]",
        "area",
        "three",
    ),
    "spike": (
        polygon([[0, 0], [4, 0], [4, 4], [6, 6], [4, 4], [0, 4], [0, 0]]),
        "coordinates[0]",
        "itself at",
        "split",
    ),
    "hole outside": (
        polygon(SQUARE, box(50, 46, 51, 47)),
        "coordinates[1]",
        "outside the outer ring, at [50.0",
        "inside",
    ),
    "hole crosses": (
        polygon(SQUARE, HOLE, box(39, 46, 41, 47)),
        "coordinates[2]",
        "crosses or runs along another ring, at [40.0",
        "apart",
    ),
    "hole runs along": (
        polygon(SQUARE, box(39, 46, 40, 47)),
        "coordinates[1]",
        "runs along",
        "apart",
    ),
    "hole in hole": (
        polygon(SQUARE, box(31, 45.5, 39, 49), HOLE),
        "coordinates[2]",
        "within another hole",
        "inner hole",
    ),
    "holes cut in two": (
        polygon(box(0, 0, 10, 10), [[5, 0], [8, 5], [5, 10], [5, 5], [5, 0]], box(1, 1, 2, 2)),
        "coordinates[1]",
        "cut the polygon",
        "MultiPolygon",
    ),
    "bad hole": (polygon(SQUARE, BOW_TIE), "coordinates[1][0]", "crosses itself", "split"),
    "overlap": (
        multi([SQUARE], [box(0, 0, 1, 1)], [box(35, 40, 36, 46)]),
        "coordinates[2]",
        "polygon 2 overlaps or shares an edge with polygon 0, at [3",
        "join",
    ),
    "shared edge": (multi([SQUARE], [box(40, 46, 41, 47)]), "coordinates[1]", "edge", "join"),
    "nested": (multi([SQUARE], [HOLE]), "coordinates[1]", "lies within polygon 0", "join"),
    "twice": (multi([SQUARE], [SQUARE]), "coordinates[1]", "polygon 1", "join"),
    "overlap in a collection": (
        {"type": "GeometryCollection", "geometries": [polygon(SQUARE), polygon(HOLE)]},
        "geometries[1]",
        "polygon 1",
        "join",
    ),
    "latitude first": (
        polygon([[45, 30], [45, 140], [50, 140], [50, 30], [45, 30]]),
        "coordinates[0][1][1]",
        "latitude 140.0",
        "longitude, then latitude",
    ),
    "just too far north": (
        polygon(box(0, 0, 1, 90.000001)),
        "coordinates[0][2][1]",
        "90.000001",
        "",
    ),
    "0 to 360": (
        polygon(box(170, 0, 190, 1)),
        "coordinates[0][1][0]",
        "longitude 190.0",
        "subtract",
    ),
    "projected": (
        polygon(box(3500000, 5600000, 3500100, 5600100)),
        "coordinates[0][0][1]",
        "latitude 5600000.0",
        "reproject",
    ),
    "1e308": (
        polygon([*SQUARE[:2], [1e308, -1e308], *SQUARE[2:]]),
        "coordinates[0][2][1]",
        "1e+308",
        "reproject",
    ),
    "integer past floats": (
        json.dumps(polygon(SQUARE)).replace("40", "4" + "0" * 320, 1),
        "coordinates[0][1][0]",
        "321 digits",
        "shorter",
    ),
    "integer past every float": (
        json.dumps(polygon(SQUARE)).replace("40", "4" + "0" * 299, 1),
        "coordinates[0][1][0]",
        "longitude 4e+299",
        "reproject",
    ),
    "across the antimeridian": (
        collection(
            feature(polygon([[178, -19], [-178, -19], [-178, -16], [178, -16], [178, -19]]))
        ),
        "features[0].geometry.coordinates[0][0]",
        "from [178.0, -19.0] to [-178.0, -19.0] spans 356 degrees",
        "cut it at the antimeridian",
    ),
    "a jump from 180 to -180": (
        polygon([[170, 5], [180, 0], [-180, 0], [-170, 5], [-180, 10], [180, 10], [170, 5]]),
        "coordinates[0][1]",
        "spans 360 degrees",
        "cut it at the antimeridian",
    ),
    "around the pole": (
        polygon([[0, 80], [90, 80], [180, 80], [-90, 80], [0, 80]]),
        "coordinates[0][2]",
        "spans 270 degrees",
        "a ring around a pole",
    ),
    "around the pole, closed on the frame": (
        polygon([[-180, -70], [-90, -70], [0, -70], [90, -70], [180, -70], [-180, -70]]),
        "coordinates[0][4]",
        "spans 360 degrees",
        "a ring around a pole",
    ),
    "point": ({"type": "Point", "coordinates": [1, 2]}, "", "a Point has no area", "Polygon"),
    "line": (
        feature({"type": "LineString", "coordinates": SQUARE}),
        "geometry",
        "a LineString has no area",
        "MultiPolygon",
    ),
    "nested collections": (
        {
            "type": "GeometryCollection",
            "geometries": [
                polygon(SQUARE),
                {"type": "GeometryCollection", "geometries": [polygon(SQUARE)]},
            ],
        },
        "geometries[1]",
        "within a GeometryCollection",
        "MultiPolygon",
    ),
    "empty collection of geometries": (
        {"type": "GeometryCollection", "geometries": []},
        "geometries",
        "empty",
        "MultiPolygon",
    ),
    "no features": (collection(), "features", "no features", "add"),
    "null geometry": (collection(feature(None)), "features[0].geometry", "null", "remove"),
    "geometry missing": (
        collection({"type": "Feature", "properties": {}}),
        "features[0]",
        "no 'geometry'",
        "add",
    ),
    "geometry as feature": (
        collection(polygon(SQUARE)),
        "features[0].type",
        '"Polygon" is not a type',
        "Feature",
    ),
    "misspelt type": (
        feature({"type": "polygon", "coordinates": [SQUARE]}),
        "geometry.type",
        '"polygon"',
        "did you mean 'Polygon'",
    ),
    "no type": ({"coordinates": [SQUARE]}, "the top", "no 'type'", "FeatureCollection"),
    "topojson": ({"type": "Topology", "objects": {}}, "type", "TopoJSON", "GeoJSON"),
    "not an object": ([SQUARE], "", "is not an object", "FeatureCollection"),
    "feature not an object": (collection("here"), "features[0]", '"here"', "Feature"),
    "no coordinates": ({"type": "Polygon"}, "the top", "no 'coordinates'", "add"),
    "coordinates null": (
        {"type": "Polygon", "coordinates": None},
        "coordinates",
        "null is not an array",
        "array",
    ),
    "too shallow": (
        {"type": "Polygon", "coordinates": SQUARE},
        "coordinates[0][0]",
        "30 is not a position",
        "longitude, latitude",
    ),
    "too deep": (
        {"type": "Polygon", "coordinates": [[SQUARE]]},
        "coordinates[0][0]",
        "a position of 5 numbers",
        "longitude, latitude",
    ),
    "text for a number": (
        polygon([*SQUARE[:1], ["40", 45], *SQUARE[2:]]),
        "coordinates[0][1][0]",
        '"40" is not a number',
        "degrees",
    ),
    "true for a number": (
        polygon([*SQUARE[:1], [40, True], *SQUARE[2:]]),
        "coordinates[0][1][1]",
        "true is not a number",
        "degrees",
    ),
    "null for a number": (
        polygon([*SQUARE[:1], [None, 45], *SQUARE[2:]]),
        "coordinates[0][1][0]",
        "null is not a number",
        "degrees",
    ),
    "one number": (
        polygon([*SQUARE[:3], [40], *SQUARE[3:]]),
        "coordinates[0][3]",
        "a position of 1 numbers",
        "height",
    ),
    "four numbers": (
        polygon([*SQUARE[:3], [40, 50, 1, 2], *SQUARE[3:]]),
        "coordinates[0][3]",
        "a position of 4 numbers",
        "height",
    ),
    "old crs": (
        collection(
            feature(polygon(SQUARE)),
            crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}},
        ),
        "crs",
        "EPSG::3857",
        "reproject",
    ),
    "crs within": (
        feature({**polygon(SQUARE), "crs": {"type": "link", "properties": {"href": "x"}}}),
        "geometry.crs",
        "RFC 7946",
        "remove 'crs'",
    ),
    "crs null": ({**polygon(SQUARE), "crs": None}, "crs", "null", "remove 'crs'"),
    "two shapes": (
        {**feature(polygon(SQUARE)), "coordinates": [HOLE]},
        "coordinates",
        "which shape is meant",
        "'geometry' only",
    ),
    "id is a list": (
        collection(feature(polygon(SQUARE), id=[1])),
        "features[0].id",
        "[1] is not a text",
        "text",
    ),
    "id without letters": (
        collection(feature(polygon(SQUARE), properties={"id": "Крим"})),
        "features[0].properties.id",
        "does not make an id",
        "x-front-line",
    ),
    "two ids that become one": (
        collection(feature(polygon(SQUARE), id="A b"), feature(polygon(HOLE), id="a-b")),
        "features[1].id",
        "both become 'x-a-b'",
        "x-a-b-2",
    ),
    "properties no object": (
        feature(polygon(SQUARE), properties=[1]),
        "properties",
        "not an object",
        "null",
    ),
    "name with a control character": (
        feature(polygon(SQUARE), id="x-a", properties={"name": "a\x1b[31m"}),
        "",
        "control character",
        "remove",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_broken_shape_is_refused_with_place_value_and_fix(case):
    value, place, message, hint = SHAPES[case]
    error = refused(value)
    if place not in ("", "the top"):
        assert error.place.startswith(f"own.geojson, {place}")
    assert message in error.message
    assert hint in error.hint


GOOD = json.dumps(collection(feature(polygon(SQUARE), id="x-a")))
TEXTS = {
    "empty": ("", "own.geojson", "is empty"),
    "blank": (" \n\t", "own.geojson", "is empty"),
    "cut off": (GOOD[:-20], "own.geojson, line 1", "not valid JSON"),
    "trailing junk": (GOOD + "\n]", "own.geojson, line 2, column 1", "something follows"),
    "a feature a line": (f"{GOOD}\n{GOOD}", "own.geojson, line 2, column 1", "something follows"),
    "byte-order mark": (b"\xef\xbb\xbf" + GOOD.encode(), "own.geojson", "byte-order mark"),
    "UTF-16": (GOOD.encode("utf-16"), "own.geojson", "UTF-16"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "own.geojson", "UTF-16"),
    "Latin-1": (
        b'{"type":\n"Feature", "id": "\xe9t\xe9"}',
        "own.geojson, line 2",
        "0xe9) is not UTF-8",
    ),
    "surrogates as UTF-8": (GOOD.encode().replace(b"x-a", b"\xed\xa0\x80"), "own.geojson", "0xed"),
    "lone surrogate": (
        GOOD.replace("x-a", r"x-\ud800a"),
        "own.geojson, features[0].id",
        r"\ud800a\" holds half".replace('\\"', '"'),
    ),
    "lone surrogate in a key": (
        GOOD.replace('"id"', r'"\udfff"'),
        "own.geojson, features[0]",
        "half of a surrogate",
    ),
    "NaN": (
        GOOD.replace("[40, 45]", "[40, NaN]"),
        "own.geojson, features[0].geometry.coordinates[0][1][1]",
        "NaN is not a number",
    ),
    "-Infinity in a property": (
        GOOD.replace("null", '{"area": -Infinity}'),
        "own.geojson, features[0].properties.area",
        "-Infinity is not a number",
    ),
    "1e999": (
        GOOD.replace("[40, 50]", "[1e999, 50]"),
        "own.geojson, features[0].geometry.coordinates[0][2][0]",
        "1e999 is too large",
    ),
    "a key twice": (
        GOOD.replace('"geometry": ', '"geometry": null, "geometry": '),
        "own.geojson, features[0]",
        'the key "geometry" stands twice',
    ),
    "a key twice, once escaped": (
        GOOD.replace('"properties": null', r'"properties": {"a b": 1, "\u0061 b": 1}'),
        "own.geojson, features[0].properties",
        'the key "a b" stands twice',
    ),
    "a key twice at the top": (
        GOOD.replace('{"type"', '{"features": [NaN], "type"'),
        "own.geojson",
        'the key "features" stands twice',
    ),
    "a comma too many": (GOOD.replace("[40, 45],", "[40, 45],,"), "own.geojson, line 1", "valid"),
    "leading zero": (GOOD.replace("[40, 45]", "[040, 45]"), "own.geojson, line 1", "valid JSON"),
    "single quotes": (GOOD.replace('"', "'"), "own.geojson, line 1, column 2", "valid JSON"),
    "comment": ("// mine\n" + GOOD, "own.geojson, line 1, column 1", "not valid JSON"),
    "zip": (b"PK\x03\x04....", "own.geojson", "zip archive"),
    "KML": ("<?xml version='1.0'?><kml/>", "own.geojson", "XML"),
    "parquet magic only": (b"PAR1" + b"\0" * 40, "own.geojson", "not readable as Parquet"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_could_mean_two_things_is_refused(case):
    text, place, message = TEXTS[case]
    error = refused(text)
    assert error.place.startswith(place)
    assert message in error.message


@pytest.mark.parametrize("id", ["UA", "x-", "x-Front", "front", "x-a b", "x-" + "a" * 63])
def test_an_id_of_the_scenario_must_begin_with_x(id):
    assert "'x-" in refused(GOOD, default_id=id).hint


# --- hostile files: a bounded answer ------------------------------------------------------------


def ring_of(n, radius=1.0):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).round(7).tolist()
    return [*ring, ring[0]]


def comb(teeth):
    """A valid polygon of which every edge's box overlaps every other's: quadratic to check."""
    step = np.arange(teeth) * 1e-5
    there = np.stack([step, step * 0], axis=1)
    back = np.stack([50 + step, 50 + step * 0], axis=1)
    zigzag = np.stack([there, back], axis=1).reshape(-1, 2)
    return [*zigzag.tolist(), [60, -1], [-1, -1], zigzag[0].tolist()]


def peak_kb():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


HOSTILE = {
    "a million positions": (lambda: json.dumps(polygon(ring_of(1_000_000))), "500000 positions"),
    "a million rings": (
        lambda: json.dumps(polygon(SQUARE, *[[]] * 1_000_000)),
        "more than",
    ),
    "nested arrays": (lambda: "[" * 1_000_000, "nested 1000000 deep"),
    "nested collections": (
        lambda: '{"type":"GeometryCollection","geometries":[' * 50_000 + "]}" * 50_000,
        "nested 100000 deep",
    ),
    "open string": (lambda: '"' + '\\"' * 5_000_000, "valid JSON"),
    "many small values": (lambda: "[" + "1," * 10_000_000 + "1]", "values are more than"),
    "a long number": (lambda: GOOD.replace("45", "4" * 1_000_000, 1), "a number of 1000000 digits"),
    "a long fraction": (lambda: GOOD.replace("45", "945." + "4" * 1_000_000, 1), "945.4"),
    "many features": (
        lambda: json.dumps(collection(*[feature(None)] * 20_000)),
        "20000 features are more",
    ),
    "a comb": (lambda: json.dumps(polygon(comb(60_000))), "so close together"),
    "too many bytes": (lambda: GOOD + " " * (64 * 1024 * 1024), "bytes is more than"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_bounded_time_and_memory(case, tmp_path):
    build, message = HOSTILE[case]
    path = tmp_path / "own.geojson"
    path.write_text(build())
    before_kb = peak_kb()
    with pytest.raises(TerritoryError, match=message) as caught:
        read_territories(path)
    assert len(str(caught.value)) < 600
    # Without its guard each of these takes hours, many gigabytes or the whole stack.
    assert peak_kb() - before_kb < 1_500_000


def test_a_long_coast_is_read_and_its_cost_is_estimated_well():
    (own,) = read(polygon(ring_of(200_000, radius=50)))
    assert shapely.get_num_coordinates(own.geometry) == 200_001
    limits = Limits(edge_pairs=10**6, dissolved_edge_pairs=10**5)
    assert "close together" in refused(polygon(comb(1000)), limits=limits).message
    assert read(polygon(comb(400)), limits=limits)


@pytest.mark.parametrize(
    ("name", "message"),
    [(".", "is a folder"), ("none.geojson", "No such file"), ("/dev/zero", "not an ordinary file")],
)
def test_what_is_no_file_is_refused(tmp_path, name, message):
    with pytest.raises(TerritoryError, match=message):
        read_territories(tmp_path / name)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_flipped_or_lost_bytes_give_an_answer_or_one_refusal(data):
    text = bytearray(json.dumps(collection(feature(polygon(SQUARE, HOLE), id="x-a"))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.integers(0, 255))
    text = text[: data.draw(st.integers(len(text) - 5, len(text)))]
    try:
        owns = territories_from(source(bytes(text)))
    except TerritoryError:
        return
    assert all(own.geometry.is_valid and own.geometry.area > 0 for own in owns)


# --- real files ---------------------------------------------------------------------------------


@pytest.mark.shared
def test_real_borders_are_read_as_geopandas_reads_them(shared_data):
    path = shared_data / "territories" / "ne_50m_admin_0_map_units.geojson"
    owns = read_territories(path)
    theirs = shapely.area(geopandas.read_file(path).geometry.to_numpy())
    assert sum(own.geometry.area for own in owns) == pytest.approx(theirs.sum(), rel=1e-12)
    assert all(own.geometry.is_valid for own in owns)


@pytest.mark.shared
def test_real_borders_that_are_broken_are_refused_where_they_are(shared_data):
    folder = shared_data / "territories"
    with pytest.raises(TerritoryError) as caught:
        read_territories(folder / "ne_110m_admin_0_countries.geojson")
    assert caught.value.place.endswith(", features[129].geometry.coordinates[1][0]")
    path = folder / "ne_10m_admin_1_world_simplified.geojson.xz"
    with pytest.raises(TerritoryError, match="crosses itself at") as caught:
        read(lzma.decompress(path.read_bytes()))
    index = int(caught.value.place.split("[")[1].split("]")[0])
    shape = json.loads(lzma.decompress(path.read_bytes()))["features"][index]["geometry"]
    assert not shapely.is_valid(shapely.from_geojson(json.dumps(shape)))


# --- GeoParquet ---------------------------------------------------------------------------------


def parquet(frame: geopandas.GeoDataFrame, **options) -> SourceBytes:
    sink = pa.BufferOutputStream()
    frame.to_parquet(sink, **options)
    return source(sink.getvalue().to_pybytes(), "own.parquet")


def frame(*shapes, crs="OGC:CRS84", **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def wkb_file(*values, metadata=None):
    geo = {
        "version": "1.1.0",
        "primary_column": "shape",
        "columns": {"shape": {"encoding": "WKB", "geometry_types": [], **(metadata or {})}},
    }
    table = pa.table({"shape": pa.array(values, pa.binary())})
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), sink)
    return source(sink.getvalue().to_pybytes(), "own.parquet")


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4326"])
def test_geoparquet_as_geopandas_writes_it_is_read(crs):
    shapes = [
        shapely.Polygon(SQUARE, [HOLE]),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)]),
    ]
    owns = territories_from(parquet(frame(*shapes, crs=crs, id=["x-a", None], name=["A", "B"])))
    assert [(own.id, own.name) for own in owns] == [("x-a", "A"), ("x-b", "B")]
    assert all(own.geometry.equals_exact(shape, 0) for own, shape in zip(owns, shapes, strict=True))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_both_byte_orders_and_heights_are_read(order, flavor):
    shape = shapely.force_3d(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), 7.0)
    data = shapely.to_wkb(shape, byte_order=order, flavor=flavor, output_dimension=3)
    (own,) = territories_from(wkb_file(data))
    assert own.geometry.equals_exact(shapely.force_2d(shape), 0)


def open_ring():
    ring = struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1)
    return struct.pack("<BIII", 1, 3, 1, 4) + ring


GOOD_WKB = shapely.to_wkb(shapely.box(0, 0, 1, 1))
PARQUETS = {
    "projected": (
        lambda: parquet(frame(shapely.box(0, 0, 1, 1), crs="EPSG:3857")),
        "metadata 'geo'.columns.geometry.crs",
        "3857",
    ),
    "no crs": (
        lambda: parquet(frame(shapely.box(0, 0, 1, 1), crs=None)),
        "metadata 'geo'.columns.geometry.crs",
        "null is not WGS 84",
    ),
    "another encoding": (
        lambda: parquet(frame(shapely.box(0, 0, 1, 1)), geometry_encoding="geoarrow"),
        "metadata 'geo'.columns.geometry.encoding",
        '"polygon"',
    ),
    "spherical": (
        lambda: wkb_file(GOOD_WKB, metadata={"edges": "spherical"}),
        "metadata 'geo'.columns.shape.edges",
        "spherical",
    ),
    "point": (
        lambda: parquet(frame(shapely.box(0, 0, 1, 1), shapely.Point(1, 2))),
        "row 2, geometry",
        "a Point has no area",
    ),
    "null": (lambda: wkb_file(GOOD_WKB, None), "row 2, shape", "null"),
    "no rows": (lambda: wkb_file(), "", "0 rows"),
    "bow-tie": (
        lambda: wkb_file(GOOD_WKB, shapely.to_wkb(shapely.Polygon(BOW_TIE))),
        "row 2, shape.coordinates[0][0]",
        "crosses itself at [35.0, 47.5]",
    ),
    "open": (lambda: wkb_file(open_ring()), "row 1, shape.coordinates[0][3]", "not closed"),
    "NaN": (
        lambda: wkb_file(GOOD_WKB.replace(struct.pack("<d", 1), struct.pack("<d", np.nan))),
        "row 1, shape.coordinates[0][0]",
        "not finite",
    ),
    "cut off": (lambda: wkb_file(GOOD_WKB[:-3]), "row 1, shape", "cut off"),
    "left over": (lambda: wkb_file(GOOD_WKB + b"\0"), "row 1, shape", "1 bytes follow"),
    "four billion rings": (
        lambda: wkb_file(struct.pack("<BII", 1, 3, 2**32 - 1)),
        "row 1, shape",
        "4294967295 parts",
    ),
    "nested": (
        lambda: wkb_file(struct.pack("<BII", 1, 7, 1) * 100_000),
        "row 1, shape",
        "GeometryCollection",
    ),
    "measures": (
        lambda: wkb_file(shapely.to_wkb(shapely.from_wkt("POLYGON M ((0 0 1,1 0 1,1 1 1,0 0 1))"))),
        "row 1, shape",
        "measures",
    ),
    "empty": (lambda: wkb_file(shapely.to_wkb(shapely.Polygon())), "row 1, shape", "empty"),
}


@pytest.mark.parametrize("case", PARQUETS)
def test_broken_geoparquet_is_refused_with_its_row(case):
    build, place, message = PARQUETS[case]
    with pytest.raises(TerritoryError) as caught:
        territories_from(build())
    assert caught.value.place.startswith(f"own.parquet, {place}" if place else "own.parquet")
    assert message in caught.value.message
    assert caught.value.hint


def test_parquet_without_geo_metadata_is_refused():
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"geometry": [GOOD_WKB]}), sink)
    with pytest.raises(TerritoryError, match="not GeoParquet"):
        territories_from(source(sink.getvalue().to_pybytes(), "own.parquet"))


def test_a_value_repeated_a_million_times_does_not_fill_the_memory():
    sink = pa.BufferOutputStream()
    big = shapely.to_wkb(shapely.Polygon(ring_of(100_000)))
    shapes = pa.DictionaryArray.from_arrays(np.zeros(9_000, np.int32), pa.array([big], pa.binary()))
    geo = {"version": "1.1.0", "primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}
    table = pa.table({"g": shapes}).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, sink)
    with pytest.raises(TerritoryError, match="more than 500000 positions"):
        territories_from(source(sink.getvalue().to_pybytes(), "own.parquet"))
