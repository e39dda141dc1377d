"""The obvious form: lower every delay along every link until nothing changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths.compiled import UNREACHABLE_NS

Delays = npt.NDArray[np.int32]


def settle_exact(neighbour: npt.NDArray[np.int32], delay_ns: Delays, start_ns: Delays) -> Delays:
    """Least delays from every satellite, by Bellman and Ford: slow, and the judge of the others.

    Args:
        neighbour: (n_sat, k), -1 for none.
        delay_ns: (n_sat, k), of the link to each neighbour.
        start_ns: (n_sat, n), delays over the ground links alone.

    Returns:
        (n_sat, n), ns; `UNREACHABLE_NS` where there is no way.
    """
    least = np.minimum(start_ns, UNREACHABLE_NS).astype(np.int64)
    while True:
        before = least.copy()
        for column in range(neighbour.shape[1]):
            linked = neighbour[:, column] >= 0
            by_way = before[neighbour[linked, column]] + delay_ns[linked, column, None]
            least[linked] = np.minimum(least[linked], by_way)
        if np.array_equal(before, least):
            return least.astype(np.int32)
