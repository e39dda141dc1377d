"""The edge's clock: witnesses and steady time; the wall clock only for time that nobody saw."""

from __future__ import annotations

import pytest
from support.edges import Steady

from spotbeam.edge.clock import Clock
from spotbeam.errors import MalformedRecord

NOW_S = 1_780_000_000
DAY_S = 86_400


def heard(steady: Steady, at_s: int = NOW_S, *, boot: str = "a") -> Clock:
    clock = Clock(steady, boot=boot, wall_s=at_s)
    clock.hear(at_s)
    return clock


def test_it_is_the_witnesses_time_and_what_has_passed_since() -> None:
    steady = Steady()
    clock = heard(steady)
    steady.passes(90)
    assert clock.now_s() == NOW_S + 90
    assert clock.silent_s() == 90
    clock.hear(NOW_S + 60)  # late in coming: the clock does not go back
    assert clock.now_s() == NOW_S + 90
    assert clock.silent_s() == 30
    clock.hear(NOW_S + 200)
    assert clock.now_s() == NOW_S + 200


def test_a_running_clock_never_asks_the_wall() -> None:
    """It is given the wall's time once, so that GNSS or NTP can move it as they like."""
    steady = Steady()
    clock = heard(steady)
    for wall_s in (0.0, NOW_S - 400 * DAY_S, NOW_S + 400 * DAY_S):
        control = Clock(steady, boot="b", wall_s=wall_s)  # a clock that believes the wall
        assert control.now_s() == wall_s
        assert clock.now_s() == NOW_S


@pytest.mark.parametrize("spoofed_s", [0, NOW_S - 99 * DAY_S, NOW_S + 99 * DAY_S])
def test_a_new_process_on_the_same_machine_goes_on_by_steady_time(spoofed_s: int) -> None:
    steady = Steady()
    kept = heard(steady).kept()
    steady.passes(3_600)
    again = Clock(steady, boot="a", wall_s=spoofed_s, kept=kept)
    assert again.now_s() == NOW_S + 3_600
    assert again.silent_s() == 3_600
    assert again.is_of_witnesses


def test_after_the_machine_was_off_the_wall_counts_forward_only() -> None:
    kept = heard(Steady()).kept()
    for wall_s, expected in ((NOW_S + DAY_S, NOW_S + DAY_S), (NOW_S - DAY_S, NOW_S), (0, NOW_S)):
        again = Clock(Steady(5.0), boot="b", wall_s=wall_s, kept=kept)
        assert again.now_s() == expected
        assert not again.is_of_witnesses
        assert again.heard_s == NOW_S


def test_the_witnesses_replace_what_the_wall_said() -> None:
    kept = heard(Steady()).kept()
    again = Clock(Steady(5.0), boot="b", wall_s=NOW_S + 400 * DAY_S, kept=kept)
    again.hear(NOW_S + 600)
    assert again.now_s() == NOW_S + 600
    assert again.is_of_witnesses


def test_an_unknown_boot_is_taken_for_a_new_one() -> None:
    steady = Steady()
    clock = Clock(steady, wall_s=NOW_S)
    clock.hear(NOW_S)
    steady.passes(10)
    again = Clock(steady, wall_s=NOW_S + 50, kept=clock.kept())
    assert again.now_s() == NOW_S + 50


def test_a_steady_clock_that_went_back_is_another_boot() -> None:
    kept = heard(Steady(5_000.0)).kept()
    again = Clock(Steady(10.0), boot="a", wall_s=NOW_S + 7, kept=kept)
    assert again.now_s() == NOW_S + 7


def test_without_a_file_the_records_own_time_counts() -> None:
    clock = Clock(Steady(), boot="a", wall_s=0.0, known_s=NOW_S)
    assert clock.now_s() == NOW_S
    assert clock.heard_s == NOW_S


def test_a_damaged_file_says_so() -> None:
    with pytest.raises(MalformedRecord, match="clock"):
        Clock(Steady(), wall_s=0.0, kept=b'{"time_s": "soon"}')
