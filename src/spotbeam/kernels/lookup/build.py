"""From rings of regions to the filled raster."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.lookup.faces import FaceLog, empty_log, face_table
from spotbeam.kernels.lookup.index import Raster, fill_faces, lay_out
from spotbeam.kernels.lookup.labels import Edges, label_edges
from spotbeam.kernels.lookup.raster import (
    COLUMNS,
    Segments,
    corner_crossings,
    region_keys,
    touched_cells,
    unique_segments,
)


class Lookup(NamedTuple):
    """All that answers questions about points.

    Attributes:
        raster, edges: see there.
        faces: for each face the regions that hold it, ascending. Face 0 is where there is none.
    """

    raster: Raster
    edges: Edges
    faces: tuple[tuple[int, ...], ...]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = (*self.raster, *self.edges)
        return sum(array.nbytes for array in arrays) - self.raster.number.nbytes


def build_lookup(
    corners: npt.NDArray[np.float64],
    ring_start: npt.NDArray[np.int64],
    ring_region: npt.NDArray[np.int32],
    n_region: int,
) -> Lookup:
    """Build the raster of regions.

    Args:
        corners: shape (n_corner, 2): longitude in [-180, 180], latitude in [-90, 90], the rings one
            after the other, each closed. Holes are rings like any other.
        ring_start: shape (n_ring + 1,): where each ring begins.
        ring_region: shape (n_ring,): the region that each ring bounds.
        n_region: how many regions there are.
    """
    segments = unique_segments(corners, ring_start, ring_region, region_keys(n_region))
    pairs = touched_cells(segments.ends, segments.key)
    layout = lay_out(*pairs, segments.ends, segments.key)
    crossings = corner_crossings(segments.ends, segments.key)
    room = 1 << 16
    while True:
        log, slot_hash, slot_face = empty_log(room)
        raster = Raster(
            layout.block.copy(),
            layout.fine.copy(),
            layout.word,
            layout.word.view(np.float64),
            slot_hash,
            slot_face,
        )
        done = fill_faces(
            raster.block,
            raster.fine,
            raster.word,
            *crossings,
            segments.key,
            *log,
            slot_hash,
            slot_face,
            np.full(COLUMNS + 1, -1, np.int32),
            np.empty(len(crossings.column), np.int32),
        )
        edges = label_edges(raster, layout.start, layout.pair_segment, log) if done else None
        if edges is not None:
            return _of_real_faces(raster, edges, log, segments)
        room *= 4


def _of_real_faces(
    raster: Raster,
    edges: Edges,
    log: FaceLog,
    segments: Segments,
) -> Lookup:
    """Number the faces that are somewhere, and say which regions hold them."""
    count = int(log.used[0])
    real = np.zeros(count, dtype=bool)
    real[0] = True
    tables = (raster.block, raster.fine, edges.face, edges.sides)
    for table in tables:
        real[table[table >= 0]] = True
    number = np.cumsum(real, dtype=np.int32) - np.int32(1)
    for table in tables:
        table[...] = np.where(table >= 0, number[np.maximum(table, 0)], table)
    regions: list[frozenset[int]] = [frozenset()]
    met_from, met_over = log.parent[:count].tolist(), log.segment[:count].tolist()
    first, bounds = segments.use_start.tolist(), segments.use_region.tolist()
    for parent, segment in zip(met_from[1:], met_over[1:], strict=True):
        held = regions[parent]
        for region in bounds[first[segment] : first[segment + 1]]:
            held ^= {region}
        regions.append(held)
    faces = tuple(tuple(sorted(regions[i])) for i in np.flatnonzero(real).tolist())
    slot_hash, slot_face = face_table(log.hash[:count][real])
    return Lookup(raster._replace(slot_hash=slot_hash, slot_face=slot_face), edges, faces)
