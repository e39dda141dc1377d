"""Columns of verdicts equal one verdict at a time, for every kind of rule, gate and memory."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from support.policies import (
    policy_of,
    random_at_us,
    random_border_rule,
    random_memory,
    random_rule,
    random_tables,
    random_terminals,
)
from support.rectangles import Rectangles

from spotbeam.kernels.verdicts import NEVER, NO_DAY
from spotbeam.service.compiled import MemoryColumns, compile_policy, verdicts
from spotbeam.service.position import Motion, places
from spotbeam.service.verdict import FRESH, OUTCOMES, REASONS, SETTLED, verdict

GROUND = Rectangles()


def columns_of(compiled, memories):
    """Scalar memories as columns."""
    columns = MemoryColumns.fresh(compiled, len(memories))
    for row, memory in enumerate(memories):
        for slot, name in enumerate(compiled.motion_rules):
            since = memory.rules[name].over_since_us
            columns.over_since_us[row, slot] = NEVER if since is None else since
            columns.blocked[row, slot] = memory.rules[name].blocked
        for slot, name in enumerate(compiled.day_rules):
            last = memory.rules[name].last_day
            columns.days[row, slot] = memory.rules[name].days
            columns.last_day[row, slot] = NO_DAY if last is None else last
        columns.served[row] = memory.served
        columns.data_gb[row] = memory.data_gb
    return columns


def differences(seed, n, most_rules=12, make_rule=random_rule):
    """Decide n random terminals under one random policy both ways; what differs, and a count."""
    source = random.Random(seed)
    policy = policy_of(random_tables(source, most_rules, make_rule))
    at_us = random_at_us(source)
    terminals = random_terminals(source, n)
    compiled = compile_policy(policy, GROUND)
    mode = ("settled", "fresh", "history")[seed % 3]
    if mode == "history":
        memories = [random_memory(source, policy, at_us) for _ in range(n)]
        columns = verdicts(compiled, terminals, at_us, columns_of(compiled, memories))
    else:
        memories = [SETTLED if mode == "settled" else FRESH] * n
        columns = verdicts(compiled, terminals, at_us, settled=mode == "settled")
    positions = places(
        policy,
        GROUND,
        terminals.lat_deg,
        terminals.lon_deg,
        terminals.position_error_m,
        terminals.assurance,
    )
    ids = [*(rule.id for rule in policy.rules), None]
    found, seen = [], Counter()
    for row, terminal in enumerate(terminals.rows()):
        motion = Motion(speed_kmh=terminal.speed_kmh, altitude_m=terminal.altitude_m)
        one, memory = verdict(
            policy, terminal, positions[row], motion, memories[row], at_us, GROUND.view
        )
        expected = (one.outcome, one.reason, one.rule, one.max_mbps, one.valid_until_us)
        max_mbps, until_us = float(columns.max_mbps[row]), int(columns.valid_until_us[row])
        got = (
            OUTCOMES[columns.outcome[row]],
            REASONS[columns.reason[row]],
            ids[columns.rule[row]],
            None if np.isnan(max_mbps) else max_mbps,
            None if until_us == NEVER else until_us,
        )
        seen[one.outcome, one.reason] += 1
        if got != expected:
            found.append((seed, row, got, expected))
        if columns.memory is not None and columns.memory.row(compiled, row) != memory:
            found.append((seed, row, columns.memory.row(compiled, row), memory))
    return found, seen


def test_columns_equal_single_verdicts():
    seen = Counter()
    for seed in range(120):
        found, counts = differences(seed, 400)
        assert not found, found[:3]
        seen += counts
    assert {reason for _, reason in seen} == set(REASONS)
    assert seen["allow", "OK"] > 5000
    assert min(sum(n for (word, _), n in seen.items() if word == which) for which in OUTCOMES) > 900


def test_columns_equal_single_verdicts_with_more_rules_than_a_word_has_bits():
    for seed in range(3000, 3009):
        found, _ = differences(seed, 100, most_rules=300)
        assert not found, found[:3]


def test_columns_equal_single_verdicts_at_borders_in_silence():
    seen = Counter()
    for seed in range(4000, 4060):
        found, counts = differences(seed, 300, make_rule=random_border_rule)
        assert not found, found[:3]
        seen += counts
    assert seen["deny", "GUARD_BAND"] > 300
    assert seen["deny", "POLICY_STALE"] > 300


@pytest.mark.soak
def test_columns_equal_single_verdicts_a_million_times():
    total = 0
    for seed in range(10_000, 12_500):
        found, counts = differences(seed, 400, most_rules=12 if seed % 10 else 100)
        assert not found, found[:3]
        total += counts.total()
    assert total == 1_000_000
