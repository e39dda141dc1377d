"""Impact of a change over a million terminals: Spotbeam beside what a user would do instead.

    python benchmarks/bench_impact.py [--terminals 1000000] [--few 1000000]

Contenders get the same terminals and the same two policies: a grant for each country of the world
but one, a speed cap and an exemption; the change grants an oblast and drops a country. Beside ours,
which lists every change and counts by fleet, sponsor, protection, mobility and territory: two whole
vectorised runs, each compiled and located anew, that only say who changes; and GeoPandas, a spatial
join of points with territories before and after, and the rules in pandas, that says no reasons.
Who changes is compared terminal by terminal before anything is timed. What people sign, on cells
and rules, is timed as well: nothing to compare with.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
from side_by_side import compare

from spotbeam.land.territories import ground as ground_of
from spotbeam.service.compiled import bind, compile_policy, verdicts
from spotbeam.service.policy import Policy
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminals
from spotbeam.times import parse_time
from spotbeam.twin.impact.over_terminals import terminal_impact
from spotbeam.twin.impact.public import public_impact

AT_US = parse_time("2026-06-01T12:00:00Z")
CAP_KMH = 75.0


def policies(ground):
    countries = [name for name in ground.ids() if len(name) == 2 and name not in ("XZ", "UA")]
    before = [
        {"id": f"{name}-ok", "effect": "grant", "gate": "territory", "where": [name],
         "grounds": ["authorisation:x"]}
        for name in countries
    ]  # fmt: skip
    shared = [
        {"id": "cap", "effect": "deny", "gate": "mobility", "thresholds": {"over_kmh": CAP_KMH},
         "who": {"verified": False}, "grounds": ["order:x"]},
        {"id": "medical", "effect": "exempt", "lifts": ["mobility"],
         "who": {"protection": ["medical"]}, "grounds": ["contract:x"]},
    ]  # fmt: skip
    after = [rule for rule in before if rule["id"] != "RO-ok"]
    after.append({"id": "oblast", "effect": "grant", "gate": "territory", "where": ["UA-51"],
                  "grounds": ["authorisation:y"]})  # fmt: skip
    known = ground.ids()
    return tuple(
        Policy(rules=rules_from([*rules, *shared], "benchmark", known_territories=known))
        for rules in (before, after)
    )


def terminals_over(n):
    source = np.random.default_rng(7)
    return Terminals.from_columns(
        {
            "id": np.char.add("kit-", np.arange(n).astype(str)),
            "lat_deg": source.uniform(35, 60, n),
            "lon_deg": source.uniform(-10, 50, n),
            "fleet": source.choice(["a", "b", "c", "d"], n),
            "sponsor": source.choice(["s", "t", ""], n),
            "protection": source.choice(["none", "none", "none", "medical"], n),
            "verified": source.random(n) < 0.5,
            "speed_kmh": source.integers(0, 120, n),
            "position_error_m": source.choice([0.0, 0.0, 0.0, 15.0], n),
        }
    )


def two_runs(before, after, ground, terminals):
    """Everything twice, as from two calls of a verdict service."""
    outcomes = []
    for policy in (before, after):
        compiled = compile_policy(policy, ground)
        columns = verdicts(compiled, bind(compiled, terminals), AT_US)
        outcomes.append((columns.outcome, columns.reason))
    (was, why_was), (now, why) = outcomes
    changed = (was != now) | (why_was != why)
    return set(np.flatnonzero(changed & (was != now)).tolist())


class ByJoin:
    """A spatial join of points with territories, before and after, and pandas for the rules."""

    def __init__(self, before, after, ground):
        self.policies = before, after
        names = sorted({n for policy in (before, after) for r in policy.rules for n in r.where})
        shapes = [ground.geometry(name) for name in names]
        self.territories = geopandas.GeoDataFrame({"territory": names}, geometry=shapes, crs=4326)

    def served(self, policy, frame):
        granted = {n for rule in policy.rules if rule.gate == "territory" for n in rule.where}
        ground = self.territories[self.territories.territory.isin(granted)]
        joined = geopandas.sjoin(frame, ground, predicate="within")
        is_granted = frame.index.isin(joined.index)
        too_fast = (frame.speed_kmh > CAP_KMH) & ~frame.verified & (frame.protection != "medical")
        return pd.Series(is_granted, frame.index) & ~too_fast

    def changed(self, frame):
        before, after = (self.served(policy, frame) for policy in self.policies)
        return set(np.flatnonzero((before != after).to_numpy()).tolist())


def frame_of(terminals):
    points = geopandas.points_from_xy(terminals.lon_deg, terminals.lat_deg)
    protection = np.array(["none", "medical", "emergency", "aid"])[terminals.protection]
    columns = {
        "speed_kmh": terminals.speed_kmh,
        "verified": terminals.verified,
        "protection": protection,
    }
    return geopandas.GeoDataFrame(columns, geometry=points, crs=4326)


def ours(before, after, ground, terminals):
    return terminal_impact(before, after, (ground, terminals), AT_US)


def service_changes(found, terminals):
    kinds = np.array(found.changes["kind"].to_pylist())
    ids = np.array(found.changes["id"].to_pylist())[np.isin(kinds, ("lost", "gained"))]
    return {int(name.removeprefix("kit-")) for name in ids}


def what_people_sign():
    """One change over a country and one over an oblast, in a record of the tests' making."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from support.governance import rule
    from support.impacts import black_sea, change_of

    from spotbeam.governance.entries.acts import DropRule, PutRule

    world = black_sea()
    changes = {
        "an oblast": change_of(world, PutRule(rule("b", where=("UA-43",)))),
        "a country": change_of(world, DropRule("ua-authorised")),
    }
    for name, body in changes.items():
        public_impact(world.now, body, "b", world.clock_us)
        began = time.process_time()
        digest = public_impact(world.now, body, "b", world.clock_us).digest
        spent = time.process_time() - began
        print(f"what people sign, {name}: {spent:.2f} s of CPU after set-up, {digest[:16]}…")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--terminals", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=1_000_000, help="terminals for GeoPandas")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    ground = ground_of("un")
    before, after = policies(ground)
    many = terminals_over(options.terminals)
    few = many.take(np.arange(options.few))
    by_join, frame = ByJoin(before, after, ground), frame_of(few)
    listed = service_changes(ours(before, after, ground, few), few)
    assert listed == two_runs(before, after, ground, few)
    theirs = by_join.changed(frame)
    # A disc that crosses a border is one thing that a join of points does not know.
    exact = set(np.flatnonzero(few.position_error_m == 0).tolist())
    assert listed & exact == theirs & exact, (len(listed), len(theirs))
    assert len(listed) > 100
    print(f"{len(listed):,} of {options.few:,} terminals gain or lose; the lists are equal")
    compare(
        {
            "one lookup, two policies (Spotbeam)": lambda: ours(before, after, ground, many),
            "two whole vectorised runs": lambda: two_runs(before, after, ground, many),
        },
        repeats=options.repeats,
        items=(options.terminals, "terminals"),
        title=f"Impact over {options.terminals:,} terminals",
    )
    compare(
        {
            "one lookup, two policies (Spotbeam)": lambda: ours(before, after, ground, few),
            "GeoPandas, joined before and after": lambda: by_join.changed(frame),
        },
        repeats=options.repeats,
        items=(options.few, "terminals"),
        title=f"Impact over {options.few:,} terminals",
    )
    what_people_sign()


if __name__ == "__main__":
    main()
