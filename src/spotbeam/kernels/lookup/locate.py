"""The face of each of many points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.faces import face_of_hash
from spotbeam.kernels.lookup.index import HEAD, STEP, Raster, face_at, mixed_hash, record_counts
from spotbeam.kernels.lookup.raster import BLOCK, BLOCK_COLUMNS, column_of, row_of
from spotbeam.kernels.lookup.sides import map_place

# Points are taken this many at a time and in stages, so that each stage's reads from memory are
# under way together: one by one, the waits would take twice as long as the work.
_BATCH = 128


def locate(
    raster: Raster,
    final: npt.NDArray[np.int32],
    lat_deg: npt.NDArray[np.float64],
    lon_deg: npt.NDArray[np.float64],
) -> npt.NDArray[np.int32]:
    """The face of each point, -1 where it is no place (NaN, latitude beyond a pole).

    Args:
        raster: where to look.
        final: what to answer for each of its faces, shape (n_face,), int32.
        lat_deg, lon_deg: shape (n,), float64; a longitude may be any finite number.
    """
    out = np.empty(len(lat_deg), np.int32)
    floats, ints = np.empty((2, _BATCH)), np.empty((2, _BATCH), np.int64)
    found = np.empty(_BATCH, np.uint64)
    _locate(*raster, final, lat_deg, lon_deg, *floats, *ints, found, out)
    return out


@njit(cache=True, nogil=True)
def _locate(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    final: Any,
    lat_deg: Any,
    lon_deg: Any,
    y: Any,
    x: Any,
    record: Any,
    waiting: Any,
    found: Any,
    out: Any,
) -> Any:
    count = len(lat_deg)
    seen = np.uint64(0)
    for first in range(0, count, _BATCH):
        n = 0
        for i in range(first, min(first + _BATCH, count)):
            lat, lon = lat_deg[i], lon_deg[i]
            if not (-90.0 < lat < 90.0 and -180.0 <= lon < 180.0):
                lat, lon = map_place(lat, lon)
                if lat != lat:
                    out[i] = -1
                    continue
            place = (row_of(lat) // BLOCK) * BLOCK_COLUMNS + column_of(lon) // BLOCK
            value = np.int64(block[place])
            out[i] = final[max(value, 0)]
            y[n], x[n], waiting[n], record[n] = lat, lon, i, -1 - value
            n += int(value < 0)
        m = 0
        for k in range(n):
            row, column = row_of(y[k]), column_of(x[k])
            place = record[k] * BLOCK * BLOCK + (row % BLOCK) * BLOCK + column % BLOCK
            value = np.int64(fine[place])
            out[waiting[k]] = final[max(value, 0)]
            y[m], x[m], waiting[m], record[m] = y[k], x[k], waiting[k], -1 - value
            m += int(value < 0)
        # Call up the records, first where each begins, then the rest of it, eight words a line.
        for k in range(m):
            seen ^= word[record[k]]
        for k in range(m):
            n_segment, _ = record_counts(word, record[k])
            for at in range(record[k] + 7, record[k] + HEAD + STEP * n_segment, 8):
                seen ^= word[at]
        for k in range(m):
            found[k] = mixed_hash(word, number, record[k], y[k], x[k])
        for k in range(m):
            face = face_of_hash(slot_hash, slot_face, found[k])
            if face < 0:
                face = face_at(block, fine, word, number, slot_hash, slot_face, y[k], x[k])
            out[waiting[k]] = final[face]
    # Returned so that the compiler does not leave the early reads out.
    return seen
