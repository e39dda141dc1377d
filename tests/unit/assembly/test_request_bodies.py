"""What people write of a request: when an answer is due, from when until when a ground holds."""

from __future__ import annotations

import pytest

from spotbeam.assembly.requests import request_body
from spotbeam.errors import InputError
from spotbeam.governance.entries.asking import Request
from spotbeam.times import format_time

NOW_US = 1_795_579_364_926_632  # 2026-11-25T04:02:44.926632Z


def asked(answer_by: str = "30d", valid: tuple[str, ...] = ()) -> Request:
    return request_body(
        view="un",
        verb="activate",
        asker="a-harbour",
        channel="letter",
        answer_by=answer_by,
        where=("MT",),
        grounds=("authorisation:mt-1",),
        valid=valid,
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


@pytest.mark.parametrize(
    ("given", "begins", "ends"),
    [
        (
            "2026-01-01T00:00:00Z/2026-07-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
        ),
        ("2026-01-01T00:00:00Z/", "2026-01-01T00:00:00Z", None),
        ("/2026-07-01T00:00:00Z", None, "2026-07-01T00:00:00Z"),
    ],
)
def test_a_ground_holds_from_one_instant_until_another(
    given: str, begins: str | None, ends: str | None
) -> None:
    (ground,) = asked(valid=(f"authorisation:mt-1={given}",)).grounds
    told = [each and format_time(each) for each in (ground.from_us, ground.until_us)]
    assert told == [begins, ends]


@pytest.mark.parametrize(
    "given",
    ["/", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z/2026-01-01T00:00:00Z"],
)
def test_a_period_without_ends_or_with_them_reversed_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"--valid: .* is no period"):
        asked(valid=(f"authorisation:mt-1={given}",))
