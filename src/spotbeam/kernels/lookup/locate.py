"""The face of each of many points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from spotbeam.kernels.lookup.index import HEAD, cell_value, face_at
from spotbeam.kernels.lookup.raster import column_of, row_of
from spotbeam.kernels.lookup.sides import map_place

# Points are taken this many at a time: their records are called up from memory all together, which
# hides most of the wait for it.
_BATCH = 64


@njit(cache=True, nogil=True)
def locate(
    block: Any,
    fine: Any,
    word: Any,
    number: Any,
    slot_hash: Any,
    slot_face: Any,
    final: Any,
    lat_deg: Any,
    lon_deg: Any,
) -> Any:
    """The face of each point, -1 where it is no place (NaN, latitude beyond a pole).

    The first six arguments are the arrays of `Raster`; `final`, int32 of shape (n_face,), is what
    to answer for each of its faces. `lat_deg` and `lon_deg` are float64 of shape (n,); a longitude
    may be any finite number.
    """
    count = len(lat_deg)
    out = np.empty(count, dtype=np.int32)
    x = np.empty(_BATCH, dtype=np.float64)
    y = np.empty(_BATCH, dtype=np.float64)
    waiting = np.empty(_BATCH, dtype=np.int64)
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
    # Without a use of `seen` the compiler would leave the early reads out.
    if count > 0 and seen == np.uint64(0x5EED) and out[0] == -2:
        out[0] = -1
    return out
