"""The packaged pieces: whole, valid, without overlap, and where they should be."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources

import numpy as np
import pyproj
import pytest
import shapely

from spotbeam.land import borders

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def land() -> np.ndarray:
    return borders.piece_geometries()


@pytest.fixture(scope="module")
def tree(land: np.ndarray) -> shapely.STRtree:
    shapely.prepare(land)
    return shapely.STRtree(land)


def pieces_at(tree: shapely.STRtree, lat: float, lon: float) -> list[str]:
    found = tree.query(shapely.Point(lon, lat), predicate="intersects")
    return [borders.pieces()[i].id for i in found]


def test_importing_reads_nothing():
    code = (
        "from spotbeam.land import borders, demand, views\n"
        "for read in (borders.pieces, borders.piece_geometries, borders.belts,"
        " demand.town_cells):\n"
        "    assert read.cache_info().currsize == 0, read\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_packaged_data_stays_small():
    folder = resources.files("spotbeam.land") / "data"
    sizes = {path.name: len(path.read_bytes()) for path in folder.iterdir() if path.is_file()}
    assert sum(sizes.values()) < 4_000_000, sizes


def test_ids_are_unique_and_sorted():
    ids = [piece.id for piece in borders.pieces()]
    assert ids == sorted(set(ids))
    assert len(ids) == len(borders.piece_geometries()) == 4614


def test_codes_have_their_form():
    for piece in borders.pieces():
        assert re.fullmatch(r"([A-Z]{2})?", piece.country), piece
        assert re.fullmatch(r"([A-Z]{2}-[A-Z0-9]{1,3})?", piece.iso_3166_2), piece
        assert piece.name, piece
        for party in (*piece.claimed_by, *piece.administered_by.split("/")):
            assert re.fullmatch(r"[A-Z]{2}|x-[a-z-]+|", party), piece


def test_every_piece_is_valid(land):
    assert shapely.is_valid(land).all()
    assert not shapely.is_empty(land).any()


def test_no_two_pieces_overlap(land, tree):
    a, b = tree.query(land, predicate="intersects")
    a, b = a[a < b], b[a < b]
    assert len(a) > 10_000, "neighbours touch"
    # DE-9IM: the interiors share an area.
    overlap = shapely.relate_pattern(land[a], land[b], "2********")
    assert [
        (borders.pieces()[i].id, borders.pieces()[j].id)
        for i, j in zip(a[overlap], b[overlap], strict=True)
    ] == []
    assert shapely.area(shapely.intersection(land[a], land[b])).max() == 0


def test_the_land_has_no_hole_but_the_caspian(land):
    world = shapely.coverage_union_all(land)
    holes = [shapely.Polygon(ring) for part in world.geoms for ring in part.interiors]
    assert len(holes) == 1
    assert holes[0].contains(shapely.Point(51, 41))


def test_nothing_crosses_the_antimeridian(land):
    parts, piece = shapely.get_parts(land, return_index=True)
    west, south, east, north = shapely.bounds(parts).T
    assert west.min() == -180
    assert east.max() == 180
    assert south.min() == -90
    assert north.max() < 84
    wide = np.unique(piece[east - west > 180])
    assert [borders.pieces()[i].id for i in wide] == ["ATA+00?"]


def test_the_land_has_the_area_of_the_land(land):
    equal_area = pyproj.Proj(proj="cea", ellps="WGS84")
    flat = shapely.transform(
        shapely.segmentize(land, 0.5), lambda xy: np.stack(equal_area(*xy.T), axis=1)
    )
    million_km2 = shapely.area(flat) / 1e12
    antarctica = np.array([piece.country == "AQ" for piece in borders.pieces()])
    # CIA World Factbook: land 148.94, of which Antarctica with its ice shelves 14.0; without the
    # shelves, as Natural Earth draws it, 12.3 (Fretwell et al. 2013, Bedmap2).
    assert million_km2[~antarctica].sum() == pytest.approx(134.94, rel=0.005)
    assert million_km2[antarctica].sum() == pytest.approx(12.3, rel=0.01)


@pytest.mark.parametrize(
    ("place", "lat", "lon", "piece"),
    [
        ("Sevastopol", 44.6, 33.5, "RUS-5482"),
        ("Simferopol", 44.95, 34.1, "RUS-283"),
        ("Donetsk", 48.0, 37.8, "UKR-327"),
        ("Luhansk", 48.57, 39.3, "UKR-329"),
        ("Kherson", 46.64, 32.6, "UKR-4827"),
        ("Taipei", 25.03, 121.56, "TWN-1166"),
        ("Kinmen", 24.44, 118.33, "TWN-3415"),
        ("Lieyu", 24.43, 118.24, "TWN-3415"),
        ("Matsu, Nangan", 26.16, 119.95, "TWN+LIE"),
        ("Matsu, Dongyin", 26.366, 120.49, "TWN+LIE"),
        ("Gaza", 31.5, 34.46, "GAZ+00?"),
        ("Ramallah", 31.9, 35.2, "WEB+00?"),
        ("Majdal Shams", 33.27, 35.77, "ISR-3056-GOLAN"),
        ("Nazareth", 32.70, 35.30, "ISR-3056"),
        ("Laayoune", 27.15, -13.2, "MAR-3456-EH"),
        ("Smara", 26.74, -11.67, "MAR-3457-EH"),
        ("north of the parallel", 27.68, -12.0, "MAR-3456"),
        ("south of the parallel", 27.65, -12.0, "MAR-3456-EH"),
        ("Bir Gandus", 21.55, -16.48, "MAR-3469"),
        ("Tifariti", 26.16, -10.57, "SAH+00?"),
        ("north Nicosia", 35.2, 33.36, "CYN+00?"),
        ("Larnaca", 34.92, 33.62, "CYP-3463"),
        ("Srinagar", 34.09, 74.8, "IND-2431"),
        ("Muzaffarabad", 34.37, 73.47, "PAK-1109"),
        ("Gilgit", 35.92, 74.31, "PAK-1111"),
        ("Aksai Chin", 35.2, 79.3, "CHN-1756-AKSAI-CHIN"),
        ("Shaksgam", 36.1, 76.5, "CHN-1756-SHAKSGAM"),
        ("Tiraspol", 46.84, 29.63, "MDA-1650"),
        ("Ribnita", 47.76, 29.05, "MDA-1645"),
        ("Sukhumi", 43.0, 41.02, "GEO-3015"),
        ("Tskhinvali", 42.23, 43.97, "GEO-3039-SOUTH-OSSETIA"),
        ("Gori", 41.98, 44.11, "GEO-3039"),
        ("Hargeisa", 9.56, 44.06, "SOL+00?"),
        ("Pristina", 42.66, 21.16, "KOS-5902"),
        ("Yuzhno-Kurilsk", 44.03, 145.85, "RUS-2616-SOUTH-KURILS"),
        ("Yuzhno-Sakhalinsk", 46.96, 142.73, "RUS-2616"),
        ("Abyei", 9.6, 28.43, "SDN-882-ABYEI"),
        ("Bir Tawil", 21.87, 33.7, "SDN-149-BIR-TAWIL"),
        ("Viedma glacier", -49.45, -73.35, "ARG+CHL"),
    ],
)
def test_disputed_land_is_told_apart(tree, place, lat, lon, piece):
    assert pieces_at(tree, lat, lon) == [piece]


def test_every_disputed_land_is_cited():
    for land in borders.disputed_lands():
        assert land.citation, land.id
        assert re.search(r"\d{4}|ISO 3166|Natural Earth", land.citation), land.id
    listed = {piece.land for piece in borders.pieces()} - {""}
    assert listed == {land.id for land in borders.disputed_lands()}


def test_transnistria_is_both_of_its_codes():
    codes = {p.iso_3166_2 for p in borders.pieces() if p.land == "x-transnistria"}
    everywhere = {p.land for p in borders.pieces() if p.iso_3166_2 in ("MD-SN", "MD-BD")}
    assert codes == {"MD-SN", "MD-BD"}
    assert everywhere == {"x-transnistria"}


def test_belts_are_valid_and_belong_to_pieces_with_a_coast():
    of_piece, outlines = borders.belts()
    assert (np.diff(of_piece) > 0).all()
    assert shapely.is_valid(outlines).all()
    ids = {borders.pieces()[i].id for i in of_piece}
    assert {"UKR-322", "RUS-283", "TWN+LIE", "AZE-1688"} - ids == {"AZE-1688"}
    landlocked = {"CH", "NP", "BO", "MN", "LI", "UG", "RS", "XK", "PY", "ML"}
    assert landlocked.isdisjoint({borders.pieces()[i].country for i in of_piece})


@pytest.mark.parametrize(
    ("lat", "lon", "inside"),
    [
        (46.30, 30.95, True),  # 9 nautical miles off Odesa
        (45.60, 31.90, False),  # the middle of the gulf west of Crimea
        (44.45, 33.25, True),  # off Sevastopol
    ],
)
def test_a_point_at_sea_is_in_the_belt_of_its_coast(lat, lon, inside):
    of_piece, outlines = borders.belts()
    ukraine = [p.country == "UA" for p in borders.pieces()]
    mine = outlines[np.array(ukraine)[of_piece]]
    assert shapely.contains_xy(mine, lon, lat).any() == inside


def test_the_edge_of_a_belt_is_12_nautical_miles_from_its_coast(land, tree):
    """Geodesic distances on WGS 84 to the unshared edges of the piece, densely sampled."""
    of_piece, outlines = borders.belts()
    rng = np.random.default_rng(20)
    names = np.array([piece.id for piece in borders.pieces()])[of_piece]
    chosen = set(rng.choice(len(outlines), 60, replace=False).tolist())
    chosen |= set(np.flatnonzero(np.isin(names, ["FJI-2618", "RUS-2321", "TWN+LIE", "ATA+00?"])))
    error_m = []
    for belt in sorted(chosen):
        piece = of_piece[belt]
        near = tree.query(land[piece], predicate="intersects")
        others = shapely.union_all(land[near[near != piece]])
        coast = shapely.difference(shapely.boundary(land[piece]), others)
        edge = shapely.boundary(outlines[belt])
        for point in shapely.line_interpolate_point(edge, rng.random(8), normalized=True):
            on_land = len(tree.query(point, predicate="intersects")) > 0
            if on_land or abs(point.x) > 179.999:
                continue
            error_m.append(distance_m(point, coast) - 22_224)
    assert len(error_m) > 250
    assert min(error_m) > -150
    assert max(error_m) < 60


def distance_m(point: shapely.Point, coast: shapely.Geometry) -> float:
    reach = 0.3 / max(np.cos(np.radians(point.y)), 0.02)
    found = [np.inf]
    for turn in (-360, 0, 360):
        x, y = point.x + turn, point.y
        near = shapely.clip_by_rect(coast, x - reach, y - 0.3, x + reach, y + 0.3)
        xy = shapely.get_coordinates(shapely.segmentize(near, 0.001))
        if len(xy):
            there = np.full(len(xy), x), np.full(len(xy), y)
            found.append(GEOD.inv(*there, *xy.T)[2].min())
    return min(found)
