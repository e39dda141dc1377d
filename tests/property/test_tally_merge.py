"""Merging tallies of blocks gives what the whole run gives, wherever it is cut."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spotbeam.twin.tally import Tally, merge, tally


def obvious(in_view: np.ndarray, segment: np.ndarray, n_segments: int) -> dict[str, list]:
    """Count site by site, step by step, with nothing clever."""
    rows: dict[str, list] = {"longest_gap": [], "total": [], "minimum": [], "available": []}
    for site in range(in_view.shape[1]):
        counts = in_view[:, site].tolist()
        text = "".join("x" if count else "." for count in counts)
        rows["longest_gap"].append(max(len(gap) for gap in text.split("x")))
        rows["total"].append(sum(counts))
        rows["minimum"].append(min(counts))
        rows["available"].append(
            [
                sum(1 for c, s in zip(counts, segment, strict=True) if c and s == index)
                for index in range(n_segments)
            ]
        )
    return rows


@st.composite
def runs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, list[int]]:
    steps = draw(st.integers(1, 24))
    sites = draw(st.integers(0, 4))
    counts = draw(
        st.lists(
            st.lists(st.sampled_from([0, 0, 1, 3]), min_size=sites, max_size=sites),
            min_size=steps,
            max_size=steps,
        )
    )
    n_segments = draw(st.integers(1, 3))
    segment = sorted(draw(st.lists(st.integers(0, n_segments - 1), min_size=steps, max_size=steps)))
    cuts = sorted(draw(st.sets(st.integers(1, steps - 1), max_size=5))) if steps > 1 else []
    in_view = np.array(counts, dtype=np.uint16).reshape(steps, sites)
    return in_view, np.array(segment), n_segments, cuts


@given(runs())
def test_blocks_merge_to_the_whole(run: tuple[np.ndarray, np.ndarray, int, list[int]]) -> None:
    in_view, segment, n_segments, cuts = run
    edges = [0, *cuts, len(in_view)]
    merged: Tally | None = None
    for first, stop in itertools.pairwise(edges):
        part = tally(in_view[first:stop], segment[first:stop], n_segments)
        merged = part if merged is None else merge(merged, part)
    assert merged is not None
    expected = obvious(in_view, segment, n_segments)
    assert merged.steps == len(in_view)
    assert merged.longest_gap.tolist() == expected["longest_gap"]
    assert merged.total.tolist() == expected["total"]
    assert merged.minimum.tolist() == expected["minimum"]
    assert merged.available.T.tolist() == expected["available"]
