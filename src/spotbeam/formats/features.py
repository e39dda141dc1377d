"""GeoJSON (RFC 7946) to polygons. The only place where longitude stands before latitude.

A FeatureCollection, a Feature or a bare geometry; Polygon, MultiPolygon, or one GeometryCollection
of these. A third number in a position (a height) is read and not used.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import shapely

from spotbeam.errors import TerritoryError, nearest
from spotbeam.formats.shape_checks import Limits, Part, Positions, ShapeChecks
from spotbeam.formats.source_bytes import SourceBytes
from spotbeam.formats.strict_json import member, parse_json, shown

_CRS84 = (
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    "OGC:CRS84",
)
_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_TYPES = ("FeatureCollection", "Feature", *_GEOMETRIES)
# Members that hold a shape in another type of object: two shapes in one object are refused.
_SHAPE_MEMBERS = ("features", "geometry", "geometries", "coordinates")


def parse_features(source: SourceBytes, limits: Limits) -> list[Part]:
    """The shapes of a GeoJSON text, one for each feature.

    Raises:
        TerritoryError: anything that RFC 7946 does not allow, or that could be read in two ways.
    """
    value = parse_json(
        source, max_depth=limits.depth, max_values=limits.values, error=TerritoryError
    )
    reader = _Reader(ShapeChecks(source, limits))
    return reader.document(value)


class _Reader:
    """Walks one GeoJSON value."""

    def __init__(self, checks: ShapeChecks) -> None:
        self.checks = checks
        self.fail = checks.fail

    def document(self, value: Any) -> list[Part]:
        kind = self.type_of(value, "", _TYPES)
        if kind == "Feature":
            return [self.feature(value, "")]
        if kind != "FeatureCollection":
            return [Part(self.geometry(value, ""), "", None, "", None)]
        self.only_shape_member(value, "features", "")
        features = self.array(value, "features", "")
        if not features:
            self.fail("the collection has no features", "features", "add at least one feature")
        if len(features) > self.checks.limits.features:
            self.fail(
                f"{len(features)} features are more than {self.checks.limits.features}",
                "features",
                "split the file",
            )
        parts = []
        for index, feature in enumerate(features):
            path = f"features[{index}]"
            self.type_of(feature, path, ("Feature",))
            parts.append(self.feature(feature, path))
        return parts

    def feature(self, value: dict[str, Any], path: str) -> Part:
        self.only_shape_member(value, "geometry", path)
        at = member(path, "geometry")
        if "geometry" not in value:
            self.fail("the feature has no 'geometry'", path or "the feature", "add its polygon")
        if value["geometry"] is None:
            self.fail(
                "null: the feature has no shape", at, "add its polygon, or remove the feature"
            )
        properties = value.get("properties")
        in_properties = member(path, "properties")
        if properties is not None and not isinstance(properties, dict):
            self.fail(f"{shown(properties)} is not an object", in_properties, "write {} or null")
        properties = properties or {}
        id_text, id_path = None, path
        for holder, key, where in (
            (properties, "id", in_properties),
            (value, "id", path),
            (properties, "name", in_properties),
        ):
            if id_text is None and holder.get(key) is not None:
                id_path = member(where, key)
                id_text = self.label(holder[key], id_path)
        name_path = member(in_properties, "name")
        name = properties.get("name")
        return Part(
            self.geometry(value["geometry"], at),
            path,
            id_text,
            id_path,
            None if name is None else self.label(name, name_path),
        )

    def label(self, value: Any, path: str) -> str:
        """An id or a name: text, or a number that is written as text."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.fail(f"{shown(value)} is not a text", path, "write a text")
        return str(value)

    def geometry(self, value: Any, path: str) -> Any:
        kind = self.type_of(value, path, _GEOMETRIES)
        if kind == "Polygon":
            self.only_shape_member(value, "coordinates", path)
            at = member(path, "coordinates")
            return self.checks.whole(
                [self.polygon(self.array(value, "coordinates", path), at)], at, several=False
            )
        if kind == "MultiPolygon":
            self.only_shape_member(value, "coordinates", path)
            return self.checks.whole(
                self.polygons(self.array(value, "coordinates", path), member(path, "coordinates")),
                member(path, "coordinates"),
                several=True,
            )
        if kind == "GeometryCollection":
            return self.collection(value, path)
        return self.fail(
            f"a {kind} has no area", path, "a territory is a Polygon or a MultiPolygon"
        )

    def collection(self, value: dict[str, Any], path: str) -> Any:
        self.only_shape_member(value, "geometries", path)
        at = member(path, "geometries")
        members = self.array(value, "geometries", path)
        if not members:
            self.fail("the collection is empty", at, "write a MultiPolygon")
        polygons = []
        for index, inner in enumerate(members):
            if isinstance(inner, dict) and inner.get("type") == "GeometryCollection":
                self.fail(
                    "a GeometryCollection within a GeometryCollection",
                    f"{at}[{index}]",
                    "write all polygons as one MultiPolygon",
                )
            polygons.extend(shapely.get_parts(self.geometry(inner, f"{at}[{index}]")).tolist())
        return self.checks.whole(polygons, at, several=True)

    def polygons(self, value: list[Any], path: str) -> list[shapely.Polygon]:
        if not value:
            self.fail("no polygons", path, "write at least one polygon, or remove the feature")
        return [
            self.polygon(self.expect_array(rings, f"{path}[{index}]"), f"{path}[{index}]")
            for index, rings in enumerate(value)
        ]

    def polygon(self, rings: list[Any], path: str) -> shapely.Polygon:
        if not rings:
            self.fail("a polygon without rings", path, "write its outer ring, or remove it")
        return self.checks.polygon(
            [self.positions(ring, f"{path}[{index}]") for index, ring in enumerate(rings)], path
        )

    def positions(self, ring: Any, path: str) -> Positions:
        """A ring as an array of shape (n, 2): longitude and latitude."""
        ring = self.expect_array(ring, path)
        self.checks.count_ring(len(ring), path)
        if ring and not (
            set(map(type, ring)) == {list}
            and set(map(len, ring)) <= {2, 3}
            and set(map(type, chain.from_iterable(ring))) <= {int, float}
        ):
            for index, position in enumerate(ring):
                self.check_position(position, f"{path}[{index}]")
        try:
            numbers = np.array([position[:2] for position in ring], dtype=np.float64)
        except OverflowError:  # an integer beyond the range of a float
            index = next(i for i, position in enumerate(ring) if max(map(abs, position)) > 1e9)
            self.fail(
                f"{shown(ring[index])} is no place on Earth",
                f"{path}[{index}]",
                "write longitude -180..180 and latitude -90..90",
            )
        return numbers.reshape(-1, 2)

    def check_position(self, value: Any, path: str) -> None:
        hint = "a position is [longitude, latitude] in degrees"
        if not isinstance(value, list):
            self.fail(f"{shown(value)} is not a position", path, hint)
        if not 2 <= len(value) <= 3:
            self.fail(
                f"a position of {len(value)} numbers: {shown(value)}",
                path,
                f"{hint}, and a height at most",
            )
        for index, number in enumerate(value):
            if type(number) not in (int, float):
                self.fail(f"{shown(number)} is not a number", f"{path}[{index}]", hint)

    def type_of(self, value: Any, path: str, known: tuple[str, ...]) -> str:
        """The object's type, which is one of `known`; its `crs` is checked on the way."""
        if not isinstance(value, dict):
            self.fail(f"{shown(value)} is not an object", path, f"write a {known[0]}")
        kind = value.get("type")
        if kind not in known:
            self.wrong_type(kind, path, known)
        if "crs" in value:
            self.check_crs(value["crs"], member(path, "crs"))
        return str(kind)

    def wrong_type(self, kind: Any, path: str, known: tuple[str, ...]) -> None:
        if kind is None:
            self.fail("has no 'type'", path or "the top", f"add one, as {known[0]!r}")
        if kind == "Topology":
            self.fail("this is TopoJSON, not GeoJSON", member(path, "type"), "export it as GeoJSON")
        near = nearest(kind, known) if isinstance(kind, str) else None
        hint = f"did you mean {near!r}?" if near else f"known here: {', '.join(known)}"
        self.fail(f"{shown(kind)} is not a type of this place", member(path, "type"), hint)

    def check_crs(self, crs: Any, path: str) -> None:
        """Refuse the member of the 2008 draft, unless it says what RFC 7946 says anyway."""
        properties = crs.get("properties") if isinstance(crs, dict) else None
        name = properties.get("name") if isinstance(properties, dict) else None
        if name not in _CRS84:
            self.fail(
                f"{shown(crs if name is None else name)}: RFC 7946 knows no other reference "
                "system than WGS 84, longitude first",
                path,
                "reproject to OGC:CRS84 and remove 'crs'",
            )

    def only_shape_member(self, value: dict[str, Any], own: str, path: str) -> None:
        for key in _SHAPE_MEMBERS:
            if key != own and key in value:
                self.fail(
                    f"a {value['type']} with {key!r} as well: which shape is meant?",
                    member(path, key),
                    f"keep {own!r} only",
                )

    def array(self, value: dict[str, Any], key: str, path: str) -> list[Any]:
        if key not in value:
            self.fail(f"has no {key!r}", path or "the top", f"add {key!r}")
        return self.expect_array(value[key], member(path, key))

    def expect_array(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            self.fail(f"{shown(value)} is not an array", path, "write an array")
        return value
