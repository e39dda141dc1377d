"""When an answer is due, as people write it."""

from __future__ import annotations

import pytest

from spotbeam.assembly.requests import request_body
from spotbeam.errors import InputError
from spotbeam.governance.entries.asking import Request
from spotbeam.times import format_time

NOW_US = 1_795_579_364_926_632  # 2026-11-25T04:02:44.926632Z


def asked(answer_by: str) -> Request:
    return request_body(
        view="un",
        verb="activate",
        asker="a-harbour",
        channel="letter",
        answer_by=answer_by,
        where=("MT",),
        grounds=("authorisation:mt-1",),
        now_us=NOW_US,
    )


@pytest.mark.parametrize(
    ("given", "due"),
    [
        ("30d", "2026-12-25T04:02:44Z"),
        ("1m", "2026-11-25T04:03:44Z"),
        ("2026-12-01T00:00:00.75Z", "2026-12-01T00:00:00.75Z"),
        ("1s", "2026-11-25T04:02:45.926632Z"),
    ],
)
def test_days_end_on_a_whole_second_and_an_instant_stays_as_given(given: str, due: str) -> None:
    assert format_time(asked(given).answer_by_us) == due


def test_an_answer_time_that_is_past_is_refused() -> None:
    with pytest.raises(InputError, match="--answer-by: '2026-11-25T04:02:44Z' is past"):
        asked("2026-11-25T04:02:44Z")
