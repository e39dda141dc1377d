"""The face of each of many points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.lookup.index import HEAD, Raster, cell_value, face_at
from spotbeam.kernels.lookup.raster import column_of, row_of
from spotbeam.kernels.lookup.sides import map_place

# Points are taken this many at a time: their records are called up from memory all together, which
# hides most of the wait for it.
_BATCH = 64


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
    scratch = np.empty(_BATCH), np.empty(_BATCH), np.empty(_BATCH, np.int64)
    _locate(*raster, final, lat_deg, lon_deg, *scratch, out)
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
    waiting: Any,
    out: Any,
) -> Any:
    count = len(lat_deg)
    seen = np.uint64(0)
    for first in range(0, count, _BATCH):
        n_waiting = 0
        for i in range(first, min(first + _BATCH, count)):
            lat, lon = lat_deg[i], lon_deg[i]
            if not (-90.0 < lat < 90.0 and -180.0 <= lon < 180.0):
                lat, lon = map_place(lat, lon)
                if lat != lat:
                    out[i] = -1
                    continue
            value = cell_value(block, fine, row_of(lat), column_of(lon))
            if value >= 0:
                out[i] = final[value]
                continue
            seen ^= word[-1 - value] ^ word[-1 - value + HEAD + 4]
            y[n_waiting], x[n_waiting] = lat, lon
            waiting[n_waiting] = i
            n_waiting += 1
        for k in range(n_waiting):
            face = face_at(block, fine, word, number, slot_hash, slot_face, y[k], x[k])
            out[waiting[k]] = final[face]
    # Returned so that the compiler does not leave the early reads out.
    return seen
