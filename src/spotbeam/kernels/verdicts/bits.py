"""Rules as bits of 64-bit words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NOTHING = np.uint64(0)
ONE = np.uint64(1)
WORD = 64

# Position of the only bit in a word: de Bruijn sequence, Leiserson, Prokop and Randall (1998).
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)
_BIT_OF = np.empty(WORD, dtype=np.int64)
for _bit in range(WORD):
    _BIT_OF[((0x03F79D71B4CB0A89 << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


@njit(cache=True, nogil=True)
def lowest_bit(word: Any) -> Any:
    """Position of the lowest bit of a word that is not empty."""
    return _BIT_OF[np.int64(((word & (~word + ONE)) * _DE_BRUIJN) >> _SHIFT)]
