"""Which satellites are linked: the +Grid of shells, and of planes found in a real catalogue.

In a +Grid a satellite has four links: to the next and the previous in its plane, and to one in the
plane on either side. The order is pinned: rows are plane by plane in the order of the nodes, and
in a plane in the order of flight; the four columns are ahead, behind, next plane, previous plane.
Satellite s of a plane is linked with satellite s of the next; from the last plane to the first the
slots are shifted by Walker's F, because plane P would be plane 0 moved on by F slots. A star
pattern has no links over its seam, where neighbours fly in opposite directions.

Which links exist does not change during a run. Whether one is up at a moment is a matter of range
and sight (`network.mesh`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.errors import InputError
from spotbeam.network.planes import Planes

AHEAD, BEHIND, NEXT, PREVIOUS = range(4)
NO_SATELLITE = -1
_BACK = {AHEAD: BEHIND, NEXT: PREVIOUS}


class GridShape(NamedTuple):
    """A shell's planes and slots, and how the last plane is linked to the first.

    `shift` is by how many slots; None for a seam without links.
    """

    planes: int
    slots: int
    shift: int | None


class Topology(msgspec.Struct, frozen=True, eq=False):
    """The links that a constellation's satellites are built to hold.

    Attributes:
        neighbour: (n_sat, 4) int32: ahead, behind, next plane, previous plane; -1 for none.
        grids: (n_grid, 4) int64: first row, planes, slots, shift or -1 for a seam; empty where
            planes are not all alike.
        is_up: (n_sat,) bool: False for failed satellites, which have no links of any kind.
    """

    neighbour: npt.NDArray[np.int32]
    grids: npt.NDArray[np.int64]
    is_up: npt.NDArray[np.bool_]

    @property
    def n_links(self) -> int:
        """How many links there are, each counted once."""
        # Where a ring has two members, each is ahead of the other and behind it.
        one, place = np.nonzero(self.neighbour >= 0)
        other = self.neighbour[one, place].astype(np.int64)
        pairs = np.minimum(one, other) * len(self.neighbour) + np.maximum(one, other)
        return len(np.unique(pairs))


def without_links(n_sat: int) -> Topology:
    """A sky whose satellites do not talk to each other: every path is a bent pipe."""
    return Topology(
        np.full((n_sat, 4), NO_SATELLITE, dtype=np.int32),
        np.empty((0, 4), dtype=np.int64),
        np.ones(n_sat, dtype=np.bool_),
    )


def plus_grid(shapes: Sequence[GridShape]) -> Topology:
    """The +Grid of shells; satellites of different shells are not linked."""
    parts, grids, first = [], [], 0
    for shape in shapes:
        parts.append(_grid(shape, first))
        shift = -1 if shape.shift is None else shape.shift % shape.slots
        grids.append((first, shape.planes, shape.slots, shift))
        first += shape.planes * shape.slots
    return Topology(
        np.concatenate(parts).astype(np.int32),
        np.array(grids, dtype=np.int64),
        np.ones(first, dtype=np.bool_),
    )


def _grid(shape: GridShape, first: int) -> npt.NDArray[np.int64]:
    planes, slots, shift = shape
    plane, slot = np.divmod(np.arange(planes * slots), slots)
    turn = shift or 0
    found = np.empty((planes * slots, 4), dtype=np.int64)
    found[:, AHEAD] = plane * slots + (slot + 1) % slots
    found[:, BEHIND] = plane * slots + (slot - 1) % slots
    is_last, is_first = plane == planes - 1, plane == 0
    found[:, NEXT] = np.where(is_last, (slot + turn) % slots, (plane + 1) * slots + slot)
    last = (planes - 1) * slots
    found[:, PREVIOUS] = np.where(
        is_first, last + (slot - turn) % slots, (plane - 1) * slots + slot
    )
    if shift is None:
        found[is_last, NEXT] = found[is_first, PREVIOUS] = NO_SATELLITE - first
    found += first
    found[found == np.arange(first, first + planes * slots)[:, None]] = NO_SATELLITE
    return found


def plus_grid_of_planes(n_sat: int, planes: Sequence[Planes]) -> Topology:
    """The +Grid of a real catalogue: rings along its planes, and the nearest across them.

    Two satellites of neighbouring planes are linked if each is the other's nearest along the
    orbit, so that none has more than one link to either side; where planes are unevenly filled,
    some have none. Satellites outside of all planes have no links.
    """
    neighbour = np.full((n_sat, 4), NO_SATELLITE, dtype=np.int32)
    for band in planes:
        for ring in band.rings:
            if len(ring) > 1:
                neighbour[ring, AHEAD] = np.roll(ring, -1)
                neighbour[ring, BEHIND] = np.roll(ring, 1)
        for one, other in band.pairs:
            a, b = _mutually_nearest(band.along_deg, band.rings[one], band.rings[other])
            neighbour[a, NEXT], neighbour[b, PREVIOUS] = b, a
    return Topology(neighbour, np.empty((0, 4), dtype=np.int64), np.ones(n_sat, dtype=np.bool_))


def _mutually_nearest(
    along_deg: npt.NDArray[np.float64], one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    apart_deg = np.abs((along_deg[one][:, None] - along_deg[other] + 180.0) % 360.0 - 180.0)
    there, back = apart_deg.argmin(axis=1), apart_deg.argmin(axis=0)
    agreed = back[there] == np.arange(len(one))
    return one[agreed], other[there[agreed]]


def with_failures(
    topology: Topology,
    catalogue_number: npt.NDArray[np.int64],
    satellites: Iterable[int] = (),
    links: Iterable[tuple[int, int]] = (),
    *,
    place: str = "network",
) -> Topology:
    """The same without what has failed.

    Args:
        topology: What was built.
        catalogue_number: (n_sat,), of its rows.
        satellites: catalogue numbers; all their links go, to the ground too.
        links: pairs of catalogue numbers.
        place: For messages.

    Raises:
        InputError: no such satellite, or no link between the two.
    """
    row_of = {int(number): row for row, number in enumerate(catalogue_number)}

    def row(number: int, field: str) -> int:
        if number not in row_of:
            raise InputError(
                f"no satellite in service has the catalogue number {number}",
                place=f"{place}, {field}",
                hint="`spotbeam elements show` lists them; filed shells count from 900000001",
            )
        return row_of[number]

    neighbour, is_up = topology.neighbour.copy(), topology.is_up.copy()
    for number in satellites:
        failed = row(number, "failed_satellites")
        is_up[failed] = False
        neighbour[neighbour == failed] = NO_SATELLITE
        neighbour[failed] = NO_SATELLITE
    for one, other in links:
        a, b = row(one, "failed_links"), row(other, "failed_links")
        if not (topology.neighbour[a] == b).any():
            raise InputError(
                f"satellites {one} and {other} are not linked", place=f"{place}, failed_links"
            )
        for here, there in ((a, b), (b, a)):
            neighbour[here, neighbour[here] == there] = NO_SATELLITE
    return Topology(neighbour, topology.grids, is_up)
