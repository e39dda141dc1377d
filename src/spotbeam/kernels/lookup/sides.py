"""On which side of a segment a point lies: exact, and never undecided.

A point exactly on an edge is taken for its neighbour a hair to the north and a still finer hair to
the east. So it belongs to the piece north of the edge, or east of it where the edge runs along a
meridian; the same neighbour is meant in every test, so no point falls in two pieces or in none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Shewchuk (1997), Adaptive precision floating-point arithmetic, section 4.3: a determinant larger
# than this times its magnitude has the right sign.
SIGN_IS_SURE = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
_SPLITTER = 134217729.0  # 2^27 + 1, Dekker (1971)

# Products of coordinates this small would underflow; no map resolves them.
_TINY_DEG = 1e-100


@njit(cache=True, nogil=True)
def is_left(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> bool:
    """Whether the point lies to the left of the line from a to b (y is up). a and b differ."""
    rise = (bx - ax) * (py - ay)
    run = (by - ay) * (px - ax)
    det = rise - run
    if abs(det) > SIGN_IS_SURE * (abs(rise) + abs(run)):
        return bool(det > 0.0)
    sign = _exact_sign(ax, ay, bx, by, px, py)
    if sign != 0:
        return bool(sign > 0)
    # On the line: a hair north decides, unless the line runs north.
    if bx != ax:
        return bool(bx > ax)
    return bool(by < ay)


@njit(cache=True, nogil=True)
def _exact_sign(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """The sign of (bx - ax)(py - ay) - (by - ay)(px - ax), without rounding."""
    expansion = np.empty(24)
    size = 0
    for side in range(2):
        if side == 0:
            u, u_tail = _difference(bx, ax)
            v, v_tail = _difference(py, ay)
        else:
            u, u_tail = _difference(ay, by)
            v, v_tail = _difference(px, ax)
        for i in range(2):
            for j in range(2):
                left = u if i == 0 else u_tail
                right = v if j == 0 else v_tail
                high, low = _product(left, right)
                size = _grow(expansion, size, low)
                size = _grow(expansion, size, high)
    # The components do not overlap and ascend: the largest that is not zero has the sign.
    for i in range(size - 1, -1, -1):
        if expansion[i] > 0.0:
            return 1
        if expansion[i] < 0.0:
            return -1
    return 0


@njit(cache=True, nogil=True)
def _difference(a: float, b: float) -> tuple[float, float]:
    """A difference and its rounding error (Knuth's two-diff)."""
    x = a - b
    b_virtual = a - x
    a_virtual = x + b_virtual
    return x, (a - a_virtual) + (b_virtual - b)


@njit(cache=True, nogil=True)
def _product(a: float, b: float) -> tuple[float, float]:
    """A product and its rounding error (Dekker, Veltkamp)."""
    x = a * b
    c = _SPLITTER * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLITTER * b
    b_high = c - (c - b)
    b_low = b - b_high
    error = ((a_high * b_high - x) + a_high * b_low + a_low * b_high) + a_low * b_low
    return x, error


@njit(cache=True, nogil=True)
def _grow(expansion: Any, size: int, term: float) -> int:
    """Add one number to an expansion without rounding (Shewchuk's grow-expansion)."""
    carry = term
    for i in range(size):
        x = carry + expansion[i]
        virtual = x - carry
        expansion[i] = (carry - (x - virtual)) + (expansion[i] - virtual)
        carry = x
    expansion[size] = carry
    return size + 1


@njit(cache=True, nogil=True)
def map_place(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Where a point stands on the map: latitude, and longitude in [-180, 180). NaN if nowhere.

    Longitudes may go around any number of times. A pole is one point: its longitude is taken for 0
    and it is moved inside the map by the smallest step.
    """
    if not (-90.0 <= lat_deg <= 90.0) or not math.isfinite(lon_deg):
        return math.nan, math.nan
    y, x = lat_deg, lon_deg
    if abs(y) == 90.0:
        x = 0.0
        if y > 0.0:
            y = 89.99999999999999  # the largest double under 90
    elif not (-180.0 <= x < 180.0):
        x = float(np.fmod(x, 360.0))  # exact, as is what follows
        if x >= 180.0:
            x -= 360.0
        elif x < -180.0:
            x += 360.0
    if abs(x) < _TINY_DEG:
        x = 0.0
    if abs(y) < _TINY_DEG:
        y = 0.0
    return y, x
