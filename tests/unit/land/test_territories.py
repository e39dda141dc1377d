"""The ground of a point of view: names, faces, discs, a user's own territories and cells."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from spotbeam.errors import InputError, TerritoryError, UnknownName
from spotbeam.land.cells import cell_polygons, cells_in
from spotbeam.land.territories import HIGH_SEAS, OwnTerritory, ground


def own(name, shape):
    return OwnTerritory(id=name, name=f"My {name}", geometry=shape, source="drawn", sha256="")


PLACES = {
    "Sevastopol": (44.60, 33.53),
    "Simferopol": (44.95, 34.10),
    "off Odesa": (46.30, 30.95),
    "mid Black Sea": (43.20, 34.00),
    "Taipei": (25.04, 121.56),
    "Laayoune": (27.15, -13.20),
    "far Chukotka": (66.50, -179.00),
    "South Pole": (-90.0, 50.0),
    "North Pole": (90.0, -120.0),
}


@pytest.mark.parametrize(
    ("view", "place", "expected"),
    [
        ("un", "Sevastopol", ("UA", "UA-40", "x-crimea")),
        ("ru", "Sevastopol", ("RU", "UA-40", "x-crimea")),
        ("un", "Simferopol", ("UA", "UA-43", "x-crimea")),
        ("un", "off Odesa", ("UA-51/sea", "UA/sea")),
        ("un", "mid Black Sea", ("XZ",)),
        ("de_facto", "Taipei", ("TW", "TW-TPE", "x-taiwan")),
        ("cn", "Taipei", ("CN", "TW", "TW-TPE", "x-taiwan")),
        ("ma", "Laayoune", ("EH", "MA", "x-western-sahara")),
        ("un", "far Chukotka", ("RU", "RU-CHU")),
        ("un", "South Pole", ("AQ", "x-antarctica")),
        ("un", "North Pole", ("XZ",)),
    ],
)
def test_territories_at_a_place(view, place, expected):
    assert ground(view).territories_at(*PLACES[place]) == expected


def test_faces_are_sets_of_names_each_once():
    here = ground("un")
    faces = here.face_territories
    assert faces[0] == (HIGH_SEAS,)
    assert len(set(faces)) == len(faces)
    assert all(names == tuple(sorted(set(names))) for names in faces)
    assert {name for names in faces for name in names} == set(here.ids())
    assert all(
        all(name.endswith("/sea") for name in names) or not any("/sea" in name for name in names)
        for names in faces
    )


def test_where_no_place_is_there_is_no_face():
    here = ground("un")
    lat, lon = [np.nan, 91.0, 10.0, 45.0], [0.0, 0.0, np.inf, 34.0]
    assert here.locate(lat, lon)[:3].tolist() == [-1, -1, -1]
    of_point, sets = here.touched(lat, lon, 10.0)
    assert [sets[k] for k in of_point[:3]] == [(), (), ()]
    assert sets[of_point[3]] == (here.locate(45.0, 34.0)[0],)
    assert here.territories_at(np.nan, 0.0) == ()
    assert here.pieces_at(np.nan, 0.0) == ()


@pytest.mark.parametrize("radius", [-1.0, np.nan, np.inf])
def test_a_radius_is_a_distance(radius):
    with pytest.raises(InputError, match=r"point 1: radius .* is not a distance"):
        ground("un").touched([0.0, 1.0], [0.0, 1.0], [5.0, radius])


def test_a_disc_on_the_shore_touches_land_and_sea():
    here = ground("un")
    lat, lon = 44.61, 33.45  # the beach north of Sevastopol
    of_point, sets = here.touched([lat] * 3, [lon] * 3, [0.0, 5e3, 60e3])
    names = [{name for face in sets[k] for name in here.face_territories[face]} for k in of_point]
    assert names[0] < names[1] < names[2]
    assert {"UA-40", "UA-40/sea"} <= names[1]
    assert "XZ" not in names[1]  # land and belt meet without a crack of high sea between
    assert {"UA-43", "XZ"} <= names[2]
    assert here.face_territories.index(("XZ",)) in sets[of_point[2]]


def test_the_coast_is_without_cracks():
    """A disc on any coast of the Black Sea touches no high sea: the belt is 22 km wide."""
    here = ground("un")
    outline = shapely.get_coordinates(here.geometry("UA-43"))
    of_point, sets = here.touched(outline[:, 1], outline[:, 0], 10_000.0)
    touched = {face for k in set(of_point.tolist()) for face in sets[k]}
    assert 0 not in touched
    assert len(touched) > 4


@pytest.mark.parametrize(
    "name", ["UA-43", "UA-40/sea", "UA/sea", "FJ", "x-mine", "h3:831ef6fffffffff"]
)
def test_a_territory_s_outline_is_where_it_is_found(name):
    mine = own(
        "x-mine", shapely.Point(34.0, 45.3).buffer(0.7) - shapely.Point(34.0, 45.3).buffer(0.2)
    )
    here = ground("un", [mine], cells=["h3:831ef6fffffffff"])
    shape = here.geometry(name)
    west, south, east, north = shape.bounds
    rng = np.random.default_rng(6)
    lon = rng.uniform(max(west - 0.5, -180), min(east + 0.5, 180), 20_000)
    lat = rng.uniform(south - 0.5, north + 0.5, 20_000)
    inside = np.array([name in here.face_territories[face] for face in here.locate(lat, lon)])
    assert inside.any()
    np.testing.assert_array_equal(inside, shapely.contains_xy(shape, lon, lat))


def test_own_territories_and_cells_lie_over_the_named_ones():
    zone = own("x-zone", shapely.box(33.0, 44.0, 34.0, 45.0))
    front = own("x-front", shapely.box(33.5, 44.5, 34.5, 45.5))
    cells = [f"h3:{int(cell):x}" for cell in cells_in(zone.geometry, 4, "full").cell]
    here = ground("un", [zone, front], cells=cells)
    plain = ground("un")
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(32.5, 35.0, 5_000), rng.uniform(43.5, 46.0, 5_000)
    shapes = {"x-zone": zone.geometry, "x-front": front.geometry}
    outlines = cell_polygons(cells_in(zone.geometry, 4, "full").cell)
    shapes |= dict(zip(cells, outlines, strict=True))
    inside = {name: shapely.contains_xy(shape, lon, lat) for name, shape in shapes.items()}
    under, over = plain.locate(lat, lon), here.locate(lat, lon)
    for i in range(len(lat)):
        extra = {name for name, mask in inside.items() if mask[i]}
        expected = set(plain.face_territories[under[i]]) | extra
        assert set(here.face_territories[over[i]]) == expected
    assert set(here.ids()) == set(plain.ids()) | set(shapes)
    assert here.is_own("x-zone")
    assert not here.is_own("UA")
    assert here.name_of("x-zone") == "My x-zone"
    assert here.standing("x-zone").citation == "drawn"


def test_names_and_standing():
    here = ground("un")
    assert here.name_of("UA-43") == "Crimea"
    assert here.name_of("UA-43/sea") == "Crimea, sea belt"
    crimea = here.standing("x-crimea")
    assert crimea.administered_by == ("RU",)
    assert crimea.claimed_by == ("RU", "UA")
    assert "68/262" in crimea.citation
    assert "not a delimitation" in here.standing("UA-43/sea").citation
    assert here.standing("XZ").claimed_by == ()
    (piece,) = here.pieces_at(*PLACES["Sevastopol"])
    assert piece.iso_3166_2 == "UA-40"
    assert {piece.country for piece in here.pieces_at(*PLACES["off Odesa"])} == {"UA"}
    assert here.pieces_at(*PLACES["mid Black Sea"]) == ()


def test_mistakes_are_told():
    here = ground("un")
    square = shapely.box(0.0, 0.0, 1.0, 1.0)
    with pytest.raises(UnknownName, match="unknown point of view 'uk'"):
        ground("uk")
    for ask in (here.geometry, here.name_of, here.standing):
        with pytest.raises(UnknownName, match="unknown territory 'UA-44'"):
            ask("UA-44")
    with pytest.raises(TerritoryError, match="two territories have the id 'x-a'"):
        ground("un", [own("x-a", square), own("x-a", square)])
    with pytest.raises(TerritoryError, match="'x-crimea' is taken"):
        ground("un", [own("x-crimea", square)])
    with pytest.raises(InputError, match="'h3:84' is not an H3 cell"):
        ground("un", cells=["h3:84"])
