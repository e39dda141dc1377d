"""What a run remembers of each site: a few counts that merge in order, block by block.

Memory does not grow with duration, and neither the size of the blocks nor the number of workers
changes the result: merging is associative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.uint32]


class Tally(NamedTuple):
    """Satellites in view of n sites over some consecutive steps.

    A *gap* is a run of steps without a satellite in view; `head` and `tail` are the gaps at the
    two ends, which a neighbouring block may lengthen.
    """

    steps: int
    minimum: npt.NDArray[np.uint16]
    maximum: npt.NDArray[np.uint16]
    total: npt.NDArray[np.uint64]
    longest_gap: Counts
    head_gap: Counts
    tail_gap: Counts
    available: Counts  # (n_segment, n): steps with one or more in view, by segment of the policy

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean number of satellites in view, shape (n,)."""
        mean: npt.NDArray[np.float64] = self.total / max(1, self.steps)
        return mean

    @property
    def available_fraction(self) -> npt.NDArray[np.float64]:
        """Share of the steps with one or more in view, shape (n,)."""
        share: npt.NDArray[np.float64] = self.available.sum(axis=0) / max(1, self.steps)
        return share


def tally(
    in_view: npt.NDArray[np.uint16], segment: npt.NDArray[np.int64], n_segments: int
) -> Tally:
    """Count one block.

    Args:
        in_view: Satellites in view, shape (n_time, n).
        segment: The segment of the policy that each step lies in, shape (n_time,).
        n_segments: How many segments the whole run has.
    """
    steps, sites = in_view.shape
    seen = in_view > 0
    available = np.zeros((n_segments, sites), dtype=np.uint32)
    for index in np.unique(segment):
        available[index] = seen[segment == index].sum(axis=0)
    current = np.zeros(sites, dtype=np.uint32)
    longest = np.zeros(sites, dtype=np.uint32)
    for row in seen:
        current += 1
        current[row] = 0
        np.maximum(longest, current, out=longest)
    first = seen.argmax(axis=0).astype(np.uint32)
    head = np.where(seen.any(axis=0), first, np.uint32(steps))
    return Tally(
        steps=steps,
        minimum=in_view.min(axis=0),
        maximum=in_view.max(axis=0),
        total=in_view.sum(axis=0, dtype=np.uint64),
        longest_gap=longest,
        head_gap=head,
        tail_gap=current,
        available=available,
    )


def merge(earlier: Tally, later: Tally) -> Tally:
    """The tally of two neighbouring blocks, the earlier one first."""
    bridged = earlier.tail_gap + later.head_gap
    return Tally(
        steps=earlier.steps + later.steps,
        minimum=np.minimum(earlier.minimum, later.minimum),
        maximum=np.maximum(earlier.maximum, later.maximum),
        total=earlier.total + later.total,
        longest_gap=np.maximum(np.maximum(earlier.longest_gap, later.longest_gap), bridged),
        head_gap=np.where(earlier.head_gap == earlier.steps, bridged, earlier.head_gap),
        tail_gap=np.where(later.tail_gap == later.steps, bridged, later.tail_gap),
        available=earlier.available + later.available,
    )
