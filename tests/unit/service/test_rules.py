"""Rules as people write them: what is read, and the one message that a mistake gets."""

from __future__ import annotations

import tomllib

import pytest

from spotbeam.errors import RuleError
from spotbeam.service.policy import Policy, Request, Sponsor, TerminalList
from spotbeam.service.rules import Effect, Gate, Rule, Window, rules_from
from spotbeam.times import parse_time, to_datetime

GRANT = {"id": "r", "effect": "grant", "gate": "territory", "grounds": ["authorisation:x"]}
DENY = GRANT | {"effect": "deny", "gate": "mobility"}
EXEMPT = {"id": "r", "effect": "exempt", "lifts": ["mobility"], "grounds": ["contract:x"]}
LIMIT = GRANT | {"effect": "limit", "gate": "plan", "max_mbps": 10}


def test_a_rule_is_read_with_everything_it_may_have():
    text = """
    [[rule]]
    id = "ua-speed-cap"
    gate = "mobility"
    effect = "deny"
    where = ["UA", "UA/sea"]
    except = ["UA-43"]
    who = { verified = false, mobility = ["land", "uncrewed"] }
    when = [
      { from = 2026-01-01T00:00:00Z, until = "2026-06-01T00:00:00Z" },
      { daily = "22:00-06:00" },
    ]
    thresholds = { over_kmh = 75, clear_below_kmh = 65, for_s = 10 }
    grounds = ["order:ua-mod-2026-01", "contract:relief"]
    on_stale = "allow_protected"
    stale_after = "6h"
    guard_km = 5
    """
    (rule,) = rules_from(
        tomllib.loads(text)["rule"], "p.toml", known_territories=["UA", "UA/sea", "UA-43"]
    )
    assert (rule.effect, rule.gate, rule.except_) == (Effect.DENY, Gate.MOBILITY, ("UA-43",))
    assert rule.when[0] == Window(
        from_us=parse_time("2026-01-01T00:00:00Z"), until_us=parse_time("2026-06-01T00:00:00Z")
    )
    assert rule.when[1].daily == (22 * 3_600_000_000, 6 * 3_600_000_000)
    assert rule.stale_after_us == 6 * 3_600_000_000
    assert (rule.thresholds.over_kmh, rule.guard_km) == (75.0, 5.0)


@pytest.mark.parametrize(
    ("table", "field", "message", "fix"),
    [
        (GRANT | {"wher": ["UA"]}, "", "unknown key 'wher'", "'where'"),
        (GRANT | {"who": {"verfied": True}}, "who", "unknown key 'verfied'", "'verified'"),
        (DENY | {"thresholds": {"over_kph": 5}}, "thresholds", "'over_kph'", "'over_kmh'"),
        (GRANT | {"effect": "permit"}, "effect", "'permit' is not one of", None),
        (GRANT | {"gate": "teritory"}, "gate", "'teritory' is not one of", "'territory'"),
        (GRANT | {"who": {"mobility": ["boat"]}}, "who.mobility", "'boat' is not", None),
        (GRANT | {"who": {"verified": "no"}}, "who.verified", "expected `bool", None),
        (GRANT | {"who": {"fleet": "a"}}, "who.fleet", "expected `array`", None),
        (GRANT | {"who": {"fleet": []}}, "who.fleet", "names nothing", "leave who.fleet out"),
        (GRANT | {"where": []}, "where", "names nothing", "leave where out"),
        (GRANT | {"where": ["UA", "UA"]}, "where", "'UA' stands there twice", "take one out"),
        (GRANT | {"where": ["XX"]}, "where", "unknown territory 'XX'", None),
        (GRANT | {"except": ["UA-34"]}, "except", "unknown territory 'UA-34'", "'UA-43'"),
        (GRANT | {"where": ["h3:zz"]}, "where", "'h3:zz' is not a territory id", "h3:841e"),
        (GRANT | {"gate": "list"}, "gate", "not at 'list'", "exempt"),
        (GRANT | {"thresholds": {"over_kmh": 5}}, "over_kmh", "a grant has no thresholds", "who"),
        (GRANT | {"max_mbps": 5}, "max_mbps", "only a limit has max_mbps", "limit"),
        (GRANT | {"lifts": ["list"]}, "lifts", "only an exempt lifts", "exempt"),
        (GRANT | {"emergency": True}, "emergency", "stands at the gate 'order'", "order"),
        (GRANT | {"grounds": []}, "grounds", "at least one ground", "order:"),
        (GRANT | {"grounds": ["because"]}, "grounds", "not of the form kind:id", "order:"),
        (GRANT | {"guard_km": -1}, "guard_km", "-1 is not a width", "guard_km = 5"),
        (GRANT | {"id": "a b"}, "id", "has blanks", "without blanks"),
        ({k: v for k, v in GRANT.items() if k != "gate"}, "gate", "needs a gate", "territory"),
        ({k: v for k, v in GRANT.items() if k != "grounds"}, "", "missing required", None),
        (DENY | {"gate": "identity"}, "gate", "no rule may stand at the gate 'identity'", "list"),
        (DENY | {"gate": "assurance"}, "thresholds", "needs a threshold", "below_assurance"),
        (
            DENY | {"gate": "order", "thresholds": {"over_kmh": 5}},
            "over_kmh",
            "'order'",
            "mobility",
        ),
        (
            DENY | {"thresholds": {"over_gb": 5}},
            "over_gb",
            "nothing at the gate 'mobility'",
            "plan",
        ),
        (
            DENY | {"thresholds": {"over_kmh": 60, "clear_below_kmh": 75}},
            "clear_below_kmh",
            "75 is above over_kmh = 60",
            "at or below",
        ),
        (
            DENY | {"thresholds": {"clear_below_kmh": 5}},
            "clear_below_kmh",
            "needs over_kmh",
            "over",
        ),
        (DENY | {"thresholds": {"for_s": 5}}, "for_s", "needs over_kmh", "what must last"),
        (DENY | {"thresholds": {"over_kmh": -5}}, "over_kmh", "not a number of 0 or more", None),
        (
            DENY | {"gate": "assurance", "thresholds": {"below_assurance": 4}},
            "below_assurance",
            "not a level from 1 to 3",
            "0 to 3",
        ),
        (DENY | {"on_stale": "deny"}, "on_stale", "needs stale_after", "6h"),
        (DENY | {"on_stale": "drop"}, "on_stale", "'drop' is not one of", None),
        (DENY | {"stale_after": "soon"}, "stale_after", "'soon' is not a duration", "15s"),
        (DENY | {"when": [{}]}, "when[0]", "says nothing", "from, until or daily"),
        (DENY | {"when": [{"from": "2026"}]}, "when[0], from", "'2026' is not a time", "RFC 3339"),
        (DENY | {"when": [{"daily": "9-5"}]}, "daily", "'9-5' is not two times", "22:00-06:00"),
        (
            DENY | {"when": [{"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}]},
            "when[0]",
            "'until' is not after 'from'",
            "swap",
        ),
        (EXEMPT | {"gate": "list"}, "gate", "an exempt has no gate", 'lifts = ["list"]'),
        (EXEMPT | {"lifts": []}, "lifts", "must say what it lifts", "assurance"),
        (EXEMPT | {"lifts": ["order"]}, "lifts", "can lift the gate 'order'", "cell, list"),
        (
            EXEMPT | {"lifts": ["territory"]},
            "lifts",
            "can lift the gate 'territory'",
            "it may lift",
        ),
        (EXEMPT | {"lifts": ["identity"]}, "lifts", "can lift the gate 'identity'", "it may lift"),
        ({k: v for k, v in LIMIT.items() if k != "max_mbps"}, "max_mbps", "needs max_mbps", "50"),
        (LIMIT | {"max_mbps": 0}, "max_mbps", "0 is not a number above 0", "deny"),
        (LIMIT | {"gate": "territory"}, "gate", "does not limit", "plan"),
    ],
)
def test_what_a_rule_cannot_mean_gets_one_message_with_place_and_fix(table, field, message, fix):
    with pytest.raises(RuleError) as caught:
        rules_from([table], "p.toml", known_territories=["UA", "UA-43", "UA/sea"])
    error = caught.value
    assert error.message.startswith(f"p.toml, rule {table['id']!r}")
    assert message in error.message
    assert field in error.message
    if fix is not None:
        assert fix in error.hint
    assert error.exit_code == 2


def test_two_rules_may_not_share_an_id():
    with pytest.raises(RuleError, match=r"p.toml, rule\[1\], id: two rules have the id 'r'"):
        rules_from([GRANT, DENY], "p.toml")


def test_a_rule_made_in_python_is_held_to_the_same():
    with pytest.raises(RuleError, match="rule 'x', gate: a grant stands at the gate 'territory'"):
        Rule(id="x", effect=Effect.GRANT, gate=Gate.PLAN, grounds=("a:b",))


@pytest.mark.parametrize(
    ("daily", "inside", "outside"),
    [
        ("08:00-17:00", ["08:00:00", "16:59:59"], ["07:59:59", "17:00:00"]),
        ("22:00-06:00", ["22:00:00", "00:00:00", "05:59:59"], ["06:00:00", "21:59:59"]),
        ("12:00-24:00", ["12:00:00", "23:59:59"], ["00:00:00", "11:59:59"]),
    ],
)
def test_daily_hours_include_their_start_and_not_their_end(daily, inside, outside):
    (rule,) = rules_from([DENY | {"when": [{"daily": daily}]}], "p.toml")
    for day in ("1969-12-31", "2026-03-01"):
        assert all(rule.in_force(parse_time(f"{day}T{clock}Z")) for clock in inside)
        assert not any(rule.in_force(parse_time(f"{day}T{clock}Z")) for clock in outside)


def test_ground_is_where_without_except():
    (rule,) = rules_from([GRANT | {"where": ["UA"], "except": ["UA-43"]}], "p.toml")
    assert rule.covers(("UA", "UA-65"))
    assert not rule.covers(("UA", "UA-43"))
    assert not rule.covers(("UA/sea",))
    (everywhere,) = rules_from([GRANT], "p.toml")
    assert everywhere.covers(("XZ",))


def test_the_version_is_a_digest_of_everything_that_decides():
    rules = rules_from([GRANT, LIMIT | {"id": "l"}], "p.toml")
    base = Policy(rules=rules)
    assert base.version == Policy(rules=rules, witnessed_at_us=5, record_index=7).version
    assert len(base.version) == 64
    request = Request(verb="withhold", asker="x", where=("UA",), since=to_datetime(0))
    others = [
        Policy(rules=rules[::-1]),
        Policy(rules=rules, lists=(TerminalList(name="a", terminals=frozenset("xy")),)),
        Policy(rules=rules, sponsors=(Sponsor(id="s"),)),
        Policy(rules=rules, requests=(request,)),
    ]
    assert len({base.version, *(other.version for other in others)}) == 5
    # Pinned: an auditor elsewhere must get the same bytes.
    assert Policy().version == "efd243f90740a6877ec6bae097a832d24678acd384777888529b08f95303ce4b"


def test_a_rule_may_only_name_lists_that_there_are():
    rules = rules_from([GRANT | {"who": {"on_list": ["verifed"]}}], "p.toml")
    known = (TerminalList(name="verified", terminals=frozenset()),)
    with pytest.raises(RuleError) as caught:
        Policy(rules=rules, lists=known)
    assert "rule 'r', who.on_list: there is no list 'verifed'" in caught.value.message
    assert "'verified'" in caught.value.hint
