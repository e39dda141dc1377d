"""Points of view: who covers which land, according to whom."""

from __future__ import annotations

import pytest
import shapely

from spotbeam.errors import UnknownName
from spotbeam.land import borders, views

# The 193 members of the United Nations, by their ISO 3166-1 codes.
MEMBERS = set(
    """
AF AL DZ AD AO AG AR AM AU AT AZ BS BH BD BB BY BE BZ BJ BT BO BA BW BR BN BG BF BI CV KH CM CA CF
TD CL CN CO KM CG CD CR CI HR CU CY CZ KP DK DJ DM DO EC EG SV GQ ER EE SZ ET FJ FI FR GA GM GE DE
GH GR GD GT GN GW GY HT HN HU IS IN ID IR IQ IE IL IT JM JP JO KZ KE KI KW KG LA LV LB LS LR LY LI
LT LU MG MW MY MV ML MT MH MR MU MX FM MC MN ME MA MZ MM NA NR NP NL NZ NI NE NG MK NO OM PK PW PA
PG PY PE PH PL PT QA KR MD RO RU RW KN LC VC WS SM ST SA SN RS SC SL SG SK SI SB SO ZA SS ES LK SD
SR SE CH SY TJ TH TL TG TO TT TN TR TM TV UG UA AE GB TZ US UY UZ VU VE VN YE ZM ZW
""".split()  # noqa: SIM905
)

# place: (lat, lon), then who covers it, by point of view. `*` is every view that is not named.
COVERED = {
    "Sevastopol": ((44.6, 33.5), {"*": "UA", "ru": "RU", "de_facto": "RU"}),
    "Simferopol": ((44.95, 34.1), {"*": "UA", "ru": "RU", "de_facto": "RU"}),
    "Donetsk": ((48.0, 37.8), {"*": "UA", "ru": "RU", "de_facto": "RU UA"}),
    "Luhansk": ((48.57, 39.3), {"*": "UA", "ru": "RU", "de_facto": "RU UA"}),
    "Kherson": ((46.64, 32.6), {"*": "UA", "ru": "RU", "de_facto": "RU UA"}),
    "Zaporizhzhia": ((47.84, 35.14), {"*": "UA", "ru": "RU", "de_facto": "RU UA"}),
    "Kyiv": ((50.45, 30.52), {"*": "UA"}),
    "Taipei": ((25.03, 121.56), {"*": "CN TW", "tw": "TW", "de_facto": "TW"}),
    "Kinmen": ((24.44, 118.33), {"*": "CN TW", "tw": "TW", "de_facto": "TW"}),
    "Matsu": ((26.16, 119.95), {"*": "CN TW", "tw": "TW", "de_facto": "TW"}),
    "Xiamen": ((24.6, 118.1), {"*": "CN"}),
    "Hong Kong": ((22.42, 114.12), {"*": "HK"}),
    "Gaza": ((31.5, 34.46), {"*": "PS", "de_facto": "IL PS"}),
    "Ramallah": ((31.9, 35.2), {"*": "PS", "de_facto": "IL PS"}),
    "Golan": ((33.0, 35.75), {"*": "SY", "il": "IL", "de_facto": "IL"}),
    "Laayoune": ((27.15, -13.2), {"*": "EH", "ma": "EH MA", "de_facto": "EH MA"}),
    "Tifariti": ((26.16, -10.57), {"*": "EH", "ma": "EH MA"}),
    "north Nicosia": ((35.2, 33.36), {"*": "CY", "tr": "", "de_facto": ""}),
    "Akrotiri": ((34.59, 32.97), {"*": "GB"}),
    "Srinagar": ((34.09, 74.8), {"*": "IN", "pk": "PK"}),
    "Muzaffarabad": ((34.37, 73.47), {"*": "PK", "in": "IN"}),
    "Aksai Chin": ((35.2, 79.3), {"*": "CN", "in": "IN"}),
    "Tawang": ((27.59, 91.87), {"*": "IN", "cn": "CN"}),
    "Tiraspol": ((46.84, 29.63), {"*": "MD", "de_facto": ""}),
    "Sukhumi": ((43.0, 41.02), {"*": "GE", "ru": "", "de_facto": ""}),
    "Tskhinvali": ((42.23, 43.97), {"*": "GE", "ru": "", "de_facto": ""}),
    "Hargeisa": ((9.56, 44.06), {"*": "SO", "de_facto": ""}),
    "Iturup": ((45.0, 147.8), {"*": "RU", "jp": "JP"}),
    "Stanley": ((-51.69, -57.9), {"*": "FK", "ar": "AR FK"}),
    "Diego Garcia": ((-7.31, 72.41), {"*": "IO MU", "de_facto": "IO"}),
    "Kourou": ((5.1, -52.7), {"*": "GF"}),
    "San Juan": ((18.4, -66.1), {"*": "PR"}),
}
RECOGNISE_KOSOVO = ("ae", "il", "jp", "pk", "so", "tr", "tw", "de_facto")


@pytest.fixture(scope="module")
def tree() -> shapely.STRtree:
    return shapely.STRtree(borders.piece_geometries())


def countries_at(tree: shapely.STRtree, lat: float, lon: float, name: str) -> set[str]:
    (piece,) = tree.query(shapely.Point(lon, lat), predicate="intersects")
    return {t for t in views.view(name).territories_of(int(piece)) if len(t) == 2}


@pytest.mark.parametrize("place", COVERED)
def test_disputed_land_in_every_point_of_view(tree, place):
    (lat, lon), expected = COVERED[place]
    seen = {name: countries_at(tree, lat, lon, name) for name in views.names()}
    assert seen == {name: set(expected.get(name, expected["*"]).split()) for name in seen}


def test_kosovo_by_who_recognises_it(tree):
    for name in views.names():
        expected = "XK" if name in RECOGNISE_KOSOVO else "RS"
        assert countries_at(tree, 42.66, 21.16, name) == {expected}


def test_every_member_of_the_united_nations_has_land():
    assert len(set(MEMBERS)) == 193
    assert set(MEMBERS) - set(views.view("un").ids()) == set()


def test_undisputed_land_is_the_same_to_all():
    for name in views.names():
        seen = views.view(name)
        for index, piece in enumerate(borders.pieces()):
            if not piece.land:
                assert set(seen.territories_of(index)) == {piece.country, piece.iso_3166_2} - {""}


def test_names_of_places_cover_the_same_in_every_point_of_view():
    def places(name: str) -> dict[str, tuple[int, ...]]:
        return {key: v for key, v in views.view(name).territories.items() if "-" in key}

    for name in views.names():
        assert places(name) == places("un")


def test_a_claimant_covers_what_it_claims():
    for name in set(views.names()) - {"un", "de_facto"}:
        seen = views.view(name)
        claimed = {i for i, p in enumerate(borders.pieces()) if name.upper() in p.claimed_by}
        assert claimed
        assert set(seen.pieces_of(name.upper())) == claimed


def test_pieces_of_and_territories_of_agree():
    for name in ("un", "ru"):
        seen = views.view(name)
        pairs = {(t, i) for t in seen.ids() for i in seen.pieces_of(t)}
        assert pairs == {
            (t, i) for i in range(len(borders.pieces())) for t in seen.territories_of(i)
        }
        assert list(seen.ids()) == sorted(seen.ids())


def test_every_point_of_view_says_what_it_is():
    for name in views.names():
        seen = views.view(name)
        assert seen.id == name
        assert seen.title
        assert seen.description
        assert seen.citation


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="point of view 'defacto'") as caught:
        views.view("defacto")
    assert caught.value.did_you_mean == "de_facto"
    with pytest.raises(UnknownName, match="territory 'x-krimea'") as caught:
        views.view("un").pieces_of("x-krimea")
    assert caught.value.did_you_mean == "x-crimea"
