"""A site's state is that of most steps; ties go to the worse."""

import numpy as np
import pytest

from spotbeam.service.status import PUBLIC_WORDS
from spotbeam.twin.tables import prevailing


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (["available", "withheld", "available"], "available"),
        (["available", "withheld"], "withheld"),
        (["withheld", "available"], "withheld"),
        (["out_of_view", "not_offered"], "not_offered"),
        (["available", "out_of_view"], "out_of_view"),
    ],
)
def test_most_steps_win_and_ties_go_to_the_worse(words: list[str], most: str) -> None:
    index = PUBLIC_WORDS.index
    physical = ("available", "out_of_view")
    states = prevailing(
        np.array([[-1 if word in physical else index(word)] for word in words]),
        np.array([[index("available")] for _ in words]),
        index("out_of_view"),
        np.array([[word == "available"] for word in words], dtype=np.uint32),
        [1] * len(words),
        PUBLIC_WORDS,
    )
    assert PUBLIC_WORDS[states.state[0]] == most
    assert words[states.segment[0]] == most, "the segment that speaks for it had that state"
