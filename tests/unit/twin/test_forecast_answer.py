"""A forecast's answer: the same however it is cut, and true to its definition step by step."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from spotbeam.assembly.build import build
from spotbeam.service.verdict import REASONS
from spotbeam.twin.coverage import BlockTally, CoverageWorker, merge_blocks
from spotbeam.twin.forecast import Plan, answer, plan
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.why import decide, explain

# Sparse enough for gaps, and a rule that is in force for the middle of the run only.
SCENARIO = """
name = "small"
[time]
start = "2026-01-01T00:00:00Z"
duration = "40m"
step = "30s"
[constellation]
shells = ["iridium-next"]
min_elevation_deg = 14
[area]
resolution = 2
bounds = [40.0, 22.0, 54.0, 44.0]
[[fleet]]
id = "lorries"
where = ["UA", "RO"]
count = 60
seed = 1
common = { mobility = "land", verified = false, speed_kmh = 80.0 }
[[rule]]
id = "licence"
gate = "territory"
effect = "grant"
where = ["UA", "UA/sea", "RO", "RO/sea"]
except = ["UA-43", "UA-40"]
grounds = ["authorisation:a"]
[[rule]]
id = "cap"
gate = "mobility"
effect = "deny"
where = ["UA"]
who = { verified = false }
thresholds = { over_kmh = 75 }
grounds = ["order:b"]
[[rule]]
id = "order"
gate = "order"
effect = "deny"
where = ["RO"]
when = [{ from = "2026-01-01T00:05:00Z", until = "2026-01-01T00:31:00Z" }]
grounds = ["order:c"]
[[request]]
verb = "withhold"
asker = "a neighbour"
where = ["UA-43"]
since = "2025-01-01T00:00:00Z"
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    scenario = parse_scenario(SCENARIO, place="small.toml")
    return plan(build(scenario, tmp_path_factory.mktemp("scenario")))


def computed(planned: Plan, cuts: list[int]) -> BlockTally:
    worker = CoverageWorker(planned.inputs)
    edges = [0, *cuts, planned.inputs.grid.count]
    parts = [worker.run(first, stop) for first, stop in itertools.pairwise(edges)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merge_blocks(merged, part)
    return merged


@pytest.mark.parametrize("cuts", [[1], [10, 62], list(range(1, 80))])
def test_where_the_run_is_cut_does_not_matter(planned: Plan, cuts: list[int]) -> None:
    whole, cut = answer(planned, computed(planned, [])), answer(planned, computed(planned, cuts))
    texts = [json.dumps(each.summary, sort_keys=True) for each in (whole, cut)]
    assert texts[0] == texts[1]
    assert whole.cells.equals(cut.cells)
    assert whole.terminals.equals(cut.terminals)


def test_the_run_is_cut_where_a_rule_begins_and_ends(planned: Plan) -> None:
    assert [segment.first_step for segment in planned.segments] == [0, 10, 62]


def test_each_cell_has_the_word_of_most_steps(planned: Plan) -> None:
    """Against `why`, asked at every step: another path to satellites, verdict and word."""
    world, grid = planned.world, planned.inputs.grid
    cells = answer(planned, computed(planned, [])).cells.to_pylist()
    order = ["available", "out_of_view", "awaiting_approval", "not_offered", "withheld"]
    order += ["blocked_by_order"]
    by_status = {cell["status"]: cell for cell in cells}
    assert {"available", "not_offered", "blocked_by_order"} <= set(by_status)
    for cell in by_status.values():
        reference = world.terminals.row(0)
        reference = type(reference)(id="r", lat_deg=cell["lat_deg"], lon_deg=cell["lon_deg"])
        found = [explain(world, reference, int(at_us)) for at_us in grid.times_us()]
        words = [each.status for each in found]
        most = max(order, key=lambda word: (words.count(word), order.index(word)))
        assert cell["status"] == most
        speaking = [each for each in found if each.status == most]
        reasons = {None if each.reason == "OK" else each.reason for each in speaking}
        assert cell["reason"] in reasons
        counts = [len(each.satellites) for each in found]
        assert cell["satellites_max"] == max(counts)
        assert cell["satellites_mean"] == pytest.approx(np.mean(counts))
        assert cell["available_fraction"] == pytest.approx(np.mean(np.array(counts) > 0))
        gaps = "".join("x" if count else "." for count in counts).split("x")
        assert cell["longest_gap_s"] == max(map(len, gaps)) * 30


def test_terminals_are_what_single_verdicts_say(planned: Plan) -> None:
    world = planned.world
    table = answer(planned, computed(planned, [])).terminals.to_pylist()
    middle_us = int(planned.inputs.grid.times_us()[30])  # most steps are like this one
    for index, row in enumerate(table):
        decided = decide(world, middle_us, world.terminals.row(index), world.policy)
        if decided.outcome == "deny":
            assert (row["state"], row["reason"]) == ("denied", decided.reason)
            assert row["rule"] == decided.rule
        else:
            assert row["state"] in ("served", "no_satellite")
        assert row["reason"] is None or row["reason"] in (*REASONS, "no_satellite")
