"""Dwell, hysteresis and day counters: against a reading of the whole history at once."""

from __future__ import annotations

import random

import pytest

from spotbeam.service.memory import FRESH, SETTLED, Memory, RuleMemory, remember
from spotbeam.service.policy import Policy
from spotbeam.service.position import Motion, Position
from spotbeam.service.rules import DAY_US, rules_from
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import verdict

SECOND_US = 1_000_000
HERE = Position(lat_deg=0.0, lon_deg=0.0, own=("UA",), discs={0.0: (("UA",),)})
AWAY = Position(lat_deg=0.0, lon_deg=0.0, own=("RO",), discs={0.0: (("RO",),)})


def policy_with(**fields):
    grant = {"id": "open", "effect": "grant", "gate": "territory", "grounds": ["a:b"]}
    return Policy(rules=rules_from([grant, {"id": "r", "grounds": ["a:b"]} | fields], "p.toml"))


def is_blocked(history, over, clear, for_s, limit_m):
    """Whether a rule holds at the end of a history of (seconds, km/h, metres).

    It does if at some moment speed and altitude had been over, at every sample without a break,
    for `for_s` seconds, and no sample since then was clear.
    """

    def is_over(sample):
        return sample[1] > over and (limit_m is None or sample[2] > limit_m)

    def is_clear(sample):
        if clear is None:
            return not is_over(sample)
        return sample[1] < clear or (limit_m is not None and sample[2] <= limit_m)

    for bite in range(len(history)):
        start = bite
        while start >= 0 and is_over(history[start]):
            start -= 1
        run = history[start + 1 : bite + 1]
        bites = run and run[-1][0] - run[0][0] >= for_s
        if bites and not any(is_clear(sample) for sample in history[bite + 1 :]):
            return True
    return False


@pytest.mark.parametrize("clear", [None, 65, 75])
@pytest.mark.parametrize("for_s", [0, 10, 25])
@pytest.mark.parametrize("limit_m", [None, 50])
def test_dwell_and_hysteresis_follow_the_whole_history(clear, for_s, limit_m):
    thresholds = {"over_kmh": 75, "for_s": for_s}
    if clear is not None:
        thresholds["clear_below_kmh"] = clear
    if limit_m is not None:
        thresholds["over_altitude_m"] = limit_m
    policy = policy_with(effect="deny", gate="mobility", thresholds=thresholds)
    source = random.Random(7)
    outcomes = set()
    for _ in range(40):
        memory, history, second = FRESH, [], 0
        for _ in range(25):
            second += source.choice((1, 5, 10))
            sample = (second, source.choice((60, 65, 70, 75, 80, 90)), source.choice((40, 60, 60)))
            history.append(sample)
            motion = Motion(speed_kmh=sample[1], altitude_m=sample[2])
            # Ground and person make no difference to what is remembered of a motion.
            position = source.choice((HERE, AWAY))
            answer, memory = verdict(
                policy, Terminal(id="a"), position, motion, memory, second * SECOND_US, "un"
            )
            expected = is_blocked(history, 75, clear, for_s, limit_m)
            assert (answer.outcome == "deny") == expected, history
            outcomes.add(answer.outcome)
    assert outcomes == {"allow", "deny"}


def test_the_verdict_knows_when_a_dwell_will_end():
    policy = policy_with(effect="deny", gate="mobility", thresholds={"over_kmh": 75, "for_s": 10})
    answer, memory = verdict(policy, Terminal(id="a"), HERE, Motion(speed_kmh=80), FRESH, 0, "un")
    assert (answer.outcome, answer.valid_until_us) == ("allow", 10 * SECOND_US)
    answer, _ = verdict(
        policy, Terminal(id="a"), HERE, Motion(speed_kmh=80), memory, 10 * SECOND_US, "un"
    )
    assert answer.outcome == "deny"


def test_days_on_the_ground_count_once_each_and_only_there():
    policy = policy_with(effect="deny", gate="plan", where=["UA"], thresholds={"over_days": 2})
    memory, outcomes = FRESH, []
    visits = [(0, HERE), (0, HERE), (1, AWAY), (1, HERE), (1, HERE), (5, AWAY), (6, HERE)]
    for day, position in visits:
        answer, memory = verdict(
            policy, Terminal(id="a"), position, Motion(), memory, day * DAY_US + 1000, "un"
        )
        outcomes.append((answer.outcome, memory.rules["r"].days))
    assert outcomes == [
        ("allow", 1),
        ("allow", 1),
        ("allow", 1),
        ("allow", 2),
        ("allow", 2),
        ("allow", 2),
        ("deny", 3),
    ]


def test_a_settled_memory_never_changes_and_skips_the_dwell():
    policy = policy_with(effect="deny", gate="mobility", thresholds={"over_kmh": 75, "for_s": 60})
    who, fast = Terminal(id="a"), Motion(speed_kmh=80)
    answer, memory = verdict(policy, who, HERE, fast, SETTLED, 0, "un")
    assert (answer.outcome, memory) == ("deny", SETTLED)
    assert verdict(policy, who, HERE, Motion(), memory, 1, "un")[0].outcome == "allow"


def test_a_memory_keeps_what_another_policy_left_in_it():
    policy = policy_with(effect="deny", gate="mobility", thresholds={"over_kmh": 75})
    before = Memory(rules={"elsewhere": RuleMemory(blocked=True)}, data_gb=5.0)
    after = remember(policy, HERE, Motion(), before, 1)
    assert after.rules["elsewhere"] == RuleMemory(blocked=True)
    assert after.rules["r"] == RuleMemory()
    assert after.data_gb == 5.0
