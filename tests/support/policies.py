"""Random policies, terminals and memories: every kind of rule, with values that meet at edges.

All take a `random.Random`, so that a seed repeats them and Hypothesis can shrink them.
"""

from __future__ import annotations

import numpy as np
from support.rectangles import BOUNDS, IDS

from spotbeam.service.memory import Memory, RuleMemory
from spotbeam.service.policy import Policy, Request, Sponsor, TerminalList
from spotbeam.service.rules import DAY_US, rules_from
from spotbeam.service.terminals import Account, Mobility, Protection, Terminals
from spotbeam.times import format_time, parse_time, to_datetime

HOUR_US = 3_600_000_000
T0 = parse_time("2026-03-01T12:00:00Z")
FLEETS = ("f1", "f2", "f3")
SPONSORS = ("s1", "s2", "s3", "")
COUNTRIES = ("AA", "BB", "")
PLANS = ("p1", "p2", "standard")
TERMINALS = tuple(f"t{number}" for number in range(12))
LISTS = ("list-1", "list-2")
SPEEDS = (0.0, 10.0, 60.0, 64.9, 65.0, 70.0, 75.0, 75.1, 120.0)
ALTITUDES = (0.0, 50.0, 100.0, 5000.0)
ERRORS = (0.0, 0.0, 0.0, 20.0, 500.0, 15_000.0)
GATES = ("assurance", "order", "cell", "list", "mobility", "plan")
LIFTABLE = ("assurance", "cell", "list", "mobility", "plan")


def some(random, values, most=3):
    return random.sample(values, random.randint(1, min(most, len(values))))


def random_who(random):
    who = {}
    options = {
        "fleet": lambda: some(random, FLEETS),
        "sponsor": lambda: some(random, SPONSORS),
        "registrant_country": lambda: some(random, COUNTRIES),
        "mobility": lambda: some(random, [m.value for m in Mobility]),
        "protection": lambda: some(random, [p.value for p in Protection]),
        "verified": lambda: random.random() < 0.5,
        "account": lambda: some(random, [a.value for a in Account]),
        "plan": lambda: some(random, PLANS),
        "terminal": lambda: some(random, TERMINALS, 6),
        "on_list": lambda: some(random, LISTS),
        "not_on_list": lambda: some(random, LISTS),
        "sponsor_lapsed": lambda: random.random() < 0.5,
    }
    for key in random.sample(list(options), random.choice((0, 0, 0, 1, 1, 1, 2))):
        who[key] = options[key]()
    return who


def random_when(random):
    windows = []
    for _ in range(random.randint(1, 2)):
        window = {}
        if random.random() < 0.6:
            start = T0 + random.randint(-3, 2) * HOUR_US
            window["from"] = format_time(start)
            if random.random() < 0.7:
                window["until"] = format_time(start + random.randint(1, 3) * HOUR_US)
        else:
            begin = random.randint(0, 23)
            window["daily"] = f"{begin:02}:00-{(begin + random.randint(1, 23)) % 24:02}:00"
        windows.append(window)
    return windows


def random_thresholds(random, gate):
    if gate == "assurance":
        keys = some(random, ("below_assurance", "over_position_error_m"), 2)
        values = {"below_assurance": random.randint(1, 3), "over_position_error_m": 20.0}
        return {key: values[key] for key in keys}
    if gate == "mobility" and random.random() < 0.85:
        thresholds = {}
        if random.random() < 0.8:
            over = random.choice((0.0, 60.0, 75.0))
            thresholds["over_kmh"] = over
            if random.random() < 0.5:
                thresholds["clear_below_kmh"] = over * random.choice((1.0, 0.5))
        if not thresholds or random.random() < 0.3:
            thresholds["over_altitude_m"] = random.choice((0.0, 50.0, 100.0))
        if random.random() < 0.5:
            thresholds["for_s"] = random.choice((0, 10, 3600))
        return thresholds
    if gate == "plan" and random.random() < 0.85:
        values = {
            "over_km_from_service_address": random.choice((10.0, 100.0)),
            "over_days": random.randint(0, 3),
            "over_gb": random.choice((0.0, 50.0)),
        }
        return {key: values[key] for key in some(random, list(values), 2)}
    return {}


EFFECTS = ("grant", "grant", "deny", "deny", "deny", "limit", "exempt")


def random_rule(random, name, effects=EFFECTS):
    """A TOML table of a rule that means something."""
    effect = random.choice(effects)
    rule = {"id": name, "effect": effect, "grounds": [f"order:{name}"]}
    if effect == "exempt":
        rule["lifts"] = some(random, LIFTABLE)
    elif effect == "grant":
        rule["gate"] = "territory"
    else:
        gates = (*GATES, "territory") if effect == "deny" else GATES
        rule["gate"] = random.choice(gates)
        thresholds = random_thresholds(random, rule["gate"])
        if thresholds:
            rule["thresholds"] = thresholds
    if rule.get("gate") == "order" and random.random() < 0.5:
        rule["emergency"] = True
    if effect == "limit":
        rule["max_mbps"] = random.choice((1.0, 10.0, 50.0))
    if random.random() < (0.6 if effect == "grant" else 0.8):
        rule["where"] = some(random, IDS, 4)
    if random.random() < 0.4:
        rule["except"] = some(random, IDS, 2)
    who = random_who(random)
    if who:
        rule["who"] = who
    if random.random() < 0.3:
        rule["when"] = random_when(random)
    if random.random() < 0.4:
        rule["guard_km"] = random.choice((1.0, 10.0, 40.0))
    if random.random() < 0.4:
        rule["stale_after"] = random.choice(("1h", "6h"))
        rule["on_stale"] = random.choice(("hold", "deny", "allow_protected"))
    return rule


def random_border_rule(random, name):
    """A rule of the territory gate, most of them with a guard band and stale before long."""
    rule = {
        "id": name,
        "effect": random.choice(("grant", "grant", "deny")),
        "gate": "territory",
        "where": some(random, IDS, 4),
        "guard_km": random.choice((0.0, 5.0, 40.0)),
        "stale_after": random.choice(("1h", "6h")),
        "on_stale": random.choice(("hold", "deny", "deny", "allow_protected")),
        "grounds": [f"order:{name}"],
    }
    if random.random() < 0.3:
        rule["when"] = random_when(random)
    if random.random() < 0.3:
        rule["who"] = random_who(random)
    return rule


def random_tables(random, most=12, make_rule=random_rule):
    """A whole policy as plain tables, with a grant of everywhere often enough to be served."""
    rules = [make_rule(random, f"r{number}") for number in range(random.randint(0, most))]
    if random.random() < 0.6:
        everywhere = {"id": "open", "effect": "grant", "gate": "territory", "grounds": ["x:y"]}
        rules.insert(random.randint(0, len(rules)), everywhere)
    return {
        "rules": rules,
        "lists": {name: some(random, TERMINALS, 8) for name in LISTS},
        "sponsors": {
            "s1": None,
            "s2": T0 + random.randint(-2, 2) * HOUR_US,
            "s3": T0 - HOUR_US,
        },
        "requests": [
            {
                "verb": random.choice(("activate", "activate", "withhold", "restrict")),
                "where": some(random, IDS),
                "since_us": T0 + random.randint(-2, 2) * HOUR_US,
            }
            for _ in range(random.randint(0, 2))
        ],
        "witnessed_at_us": random.choice((None, T0, T0 - 3 * HOUR_US, T0 - 9 * HOUR_US)),
    }


def policy_of(tables):
    return Policy(
        rules=rules_from(tables["rules"], "policy.toml", known_territories=IDS),
        lists=tuple(
            TerminalList(name=name, terminals=frozenset(ids))
            for name, ids in tables["lists"].items()
        ),
        sponsors=tuple(
            Sponsor(id=name, until=None if until is None else to_datetime(until))
            for name, until in tables["sponsors"].items()
        ),
        requests=tuple(
            Request(
                verb=request["verb"],
                asker="somebody",
                where=tuple(request["where"]),
                since=to_datetime(request["since_us"]),
            )
            for request in tables["requests"]
        ),
        witnessed_at_us=tables["witnessed_at_us"],
    )


def random_at_us(random):
    return T0 + random.choice((0, 0, -HOUR_US, HOUR_US, -1, 1, 7 * HOUR_US, DAY_US, 5 * DAY_US))


def random_terminals(random, n):
    """n terminals over the rectangles; ids beyond the first few are on no list."""
    south, west, north, east = BOUNDS
    generator = np.random.default_rng(random.getrandbits(32))
    pick = generator.choice
    unknown = generator.random(n) < 0.02
    homeless = generator.random(n) < 0.2
    away = pick((0.0, 0.0, 0.5, 1.5), n)
    near_edge = generator.random(n) < 0.3
    lat = generator.uniform(south, north, n)
    lon = np.where(near_edge, 2.0 + generator.normal(0, 0.05, n), generator.uniform(west, east, n))
    return Terminals.from_columns(
        {
            "id": [f"t{number}" for number in range(n)],
            "fleet": pick(FLEETS, n),
            "sponsor": pick(SPONSORS, n),
            "registrant_country": pick(COUNTRIES, n),
            "mobility": pick([m.value for m in Mobility], n),
            "protection": pick([p.value for p in Protection], n),
            "verified": generator.random(n) < 0.6,
            "account": pick([a.value for a in Account], n, p=[0.94, 0.02, 0.02, 0.02]),
            "plan": pick(PLANS, n),
            "distress": generator.random(n) < 0.03,
            "lat_deg": np.where(unknown, np.nan, lat),
            "lon_deg": np.where(unknown, np.nan, lon),
            "position_error_m": pick(ERRORS, n),
            "assurance": generator.integers(0, 4, n),
            "speed_kmh": pick(SPEEDS, n),
            "altitude_m": pick(ALTITUDES, n),
            "service_lat_deg": np.where(homeless, np.nan, np.round(lat, 1) + away),
            "service_lon_deg": np.where(homeless, np.nan, np.round(lon, 1)),
        }
    )


def random_memory(random, policy, at_us):
    """Any memory that a history could have left, and some that none could."""
    today = at_us // DAY_US
    rules = {}
    for rule in policy.rules:
        if rule.thresholds.has_motion:
            since = random.choice((None, at_us - 5_000_000, at_us - 10_000_000, at_us - HOUR_US))
            rules[rule.id] = RuleMemory(over_since_us=since, blocked=random.random() < 0.4)
        elif rule.thresholds.over_days is not None:
            days = random.randint(0, 3)
            last = random.choice((today, today - 1)) if days else None
            rules[rule.id] = RuleMemory(days=days, last_day=last)
    return Memory(
        rules=rules, served=random.random() < 0.5, data_gb=random.choice((0.0, 50.0, 50.5))
    )
