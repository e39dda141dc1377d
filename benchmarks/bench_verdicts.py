"""Verdicts a second: Spotbeam beside Cedar and beside an indexed Python dictionary.

    python benchmarks/bench_verdicts.py [--terminals 1000000]

The policy has some 1,000 rules (four a country: a grant, a speed cap, an altitude cap and an order
in a window of time, and an exempt for medical terminals). All contenders get the same terminals and
are compared decision by decision, with the deciding rule, before anything is timed. Cedar gets its
policies parsed beforehand and sliced by territory, which is how its own documentation says to use
it; the dictionary is indexed by everything but speed and altitude.
"""

from __future__ import annotations

import argparse
import json
import time

import cedarpy
import numpy as np
from side_by_side import compare

from spotbeam.land.territories import ground as ground_of
from spotbeam.service.compiled import Standing, bind, compile_policy, verdicts
from spotbeam.service.policy import Policy
from spotbeam.service.position import Motion, Position
from spotbeam.service.rules import Effect, Gate, rules_from
from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import SETTLED, verdict
from spotbeam.times import parse_time

AT_US = parse_time("2026-03-01T12:00:00Z")
PLANS = ("residential", "business", "mobile", "maritime")


def policy_over(ground):
    """Four rules for each country of the ground, and two that hold everywhere."""
    source = np.random.default_rng(5)
    countries = [name for name in ground.ids() if len(name) == 2 and name != "XZ"]
    tables = [
        {
            "id": "medical",
            "effect": "exempt",
            "lifts": ["mobility"],
            "who": {"protection": ["medical"]},
            "grounds": ["contract:relief"],
        },
        {
            "id": "sea",
            "effect": "grant",
            "gate": "territory",
            "where": ["XZ"],
            "who": {"plan": ["maritime"]},
            "grounds": ["contract:sea"],
        },
    ]
    for name in countries:
        shared = {"where": [name], "grounds": [f"authorisation:{name}"]}
        has_grant = source.random() < 0.8
        until = "2026-01-01T00:00:00Z" if source.random() < 0.5 else "2027-01-01T00:00:00Z"
        if has_grant:
            tables.append({"id": f"{name}-ok", "effect": "grant", "gate": "territory", **shared})
        tables += [
            {
                "id": f"{name}-speed",
                "effect": "deny",
                "gate": "mobility",
                "who": {"verified": False},
                "thresholds": {"over_kmh": int(source.choice([60, 75, 90]))},
                **shared,
            },
            {
                "id": f"{name}-height",
                "effect": "deny",
                "gate": "mobility",
                "who": {"plan": ["residential", "business"]},
                "thresholds": {"over_altitude_m": int(source.choice([3000, 5000]))},
                **shared,
            },
            {
                "id": f"{name}-order",
                "effect": "deny",
                "gate": "order",
                "who": {"plan": [str(source.choice(PLANS))]},
                "when": [{"until": until}],
                **shared,
            },
        ]
    return Policy(rules=rules_from(tables, "benchmark", known_territories=ground.ids()))


def terminals_over(n, lat_deg, lon_deg):
    """Terminals with whole numbers for speed and altitude, for Cedar has no others."""
    source = np.random.default_rng(6)
    return Terminals.from_columns(
        {
            "id": np.char.add("kit-", np.arange(n).astype(str)),
            "lat_deg": lat_deg,
            "lon_deg": lon_deg,
            "plan": source.choice(PLANS, n),
            "protection": source.choice(["none", "none", "none", "medical"], n),
            "verified": source.random(n) < 0.5,
            "speed_kmh": source.integers(0, 120, n),
            "altitude_m": source.integers(0, 6000, n),
        }
    )


# Cedar


def cedar_text(rule):
    """A rule as Cedar: a grant permits, a deny forbids; what exempts stands in `unless`."""
    tests = [f"context.territories.contains({json.dumps(name)})" for name in rule.where]
    tests = ["(" + " || ".join(tests) + ")"] if tests else []
    if rule.who.plan:
        tests.append(f"{json.dumps(list(rule.who.plan))}.contains(context.plan)")
    if rule.who.verified is not None:
        tests.append(f"context.verified == {json.dumps(rule.who.verified)}")
    asked = rule.thresholds
    if asked.over_kmh is not None:
        tests.append(f"context.speed_kmh > {int(asked.over_kmh)}")
    if asked.over_altitude_m is not None:
        tests.append(f"context.altitude_m > {int(asked.over_altitude_m)}")
    tests += [f"context.now < {window.until_us // 1_000_000}" for window in rule.when]
    effect = "permit" if rule.effect is Effect.GRANT else "forbid"
    unless = ' unless { context.protection == "medical" }' if rule.gate is Gate.MOBILITY else ""
    when = " && ".join(tests) or "true"
    return f'@id("{rule.id}")\n{effect}(principal, action, resource) when {{ {when} }}{unless};'


class Cedar:
    """Cedar with pre-parsed policies, sliced by face: what a good user would write."""

    def __init__(self, policy, faces):
        self.slices = {}
        self.rules = [rule for rule in policy.rules if rule.effect is not Effect.EXEMPT]
        self.faces = faces
        self.entities = cedarpy.Entities.from_json_str("[]")

    def slice_of(self, face):
        if face not in self.slices:
            here = [rule for rule in self.rules if rule.covers(self.faces[face])]
            self.slices[face] = cedarpy.PolicySet.from_str("\n".join(map(cedar_text, here)))
        return self.slices[face]

    def request(self, row, face):
        return {
            "principal": {"type": "Terminal", "id": row.id},
            "action": {"type": "Action", "id": "serve"},
            "resource": {"type": "Service", "id": "internet"},
            "context": {
                "territories": list(self.faces[face]),
                "plan": row.plan,
                "verified": row.verified,
                "protection": row.protection.value,
                "speed_kmh": int(row.speed_kmh),
                "altitude_m": int(row.altitude_m),
                "now": AT_US // 1_000_000,
            },
        }

    def decide(self, requests):
        return [
            cedarpy.is_authorized(request, self.slice_of(face), self.entities)
            for face, request in requests
        ]


# A dictionary


class Indexed:
    """A dictionary from face and attributes to the few tests that are left, in gate order."""

    def __init__(self, policy, faces):
        self.policy, self.faces, self.index = policy, faces, {}

    def decide(self, rows):
        answers = []
        index = self.index
        for face, plan, protection, verified, speed_kmh, altitude_m in rows:
            key = (face, plan, protection, verified)
            steps = index.get(key)
            if steps is None:
                steps = index[key] = self.steps(*key)
            for over_kmh, over_altitude_m, answer in steps:
                if speed_kmh > over_kmh and altitude_m > over_altitude_m:
                    answers.append(answer)
                    break
        return answers

    def steps(self, face, plan, protection, verified):
        """Tests and answers; the last answer needs no test."""
        rules = [
            rule
            for rule in self.policy.rules
            if rule.covers(self.faces[face])
            and rule.in_force(AT_US)
            and (not rule.who.plan or plan in rule.who.plan)
            and rule.who.verified in (None, verified)
        ]
        grants = [rule.id for rule in rules if rule.effect is Effect.GRANT]
        steps = [
            (-1, -1, ("deny", rule.id))
            for rule in rules
            if rule.effect is Effect.DENY and rule.gate is Gate.ORDER
        ]
        if not grants:
            return [*steps, (-1, -1, ("deny", None))]
        if protection != "medical":
            steps += [
                (
                    -1 if rule.thresholds.over_kmh is None else rule.thresholds.over_kmh,
                    -1 if rule.thresholds.over_altitude_m is None
                    else rule.thresholds.over_altitude_m,
                    ("deny", rule.id),
                )
                for rule in rules
                if rule.gate is Gate.MOBILITY
            ]  # fmt: skip
        return [*steps, (-1, -1, ("allow", grants[0]))]


def check_answers(policy, columns, rows, cedar_answers, dict_answers):
    """Every decision of the three, and the rules behind them, one by one."""
    ids = [*(rule.id for rule in policy.rules), None]
    words = columns.outcome_words()
    for number in range(len(rows)):
        ours = (words[number], ids[columns.rule[number]])
        assert dict_answers[number] == ours, (rows[number], dict_answers[number], ours)
        if number < len(cedar_answers):
            theirs = cedar_answers[number]
            assert not theirs.diagnostics.errors, theirs.diagnostics.errors
            assert theirs.allowed == (ours[0] == "allow"), (rows[number], ours)
            by = set(theirs.diagnostics.id_annotations_by_reason.values())
            is_default = ours[1] is None
            # Cedar names all that forbid; ours is the first of them, unless nothing was granted.
            assert is_default or ours[1] in by, (ours, by)


def near_borders(ground, n):
    """Points within 20 km of a border: neighbours in a random walk that are in different faces."""
    source = np.random.default_rng(8)
    lat, lon = [], []
    while sum(map(len, lat)) < n:
        a_lat = np.degrees(np.arcsin(source.uniform(-0.9, 0.99, 4_000_000)))
        a_lon = source.uniform(-180, 180, len(a_lat))
        b_lat = np.clip(a_lat + source.uniform(-0.15, 0.15, len(a_lat)), -90, 90)
        b_lon = np.clip(a_lon + source.uniform(-0.15, 0.15, len(a_lat)), -180, 180)
        crosses = ground.locate(a_lat, a_lon) != ground.locate(b_lat, b_lon)
        lat.append(a_lat[crosses])
        lon.append(a_lon[crosses])
    return np.concatenate(lat)[:n], np.concatenate(lon)[:n]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--terminals", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=5_000, help="terminals for Cedar")
    options = parser.parse_args()
    ground = ground_of("un")
    policy = policy_over(ground)
    faces = ground.face_territories
    began = time.process_time()
    compiled = compile_policy(policy, ground)
    print(f"{len(policy.rules)} rules over {len(faces)} faces, compiled in "
          f"{time.process_time() - began:.2f} s of CPU")  # fmt: skip

    n = options.terminals
    source = np.random.default_rng(7)
    lat, lon = np.degrees(np.arcsin(source.uniform(-1, 1, n))), source.uniform(-180, 180, n)
    terminals = terminals_over(n, lat, lon)
    border_lat, border_lon = near_borders(ground, n)
    at_border = terminals.moved(lat_deg=border_lat, lon_deg=border_lon)

    few = at_border.take(np.arange(options.few))
    rows = list(few.rows())
    face = ground.locate(few.lat_deg, few.lon_deg)
    own = face.astype(np.int32)
    standing = Standing(own, own[:, None].copy(), [])
    cedar, indexed = Cedar(policy, faces), Indexed(policy, faces)
    requests = [(f, cedar.request(row, f)) for f, row in zip(face.tolist(), rows, strict=True)]
    tuples = [
        (f, row.plan, row.protection.value, row.verified, row.speed_kmh, row.altitude_m)
        for f, row in zip(face.tolist(), rows, strict=True)
    ]
    places = [
        Position(lat_deg=row.lat_deg, lon_deg=row.lon_deg, own=faces[f], discs={0.0: (faces[f],)})
        for f, row in zip(face.tolist(), rows, strict=True)
    ]

    def scalar():
        return [
            verdict(policy, row, place, Motion(speed_kmh=row.speed_kmh, altitude_m=row.altitude_m),
                    SETTLED, AT_US, "un")
            for row, place in zip(rows[:50], places[:50], strict=True)
        ]  # fmt: skip

    def ours_known():
        return verdicts(compiled, bind(compiled, few, standing), AT_US)

    columns = ours_known()
    check_answers(policy, columns, rows, cedar.decide(requests), indexed.decide(tuples))
    print(f"{len(rows)} decisions equal, one by one, in Cedar, dictionary and columns: "
          f"{int((columns.outcome == 0).sum())} allowed")  # fmt: skip
    scalar()
    compare(
        {
            "Spotbeam, columns": ours_known,
            "indexed Python dictionary": lambda: indexed.decide(tuples),
            "Cedar, pre-parsed and sliced": lambda: cedar.decide(requests),
        },
        items=(len(rows), "verdicts"),
        title=f"{len(rows):,} verdicts near borders, the territory known",
    )

    many_face = ground.locate(terminals.lat_deg, terminals.lon_deg).astype(np.int32)
    many_standing = Standing(many_face, many_face[:, None].copy(), [])
    many_tuples = list(
        zip(
            many_face.tolist(),
            np.array(terminals.plan_names, dtype=object)[terminals.plan].tolist(),
            np.where(terminals.protection == 1, "medical", "none").tolist(),
            terminals.verified.tolist(),
            terminals.speed_kmh.tolist(),
            terminals.altitude_m.tolist(),
            strict=True,
        )
    )
    bound = bind(compiled, terminals, many_standing)
    bound_at_border = bind(compiled, at_border)
    compare(
        {
            "columns, whole: from latitude and longitude": lambda: verdicts(
                compiled, terminals, AT_US
            ),
            "columns, the territory known": lambda: verdicts(
                compiled, bind(compiled, terminals, many_standing), AT_US
            ),
            "columns, bound before": lambda: verdicts(compiled, bound, AT_US),
            "indexed Python dictionary, the territory known": lambda: indexed.decide(many_tuples),
        },
        items=(n, "verdicts"),
        title=f"{n:,} verdicts with reason, uniform over the sphere",
    )
    blurred = at_border.moved(position_error_m=np.full(n, 30.0))
    compare(
        {
            "whole, exact position": lambda: verdicts(compiled, at_border, AT_US),
            "whole, position within 30 m": lambda: verdicts(compiled, blurred, AT_US),
            "bound before": lambda: verdicts(compiled, bound_at_border, AT_US),
        },
        items=(n, "verdicts"),
        title=f"{n:,} verdicts with reason, within 20 km of borders",
    )


if __name__ == "__main__":
    main()
