"""The verdict, gate by gate, on cases that a person can follow."""

from __future__ import annotations

import msgspec
import pytest

from spotbeam.service.conditions import Case, conditions
from spotbeam.service.memory import FRESH, SETTLED, Memory, remember
from spotbeam.service.policy import Policy, Request, Sponsor, TerminalList
from spotbeam.service.position import Motion, Position
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import verdict
from spotbeam.times import parse_time, to_datetime

NOON = parse_time("2026-03-01T12:00:00Z")
HOUR_US = 3_600_000_000
UA, CRIMEA, ODESA = ("UA", "UA-51"), ("UA", "UA-43"), ("UA/sea", "UA-51/sea")
SEA, RO, RS = ("XZ",), ("RO", "RO-CT"), ("RS", "RS-00")
HOME = {"id": "home", "effect": "grant", "gate": "territory", "where": ["UA", "UA/sea"],
        "except": ["UA-43"], "grounds": ["authorisation:ua-2022"]}  # fmt: skip


def rule(id, effect="deny", **fields):
    return {"id": id, "effect": effect, "grounds": [f"order:{id}"], **fields}


def policy(*tables, **parts):
    return Policy(rules=rules_from(tables, "p.toml"), **parts)


def decide(
    rules,
    own=UA,
    *,
    near=(),
    at_us=NOON,
    memory=SETTLED,
    speed_kmh=0.0,
    altitude_m=0.0,
    error_m=0.0,
    assurance=3,
    **terminal,
):
    """Decide one terminal; `near` is ground within the guard band but not under the disc."""
    discs = {width: (own, *near) if width else (own,) for width in rules.guards_km()}
    position = Position(
        lat_deg=46.0,
        lon_deg=30.0,
        error_m=error_m,
        assurance=assurance,
        own=own,
        discs={} if own is None else discs,
    )
    motion = Motion(speed_kmh=speed_kmh, altitude_m=altitude_m)
    who = Terminal(id=terminal.pop("id", "kit-1"), **terminal)
    return verdict(rules, who, position, motion, memory, at_us, "un")[0]


def short(answer):
    return answer.outcome, answer.reason, answer.rule


def test_without_rules_nobody_is_served():
    assert short(decide(policy())) == ("deny", "NOT_AUTHORISED", None)


def test_a_verdict_says_everything_that_it_rests_on():
    rules = policy(HOME, rule("cap", gate="mobility", thresholds={"over_kmh": 75}))
    answer = decide(rules, speed_kmh=80.0)
    assert short(answer) == ("deny", "MOVING_TOO_FAST_FOR_POLICY", "cap")
    assert answer.matched == ("home", "cap")
    assert answer.grounds == ("order:cap",)
    assert (answer.view, answer.assurance, answer.record_index) == ("un", 3, None)
    assert answer.policy_version == rules.version
    assert (answer.max_mbps, answer.valid_until_us, answer.lifted) == (None, None, ())
    assert msgspec.json.decode(msgspec.json.encode(answer))["outcome"] == "deny"


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("none", "NO_ACTIVE_ACCOUNT"),
        ("disabled", "ACCOUNT_DISABLED"),
        ("unsupported", "UNSUPPORTED_VERSION"),
    ],
)
@pytest.mark.parametrize("distress", [False, True])
def test_identity_comes_first_and_stops_even_distress(account, reason, distress):
    answer = decide(policy(HOME), account=account, distress=distress, own=None)
    assert short(answer) == ("deny", reason, None)


def test_an_unknown_position_is_not_served_whatever_is_lifted():
    lifting = rule("trust", "exempt", lifts=["assurance"])
    assert short(decide(policy(HOME, lifting), own=None)) == ("deny", "UNKNOWN_LOCATION", None)
    assert short(decide(policy(), own=None, distress=True)) == ("allow", "OK", None)
    # Nothing is known of its ground, so no rule is about it, not even one about all ground.
    nowhere = decide(policy(HOME, lifting), own=None)
    assert (nowhere.matched, nowhere.lifted) == ((), ())


def test_assurance_asks_for_a_level_and_for_a_small_disc():
    rules = policy(
        HOME,
        rule("level", gate="assurance", thresholds={"below_assurance": 2}),
        rule("vague", gate="assurance", thresholds={"over_position_error_m": 500}),
    )
    assert decide(rules, assurance=2, error_m=500.0).outcome == "allow"
    assert short(decide(rules, assurance=1)) == ("deny", "POSITION_NOT_ASSURED", "level")
    assert short(decide(rules, error_m=501.0)) == ("deny", "UNKNOWN_LOCATION", "vague")


def test_an_order_stands_before_the_territory_and_cannot_be_lifted():
    rules = policy(
        HOME,
        rule("block", gate="order", where=["UA-51"]),
        rule("now", gate="order", where=["UA/sea"], emergency=True),
        rule("all", "exempt", lifts=["assurance", "cell", "list", "mobility", "plan"]),
    )
    assert short(decide(rules)) == ("deny", "BLOCKED_COUNTRY", "block")
    assert short(decide(rules, ODESA)) == ("deny", "EMERGENCY_ACTION", "now")
    assert short(decide(rules, distress=True)) == ("allow", "OK", None)


def test_the_reason_without_a_grant_tells_sea_and_open_requests_apart():
    asked = Request(verb="activate", asker="x", where=("RS",), since=to_datetime(NOON))
    withheld = Request(verb="withhold", asker="x", where=("RO",), since=to_datetime(0))
    rules = policy(HOME, requests=(asked, withheld))
    assert short(decide(rules, CRIMEA)) == ("deny", "NOT_AUTHORISED", None)
    assert short(decide(rules, SEA)) == ("deny", "IN_OCEAN", None)
    assert short(decide(rules, ("RO/sea",))) == ("deny", "IN_OCEAN", None)
    assert short(decide(rules, ("RO/sea", "x-zone"))) == ("deny", "IN_OCEAN", None)
    assert short(decide(rules, ("x-zone",))) == ("deny", "NOT_AUTHORISED", None)
    assert short(decide(rules, RO)) == ("deny", "NOT_AUTHORISED", None)
    assert short(decide(rules, RS)) == ("deny", "PENDING_AUTHORISATION", None)
    before = decide(rules, RS, at_us=NOON - 1)
    assert short(before) == ("deny", "NOT_AUTHORISED", None)
    assert before.valid_until_us == NOON


def test_the_guard_band_keeps_away_from_ground_without_a_grant():
    rules = policy(HOME | {"guard_km": 5})
    assert short(decide(rules, near=(CRIMEA,))) == ("deny", "GUARD_BAND", "home")
    assert short(decide(rules, near=(ODESA,))) == ("allow", "OK", "home")
    # A neighbour's grant covers the far side: no dark strip between two licensed countries.
    both = policy(HOME | {"guard_km": 5}, rule("ro", "grant", gate="territory", where=["RO"]))
    assert short(decide(both, near=(RO,))) == ("allow", "OK", "home")
    # The other grant, without a guard band, is enough for its own ground.
    either = policy(HOME | {"guard_km": 5}, HOME | {"id": "wide", "grounds": ["a:b"]})
    assert short(decide(either, near=(CRIMEA,))) == ("allow", "OK", "wide")


def test_a_deny_at_the_territory_gate_wins_over_grants():
    rules = policy(HOME, rule("no", gate="territory", where=["UA-51"], guard_km=10))
    assert short(decide(rules)) == ("deny", "NOT_AUTHORISED", "no")
    inland = ("UA", "UA-71")
    assert short(decide(rules, inland)) == ("allow", "OK", "home")
    assert short(decide(rules, inland, near=(UA,))) == ("deny", "GUARD_BAND", "no")
    # Ground that nobody grants keeps its own reason when denied ground is only near.
    assert short(decide(rules, RO, near=(UA,))) == ("deny", "NOT_AUTHORISED", None)


def test_cells_lists_and_sponsors():
    rules = policy(
        HOME,
        rule("dark", gate="cell", where=["h3:841e265ffffffff"]),
        rule("white", gate="list", who={"not_on_list": ["verified"], "sponsor": ["", "aid"]}),
        rule("unpaid", gate="list", who={"sponsor_lapsed": True}),
        lists=(TerminalList(name="verified", terminals=frozenset({"kit-2"})),),
        sponsors=(Sponsor(id="gone", until=to_datetime(NOON)), Sponsor(id="aid")),
    )
    assert short(decide(rules, (*UA, "h3:841e265ffffffff"))) == ("deny", "CELL_IS_DISABLED", "dark")
    assert short(decide(rules)) == ("deny", "NOT_LISTED", "white")
    assert short(decide(rules, id="kit-2")) == ("allow", "OK", "home")
    assert short(decide(rules, sponsor="gone")) == ("deny", "SPONSOR_LAPSED", "unpaid")
    before = decide(rules, sponsor="gone", at_us=NOON - 1)
    assert (before.outcome, before.valid_until_us) == ("allow", NOON)


def test_plan_gate_reasons():
    rules = policy(
        HOME,
        rule("far", gate="plan", thresholds={"over_km_from_service_address": 100}),
        rule("data", gate="plan", thresholds={"over_gb": 50}),
        rule("trip", gate="plan", thresholds={"over_days": 2}, where=["UA/sea"]),
        rule("fixed-only", gate="plan", who={"plan": ["home"]}, where=["UA/sea"]),
    )
    home = {"service_lat_deg": 46.0, "service_lon_deg": 30.0}
    assert decide(rules, **home).outcome == "allow"
    assert decide(rules).outcome == "allow"  # no service address to be far from
    away = {"service_lat_deg": 46.0, "service_lon_deg": 32.0}
    assert short(decide(rules, **away)) == ("deny", "TOO_FAR_FROM_SERVICE_ADDRESS", "far")
    used = Memory(data_gb=50.1)
    assert short(decide(rules, memory=used)) == ("deny", "DATA_OVERAGE", "data")
    assert short(decide(rules, ODESA, plan="home")) == ("deny", "ROAM_RESTRICTED", "fixed-only")


def test_limits_combine_to_the_tightest_and_the_first_of_equals():
    rules = policy(
        HOME,
        rule("l20", "limit", gate="plan", max_mbps=20),
        rule("l5", "limit", gate="list", max_mbps=5, who={"verified": False}),
        rule("l5-too", "limit", gate="mobility", max_mbps=5),
    )
    answer = decide(rules, verified=False)
    assert short(answer) == ("limit", "NOT_LISTED", "l5")
    assert answer.max_mbps == 5.0
    assert short(decide(rules)) == ("limit", "MOVING_TOO_FAST_FOR_POLICY", "l5-too")
    assert decide(rules, distress=True).max_mbps is None
    lifted = policy(
        *({"id": "e", "effect": "exempt", "lifts": ["mobility"], "grounds": ["a:b"]},),
        HOME,
        rule("l5", "limit", gate="mobility", max_mbps=5),
        rule("l20", "limit", gate="plan", max_mbps=20),
    )
    assert short(decide(lifted)) == ("limit", "ROAM_RESTRICTED", "l20")


def test_an_exempt_needs_the_whole_disc_on_its_ground():
    rules = policy(
        HOME | {"where": ["UA", "UA/sea", "RO"]},
        rule("cap", gate="mobility", thresholds={"over_kmh": 75}),
        rule("medical", "exempt", where=["UA"], guard_km=5, lifts=["mobility"],
             who={"protection": ["medical"]}),
    )  # fmt: skip
    ambulance = {"protection": "medical", "speed_kmh": 90.0}
    answer = decide(rules, **ambulance)
    assert (answer.outcome, answer.lifted) == ("allow", ("mobility",))
    assert short(decide(rules, near=(RO,), **ambulance))[1] == "MOVING_TOO_FAST_FOR_POLICY"
    assert decide(rules, speed_kmh=90.0).outcome == "deny"


def test_windows_open_and_close_and_the_verdict_says_when():
    rules = policy(
        HOME | {"when": [{"until": "2026-03-01T13:00:00Z"}]},
        rule("night", gate="order", when=[{"daily": "20:00-06:00"}]),
    )
    now = decide(rules)
    assert (now.outcome, now.valid_until_us) == ("allow", NOON + HOUR_US)
    later = decide(rules, at_us=NOON + HOUR_US)
    assert short(later) == ("deny", "NOT_AUTHORISED", None)
    assert later.valid_until_us == NOON + 8 * HOUR_US
    assert short(decide(rules, at_us=NOON + 8 * HOUR_US)) == ("deny", "BLOCKED_COUNTRY", "night")


STALE = {"stale_after": "1h", "witnessed": NOON - 2 * HOUR_US}


def silent(*tables, on_stale, which):
    """A policy witnessed two hours ago, with one rule that is stale after one."""
    tables = [
        table | {"stale_after": "1h", "on_stale": on_stale} if table["id"] == which else table
        for table in tables
    ]
    return policy(*tables, witnessed_at_us=NOON - 2 * HOUR_US)


CAP = rule("cap", gate="mobility", thresholds={"over_kmh": 75}, who={"verified": False})


@pytest.mark.parametrize(
    ("on_stale", "terminal", "memory", "expected"),
    [
        ("hold", {}, FRESH, ("allow", "OK", "home")),
        ("hold", {"speed_kmh": 90.0, "verified": False}, SETTLED, ("deny", "MOVING", "cap")),
        # The rule's ground goes dark for everybody, not only for those it was about ...
        ("deny", {}, SETTLED, ("deny", "POLICY_STALE", "cap")),
        # ... but for protected users already served, unless the rule itself stops them.
        ("deny", {"protection": "aid"}, SETTLED, ("allow", "OK", "home")),
        ("deny", {"protection": "aid"}, FRESH, ("deny", "POLICY_STALE", "cap")),
        (
            "deny",
            {"protection": "aid", "speed_kmh": 90.0, "verified": False},
            SETTLED,
            ("deny", "MOVING", "cap"),
        ),
        ("deny", {"distress": True}, FRESH, ("allow", "OK", None)),
        ("allow_protected", {}, SETTLED, ("deny", "POLICY_STALE", "cap")),
        ("allow_protected", {"protection": "aid"}, FRESH, ("allow", "OK", "home")),
        (
            "allow_protected",
            {"protection": "aid", "speed_kmh": 90.0, "verified": False},
            FRESH,
            ("allow", "OK", "home"),
        ),
    ],
)
def test_silence_after_a_deny(on_stale, terminal, memory, expected):
    rules = silent(HOME, CAP, on_stale=on_stale, which="cap")
    outcome, reason, name = short(decide(rules, memory=memory, **terminal))
    assert (outcome, reason[: len(expected[1])], name) == expected
    # An hour and a moment ago it was not stale yet, and the verdict knew until when.
    before = decide(rules, at_us=NOON - HOUR_US, memory=memory)
    assert before.outcome == "allow"
    if on_stale != "hold":
        assert before.valid_until_us == NOON - HOUR_US + 1


@pytest.mark.parametrize(
    ("on_stale", "terminal", "memory", "expected"),
    [
        ("hold", {}, FRESH, ("allow", "OK", "home")),
        ("deny", {}, SETTLED, ("deny", "POLICY_STALE", "home")),
        ("deny", {"protection": "aid"}, SETTLED, ("allow", "OK", "home")),
        ("deny", {"protection": "aid"}, FRESH, ("deny", "POLICY_STALE", "home")),
        ("allow_protected", {"protection": "aid"}, FRESH, ("allow", "OK", "home")),
        ("allow_protected", {}, SETTLED, ("deny", "POLICY_STALE", "home")),
    ],
)
def test_silence_after_a_grant(on_stale, terminal, memory, expected):
    rules = silent(HOME, on_stale=on_stale, which="home")
    assert short(decide(rules, memory=memory, **terminal)) == expected
    # Ground that was never granted does not become the fault of silence.
    assert decide(rules, CRIMEA, memory=memory, **terminal).reason == "NOT_AUTHORISED"


def test_an_exempt_that_goes_stale_stops_lifting_and_darkens_nothing():
    exempt = rule("free", "exempt", lifts=["mobility"])
    cap = rule("cap", gate="mobility", thresholds={"over_kmh": 75})
    rules = silent(HOME, cap, exempt, on_stale="deny", which="free")
    assert short(decide(rules, speed_kmh=90.0)) == ("deny", "MOVING_TOO_FAST_FOR_POLICY", "cap")
    assert short(decide(rules)) == ("allow", "OK", "home")
    aid = decide(rules, speed_kmh=90.0, protection="aid")
    assert (aid.outcome, aid.lifted) == ("allow", ("mobility",))


def test_a_scenario_is_never_stale():
    rules = policy(HOME, CAP | {"stale_after": "1h", "on_stale": "deny"})
    assert decide(rules).outcome == "allow"
    assert decide(rules).valid_until_us is None


def test_why_a_rule_did_not_match_is_told_condition_by_condition():
    rules = policy(HOME, CAP | {"where": ["UA"], "when": [{"daily": "20:00-06:00"}]})
    position = Position(lat_deg=46.0, lon_deg=30.0, own=UA, discs={0.0: (UA,)})
    motion = Motion(speed_kmh=90.0)
    now = remember(rules, position, motion, SETTLED, NOON)
    case = Case(rules, Terminal(id="a"), position, motion, now, NOON)
    asked = {c.field: (c.holds, c.found) for c in conditions(rules.rules[1], case)}
    assert asked == {
        "where": (True, (UA,)),
        "when": (False, NOON),
        "who.verified": (False, True),
        "thresholds.over_kmh": (True, 90.0),
    }
