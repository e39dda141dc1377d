"""The verdict against a second reading of its definition: sets of terminals, rule table by table.

The oracle below shares no code with the product. It reads a policy as people write it (plain TOML
tables), and works on whole populations: a rule is the set of terminals it matches, a gate the set
it stops. Ground comes in as sets of territory ids.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from support.policies import (
    policy_of,
    random_at_us,
    random_border_rule,
    random_rule,
    random_tables,
    random_terminals,
)
from support.rectangles import Rectangles

from spotbeam.service.position import Motion, places
from spotbeam.service.verdict import FRESH, SETTLED, verdict

GROUND = Rectangles()
ORDER = ["assurance", "order", "territory", "cell", "list", "mobility", "plan"]
DEFAULT_REASON = {
    "order": "BLOCKED_COUNTRY",
    "cell": "CELL_IS_DISABLED",
    "list": "NOT_LISTED",
    "mobility": "MOVING_TOO_FAST_FOR_POLICY",
    "plan": "ROAM_RESTRICTED",
    "territory": "NOT_AUTHORISED",
}


class Oracle:
    """All terminals of one moment under one policy, decided by set algebra."""

    def __init__(self, tables, rows, own, discs, at_us, settled):
        self.tables, self.rows, self.own, self.discs = tables, rows, own, discs
        self.now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
        self.at_us, self.settled = at_us, settled
        self.everyone = set(range(len(rows)))
        self.protected = self.those(lambda row: row.protection != "none")
        self.served_before = self.everyone if settled else set()

    def those(self, is_so):
        return {i for i in self.everyone if is_so(self.rows[i])}

    def decide(self):
        rules = self.tables["rules"]
        answers = {}

        def settle(who, reason, rule=None):
            for i in who:
                answers.setdefault(i, ("deny", reason, rule, None))

        settle(self.those(lambda row: row.account == "none"), "NO_ACTIVE_ACCOUNT")
        settle(self.those(lambda row: row.account == "disabled"), "ACCOUNT_DISABLED")
        settle(self.those(lambda row: row.account == "unsupported"), "UNSUPPORTED_VERSION")
        distress = self.those(lambda row: row.distress)
        lost = {i for i in self.everyone if self.own[i] is None} - distress
        settle(lost, "UNKNOWN_LOCATION")

        lifted = {gate: set(distress) for gate in ORDER}
        for rule in rules:
            for gate in rule.get("lifts", ()):
                lifted[gate] |= self.matching(rule)
        for gate in ORDER:
            here = [rule for rule in rules if rule.get("gate") == gate]
            open_to = lifted[gate]
            if gate == "territory":
                self.territory(rules, open_to, settle)
            else:
                for rule in here:
                    if rule["effect"] == "deny":
                        settle(self.matching(rule) - open_to, self.reason(rule), rule["id"])
            for rule in here:
                settle(self.darkened(rule) - open_to, "POLICY_STALE", rule["id"])

        limits = sorted(
            (rule for rule in rules if rule["effect"] == "limit"), key=lambda r: r["max_mbps"]
        )
        for rule in limits:
            for i in self.matching(rule) - lifted[rule["gate"]]:
                answers.setdefault(i, ("limit", self.reason(rule), rule["id"], rule["max_mbps"]))
        for i in self.everyone - set(answers):
            granted = [g for g in self.grants(rules, "in force") if self.suffices(g, i, rules)]
            answers[i] = ("allow", "OK", None if i in distress else granted[0]["id"], None)
        return [answers[i] for i in sorted(self.everyone)]

    # The territory gate

    def territory(self, rules, open_to, settle):
        asked = self.everyone - open_to
        denies = [r for r in rules if r["effect"] == "deny" and r["gate"] == "territory"]
        touched_by_deny = set()
        for rule in denies:
            stopped = self.matching(rule)
            touched_by_deny |= stopped
            inside = {i for i in stopped if self.is_ground(rule, self.own[i])}
            settle(inside & asked, "NOT_AUTHORISED", rule["id"])
        home = self.home(rules)
        for rule in denies:
            settle(self.matching(rule) & asked & set(home), "GUARD_BAND", rule["id"])
        passing = {
            i
            for i in asked
            for grant in self.grants(rules, "in force")
            if self.suffices(grant, i, rules)
        }
        failing = asked - passing
        for i in failing - touched_by_deny:
            # Staleness alone denies: with every grant that only silence took away it would pass.
            with_stale = [
                g for g in self.grants(rules, "written") if self.suffices(g, i, rules, "written")
            ]
            if with_stale:
                disc = self.discs[with_stale[0].get("guard_km", 0.0)][i]
                missing = next(
                    rule
                    for rule in self.grants(rules, "written")
                    if i in self.matching(rule, without=("where", "stale"))
                    and i not in self.matching(rule, without=("where",))
                    and any(self.is_ground(rule, face) for face in disc)
                )
                settle({i}, "POLICY_STALE", missing["id"])
        for i in failing:
            settle({i} & set(home), "GUARD_BAND", home.get(i))
        pending = {
            i
            for i in failing
            for request in self.tables["requests"]
            if request["verb"] == "activate"
            and request["since_us"] <= self.at_us
            and self.own[i] is not None
            and set(request["where"]) & self.own[i]
        }
        settle(pending, "PENDING_AUTHORISATION")
        land = {"A", "A-1", "B"}
        at_sea = {i for i in failing if self.own[i] is not None and not land & self.own[i]}
        settle(at_sea, "IN_OCEAN")
        settle(failing, "NOT_AUTHORISED")

    def home(self, rules):
        """Who stands on granted ground, and the first grant that says so."""
        found = {}
        for rule in self.grants(rules, "in force"):
            for i in self.matching(rule, without=("where",)):
                if self.own[i] is not None and self.is_ground(rule, self.own[i]):
                    found.setdefault(i, rule["id"])
        return found

    def grants(self, rules, _state):
        return [rule for rule in rules if rule["effect"] == "grant"]

    def suffices(self, grant, i, rules, state="in force"):
        """A grant covers the own face, and all grants together cover the disc that it asks for."""
        without = ("where",) if state == "in force" else ("where", "stale")
        if self.own[i] is None or i not in self.matching(grant, without=without):
            return False
        if not self.is_ground(grant, self.own[i]):
            return False
        disc = set(self.discs[grant.get("guard_km", 0.0)][i])
        for other in self.grants(rules, state):
            if i in self.matching(other, without=without):
                disc -= {face for face in disc if self.is_ground(other, face)}
        return not disc

    # Which terminals a rule matches

    def matching(self, rule, without=()):
        parts = {
            "where": self.on_ground(rule),
            "when": self.everyone if self.in_force(rule) else set(),
            "who": self.named(rule.get("who", {})),
            "thresholds": self.over(rule),
            "stale": self.still_standing(rule),
        }
        wanted = [part for name, part in parts.items() if name not in without]
        return set.intersection(self.everyone, *wanted)

    @staticmethod
    def is_ground(rule, face):
        where = set(rule.get("where", ())) or face
        return bool(where & face) and not set(rule.get("except", ())) & face

    def on_ground(self, rule):
        quantor = all if rule["effect"] == "exempt" else any
        discs = self.discs[rule.get("guard_km", 0.0)]
        return {
            i
            for i in self.everyone
            if discs[i] and quantor(self.is_ground(rule, f) for f in discs[i])
        }

    def in_force(self, rule):
        def contains(window):
            if "from" in window and self.now < datetime.fromisoformat(window["from"]):
                return False
            if "until" in window and self.now >= datetime.fromisoformat(window["until"]):
                return False
            if "daily" in window:
                clock = self.now.strftime("%H:%M:%S.%f")
                begin, end = window["daily"].split("-")
                over_midnight = begin > end
                return clock >= begin or clock < end if over_midnight else begin <= clock < end
            return True

        return "when" not in rule or any(contains(window) for window in rule["when"])

    def named(self, who):
        left = set(self.everyone)
        for key in ("fleet", "sponsor", "registrant_country", "mobility", "protection", "account",
                    "plan"):  # fmt: skip
            if key in who:
                left &= self.those(lambda row, key=key: getattr(row, key) in who[key])
        if "verified" in who:
            left &= self.those(lambda row: row.verified == who["verified"])
        if "terminal" in who:
            left &= self.those(lambda row: row.id in who["terminal"])
        lists = self.tables["lists"]
        if "on_list" in who:
            union = set().union(*(lists[name] for name in who["on_list"]))
            left &= self.those(lambda row: row.id in union)
        if "not_on_list" in who:
            union = set().union(*(lists[name] for name in who["not_on_list"]))
            left -= self.those(lambda row: row.id in union)
        if "sponsor_lapsed" in who:
            ended = {
                name
                for name, until_us in self.tables["sponsors"].items()
                if until_us is not None and until_us <= self.at_us
            }
            lapsed = self.those(lambda row: row.sponsor in ended)
            left &= lapsed if who["sponsor_lapsed"] else self.everyone - lapsed
        return left

    def over(self, rule):
        asked = rule.get("thresholds", {})
        left = set(self.everyone)
        if "over_kmh" in asked:
            left &= self.those(lambda row: row.speed_kmh > asked["over_kmh"])
        if "over_altitude_m" in asked:
            left &= self.those(lambda row: row.altitude_m > asked["over_altitude_m"])
        if asked.get("for_s", 0) > 0 and not self.settled:
            return set()  # the motion has only just begun
        if "below_assurance" in asked:
            left &= self.those(lambda row: row.assurance < asked["below_assurance"])
        if "over_position_error_m" in asked:
            left &= self.those(lambda row: row.position_error_m > asked["over_position_error_m"])
        if "over_km_from_service_address" in asked:
            left &= self.those(lambda row: away_km(row) > asked["over_km_from_service_address"])
        if "over_days" in asked and asked["over_days"] >= 1:
            return set()  # neither a fresh nor a settled memory has more than today
        if "over_gb" in asked:
            return set()  # nor any data
        return left

    # Silence

    def is_stale(self, rule):
        witnessed_at_us = self.tables["witnessed_at_us"]
        if witnessed_at_us is None or "stale_after" not in rule:
            return False
        hours = int(rule["stale_after"].removesuffix("h"))
        return self.at_us > witnessed_at_us + hours * 3600 * 10**6

    def still_standing(self, rule):
        mode = rule.get("on_stale", "hold")
        if not self.is_stale(rule) or mode == "hold":
            return self.everyone
        if rule["effect"] in ("grant", "exempt"):
            served = self.served_before if mode == "deny" else self.everyone
            return self.protected & served
        if rule["effect"] == "deny" and mode == "allow_protected":
            return self.everyone - self.protected
        return self.everyone

    def darkened(self, rule):
        """Whom a rule shuts out just for being stale: its whole ground, but not all people."""
        mode = rule.get("on_stale", "hold")
        if rule["effect"] in ("grant", "exempt") or mode == "hold":
            return set()
        if not self.is_stale(rule) or not self.in_force(rule):
            return set()
        spared = self.protected & (self.served_before if mode == "deny" else self.everyone)
        return self.on_ground(rule) - spared

    @staticmethod
    def reason(rule):
        asked, gate = rule.get("thresholds", {}), rule["gate"]
        if gate == "order" and rule.get("emergency"):
            return "EMERGENCY_ACTION"
        if gate == "assurance":
            return "POSITION_NOT_ASSURED" if "below_assurance" in asked else "UNKNOWN_LOCATION"
        if gate == "list" and rule.get("who", {}).get("sponsor_lapsed"):
            return "SPONSOR_LAPSED"
        if gate == "plan" and "over_gb" in asked:
            return "DATA_OVERAGE"
        if gate == "plan" and "over_km_from_service_address" in asked and "over_days" not in asked:
            return "TOO_FAR_FROM_SERVICE_ADDRESS"
        return DEFAULT_REASON[gate]


def away_km(row):
    """Great-circle distance by the angle between two vectors; NaN without a service address."""

    def vector(lat_deg, lon_deg):
        lat, lon = math.radians(lat_deg), math.radians(lon_deg)
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    a = vector(row.lat_deg, row.lon_deg)
    b = vector(row.service_lat_deg, row.service_lon_deg)
    cross = (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 6371.0088 * math.atan2(math.sqrt(sum(x * x for x in cross)), dot)


def compare(seed, n, make_rule=random_rule):
    """Decide n terminals under one random policy by product and oracle; counts of answers."""
    source = random.Random(seed)
    tables = random_tables(source, make_rule=make_rule)
    policy, at_us = policy_of(tables), random_at_us(source)
    terminals = random_terminals(source, n)
    rows = list(terminals.rows())
    at = places(
        policy,
        GROUND,
        terminals.lat_deg,
        terminals.lon_deg,
        terminals.position_error_m,
        terminals.assurance,
    )
    own = [None if position.own is None else frozenset(position.own) for position in at]
    discs = {
        guard: [[frozenset(face) for face in position.faces(guard)] for position in at]
        for guard in policy.guards_km()
    }
    settled = seed % 2 == 0
    expected = Oracle(tables, rows, own, discs, at_us, settled).decide()
    seen = Counter()
    for position, row, answer in zip(at, rows, expected, strict=True):
        motion = Motion(speed_kmh=row.speed_kmh, altitude_m=row.altitude_m)
        memory = SETTLED if settled else FRESH
        one, _ = verdict(policy, row, position, motion, memory, at_us, "test")
        got = (one.outcome, one.reason, one.rule, one.max_mbps)
        assert got == answer, (seed, row, tables)
        seen[answer[:2]] += 1
    return seen


def test_verdict_agrees_with_a_second_reading_of_its_definition():
    seen = Counter()
    for seed in range(500, 620):
        seen += compare(seed, 60)
    for seed in range(900, 930):
        seen += compare(seed, 60, random_border_rule)
    reasons = {reason for _, reason in seen}
    assert len(reasons) >= 17, reasons
    assert seen["allow", "OK"] > 1000


@pytest.mark.soak
def test_verdict_agrees_with_a_second_reading_of_its_definition_at_length():
    for seed in range(20_000, 24_000):
        compare(seed, 60)
