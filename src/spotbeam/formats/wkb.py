"""Well-known binary (ISO 19125, and PostGIS's flags) to rings, for polygons only.

Read here and not by GEOS, so that a ring that is open or too short keeps its place in the
message, and a hostile nesting cannot reach a recursive parser.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from spotbeam.formats.shape_checks import Positions, ShapeChecks

_POLYGON, _MULTI_POLYGON = 3, 6
_NAMES = {
    1: "Point",
    2: "LineString",
    4: "MultiPoint",
    5: "MultiLineString",
    7: "GeometryCollection",
}
_FLAG_Z, _FLAG_M, _FLAG_SRID = 0x80000000, 0x40000000, 0x20000000
_EXPORT_AGAIN = "export the column again as WKB polygons"


def rings_of_wkb(data: bytes, path: str, checks: ShapeChecks) -> tuple[list[list[Positions]], bool]:
    """The polygons of a geometry as lists of rings, and whether it is a MultiPolygon.

    Rings have shape (n, 2), longitude and latitude; heights are passed over.

    Raises:
        TerritoryError: another type, a length that does not fit, or bytes left over.
    """
    reader = _Reader(data, path, checks)
    kind, width = reader.header()
    at = f"{path}.coordinates"
    if kind == _POLYGON:
        polygons = [list(reader.rings(width, at))]
    else:
        polygons = []
        for index in range(reader.count(9)):
            inner, inner_width = reader.header()
            if inner != _POLYGON:
                checks.fail("a MultiPolygon holds polygons only", f"{at}[{index}]", _EXPORT_AGAIN)
            polygons.append(list(reader.rings(inner_width, f"{at}[{index}]")))
    if reader.at != len(data):
        checks.fail(f"{len(data) - reader.at} bytes follow the shape", path, _EXPORT_AGAIN)
    if not polygons or not all(polygons):
        checks.fail("an empty shape", path, "write its polygon, or remove the row")
    return polygons, kind == _MULTI_POLYGON


class _Reader:
    def __init__(self, data: bytes, path: str, checks: ShapeChecks) -> None:
        self.data = data
        self.path = path
        self.checks = checks
        self.at = 0
        self.order = "<"

    def header(self) -> tuple[int, int]:
        """The type, which is a Polygon or a MultiPolygon, and the numbers in a position."""
        mark = self.take(1)[0]
        if mark > 1:
            self.checks.fail(f"byte order {mark} is neither 0 nor 1", self.path, _EXPORT_AGAIN)
        self.order = "<" if mark else ">"
        code = self.integer()
        if code & _FLAG_SRID:
            self.integer()
        flags, (thousands, kind) = code >> 28, divmod(code & 0x0FFFFFFF, 1000)
        if kind not in (_POLYGON, _MULTI_POLYGON):
            self.checks.fail(
                f"a {_NAMES.get(kind, f'geometry of type {code}')} has no area that we read",
                self.path,
                "a territory is a Polygon or a MultiPolygon",
            )
        if thousands > 1 or code & _FLAG_M or flags & 1:
            self.checks.fail("has measures (M)", self.path, "export it without M")
        return kind, 3 if thousands == 1 or code & _FLAG_Z else 2

    def rings(self, width: int, path: str) -> Iterator[Positions]:
        for index in range(self.count(4)):
            n = self.count(8 * width)
            self.checks.count_ring(n, f"{path}[{index}]")
            numbers = np.frombuffer(self.take(8 * width * n), dtype=f"{self.order}f8")
            yield numbers.reshape(n, width)[:, :2].astype(np.float64)

    def count(self, least_bytes: int) -> int:
        """How many follow, refused if the rest of the bytes cannot hold that many."""
        n = self.integer()
        if n * least_bytes > len(self.data) - self.at:
            self.checks.fail(
                f"is cut off: {n} parts of {least_bytes} bytes or more are announced, "
                f"{len(self.data) - self.at} bytes follow",
                self.path,
                _EXPORT_AGAIN,
            )
        return n

    def integer(self) -> int:
        return int(struct.unpack(f"{self.order}I", self.take(4))[0])

    def take(self, n: int) -> bytes:
        if self.at + n > len(self.data):
            self.checks.fail(f"is cut off after {len(self.data)} bytes", self.path, _EXPORT_AGAIN)
        self.at += n
        return self.data[self.at - n : self.at]
