"""What the analysis calls idle really is: taking it out changes no answer."""

from __future__ import annotations

import random

import msgspec
import numpy as np
from support.policies import T0, policy_of, random_tables, random_terminals
from support.rectangles import Rectangles

from spotbeam.service.analysis import check
from spotbeam.service.compiled import compile_policy, verdicts

GROUND = Rectangles()


def test_what_is_called_idle_can_be_taken_out_and_nothing_changes():
    """Over random policies and terminals whose disc touches no more than two sorts of ground."""
    idle = 0
    for seed in range(32):
        source = random.Random(seed)
        tables = random_tables(source, 7)
        whole = policy_of(tables)
        findings = check(whole, GROUND)
        terminals = random_terminals(source, 3000)
        for finding in findings:
            assert finding.kind != "not_decided"
            idle += 1
            without = msgspec.structs.replace(
                whole, rules=tuple(r for r in whole.rules if r.id != finding.rule)
            )
            few = terminals.take(_touching_at_most_two(whole, terminals))
            for at_us in (T0, T0 + 7 * 3_600_000_000):
                for settled in (True, False):
                    one, other = (
                        verdicts(compile_policy(p, GROUND), few, at_us, settled=settled)
                        for p in (whole, without)
                    )
                    assert np.array_equal(one.outcome, other.outcome), (seed, finding)
                    assert np.array_equal(one.reason, other.reason), (seed, finding)
                    assert np.array_equal(one.max_mbps, other.max_mbps, equal_nan=True)
    assert idle > 12


def _touching_at_most_two(policy, terminals):
    widest_m = max(policy.guards_km()) * 1000.0 + terminals.position_error_m.astype(float)
    lat, lon = np.nan_to_num(terminals.lat_deg), np.nan_to_num(terminals.lon_deg)
    index, sets = GROUND.touched(lat, lon, widest_m)
    sorts = [
        {
            tuple(rule.covers(GROUND.face_territories[face]) for rule in policy.rules)
            for face in faces
        }
        for faces in sets
    ]
    return np.array([len(sort) <= 2 for sort in sorts])[index]
