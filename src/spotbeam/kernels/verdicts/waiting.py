"""When the next motion that lasts will be stopped by a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spotbeam.kernels.verdicts.tables import NEVER


def first_bite_us(
    over_since_us: npt.NDArray[np.int64],
    blocked: npt.NDArray[np.bool_],
    for_us: npt.NDArray[np.int64],
) -> int:
    """The first moment at which a rule bites on anybody whose motion goes on, or `NEVER`.

    Args:
        over_since_us, blocked: As in `MemoryColumns`, shape (n, n_motion_rule).
        for_us: How long each rule waits, shape (n_motion_rule,).
    """
    return int(_first_bite_us(over_since_us, blocked, for_us, np.int64(NEVER)))


@njit(cache=True, nogil=True)
def _first_bite_us(over_since_us: Any, blocked: Any, for_us: Any, never: int) -> int:
    first = never
    for i in range(over_since_us.shape[0]):
        for k in range(over_since_us.shape[1]):
            since = over_since_us[i, k]
            if since != never and not blocked[i, k] and since + for_us[k] < first:
                first = since + for_us[k]
    return first
