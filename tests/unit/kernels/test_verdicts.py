"""The verdict kernel's own arithmetic; `test_verdict_equality` holds it to the scalar verdict."""

from __future__ import annotations

import math

import numpy as np

from spotbeam.kernels import verdicts as kernel
from spotbeam.service.position import distance_km
from spotbeam.service.rules import GATES, Gate
from spotbeam.service.terminals import Account
from spotbeam.service.verdict import REASONS, Outcome


def test_the_lowest_bit_of_every_word_is_found():
    source = np.random.default_rng(3)
    for bit in range(64):
        for _ in range(20):
            above = int(source.integers(0, 2**63)) << (bit + 1) & 0xFFFFFFFFFFFFFFFF
            assert kernel.lowest_bit(np.uint64(above | 1 << bit)) == bit


def test_codes_are_those_of_the_service():
    assert list(Outcome) == [kernel.ALLOW, kernel.LIMIT, kernel.DENY]
    assert GATES[kernel.TERRITORY] is Gate.TERRITORY
    for name in ("OK", "UNKNOWN_LOCATION", "NOT_AUTHORISED", "GUARD_BAND", "POLICY_STALE"):
        assert REASONS[getattr(kernel, name)] == name
    assert list(Account) == ["active", "none", "disabled", "unsupported"]
    assert REASONS[1:4] == ("NO_ACTIVE_ACCOUNT", "ACCOUNT_DISABLED", "UNSUPPORTED_VERSION")


def test_distance_equals_the_scalar_one_to_the_last_bit():
    source = np.random.default_rng(4)
    lat = source.uniform(-90, 90, (500, 2))
    lon = source.uniform(-180, 180, (500, 2))
    for (a, c), (b, d) in zip(lat, lon, strict=True):
        assert kernel.distance_km(a, b, c, d) == distance_km(a, b, c, d)
    assert math.isnan(kernel.distance_km(1.0, 2.0, math.nan, math.nan))
    assert math.isnan(distance_km(1.0, 2.0, math.nan, math.nan))
    assert distance_km(0.0, 0.0, 0.0, 180.0) == math.pi * 6371.0088
