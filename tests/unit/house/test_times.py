"""Instants, durations and grids."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbeam.errors import InputError
from spotbeam.times import (
    TimeGrid,
    format_duration,
    format_time,
    from_datetime,
    julian_date,
    parse_duration,
    parse_time,
)

MOMENTS = st.datetimes(datetime(1957, 10, 4), datetime(2199, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(MOMENTS)
def test_a_time_survives_being_written_and_read(moment: datetime) -> None:
    assert parse_time(format_time(from_datetime(moment))) == from_datetime(moment)


@pytest.mark.parametrize(
    "text",
    ["2026-06-14", "2026-06-14T00:00:00", "2026-06-14T00:00:00+01:00", "2026-02-30T00:00:00Z"],
)
def test_only_utc_times_that_exist_are_read(text: str) -> None:
    with pytest.raises(InputError, match="is not a time"):
        parse_time(text)


def test_the_julian_date_of_j2000() -> None:
    # 2000-01-01T12:00:00 is JD 2451545.0 by definition (IAU 1994, resolution C7).
    jd, fraction = julian_date(parse_time("2000-01-01T12:00:00Z"))
    assert jd + fraction == 2451545.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("4m", 240), ("1h", 3600), ("1d", 86400), (90, 90), ("0.5", 0.5)],
)
def test_durations(text: str | int, seconds: float) -> None:
    assert parse_duration(text) == seconds * 1_000_000
    assert parse_duration(format_duration(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "1 hour", "-5s", "0s", "1e3", "٣s", True])
def test_what_is_no_duration_is_refused(text: str | bool) -> None:
    with pytest.raises(InputError):
        parse_duration(text)


@pytest.mark.parametrize("value", ["-5m", "-0.5", -5, "0s", 0])
def test_a_duration_that_is_not_above_zero_is_called_that(value: str | int) -> None:
    with pytest.raises(InputError, match=f"{value!r} is not above zero"):
        parse_duration(value)


@given(st.integers(1, 10**6), st.integers(1, 10**5))
def test_a_grid_covers_its_window_and_no_more(duration_s: int, step_s: int) -> None:
    grid = TimeGrid.over(0, duration_s * 1_000_000, step_s * 1_000_000)
    assert grid.end_us >= duration_s * 1_000_000 > grid.end_us - grid.step_us
    assert np.array_equal(grid.times_us(0, 1), [0])
