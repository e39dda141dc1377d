"""What no policy can do: widen a deny and let somebody in, stop distress, serve by default.

Each property holds for any policy, population and memory; both sides of a comparison get the same
memory. They are checked on columns, which `test_verdict_equality` ties to single verdicts.
"""

from __future__ import annotations

import copy
from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.policies import (
    COUNTRIES,
    FLEETS,
    IDS,
    LIFTABLE,
    LISTS,
    PLANS,
    SPONSORS,
    policy_of,
    random_at_us,
    random_memory,
    random_rule,
    random_tables,
    random_terminals,
    random_when,
)
from support.rectangles import Rectangles

from spotbeam.kernels.verdicts import NEVER, NO_DAY
from spotbeam.service.compiled import MemoryColumns, compile_policy, verdicts
from spotbeam.service.verdict import REASONS, Outcome

GROUND = Rectangles()
N = 150
ANY = {
    "fleet": FLEETS,
    "sponsor": SPONSORS,
    "registrant_country": COUNTRIES,
    "plan": PLANS,
    "on_list": LISTS,
}
any_random = st.randoms(use_true_random=False)
thorough = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    derandomize=True,
)


class Scene:
    """A population at a moment, with a memory that any later policy is given as well."""

    def __init__(self, source, tables):
        self.at_us = random_at_us(source)
        self.terminals = random_terminals(source, N)
        policy = policy_of(tables)
        self.memories = None
        if source.random() < 0.7:
            own = Random(source.getrandbits(32))  # too much data for Hypothesis to shrink
            self.memories = [random_memory(own, policy, self.at_us) for _ in range(N)]

    def decide(self, tables, terminals=None, at_us=None):
        compiled = compile_policy(policy_of(tables), GROUND)
        memory = None
        if self.memories is not None:
            memory = MemoryColumns.fresh(compiled, N)
            for row, remembered in enumerate(self.memories):
                memory.served[row] = remembered.served
                memory.data_gb[row] = remembered.data_gb
                for slot, name in enumerate(compiled.motion_rules):
                    of_rule = remembered.rules.get(name)
                    if of_rule is not None:
                        since_us = of_rule.over_since_us
                        memory.over_since_us[row, slot] = NEVER if since_us is None else since_us
                        memory.blocked[row, slot] = of_rule.blocked
                for slot, name in enumerate(compiled.day_rules):
                    of_rule = remembered.rules.get(name)
                    if of_rule is not None:
                        last_day = of_rule.last_day
                        memory.days[row, slot] = of_rule.days
                        memory.last_day[row, slot] = NO_DAY if last_day is None else last_day
        return verdicts(
            compiled,
            self.terminals if terminals is None else terminals,
            self.at_us if at_us is None else at_us,
            memory,
        )

    def served(self, tables, **changes):
        return self.decide(tables, **changes).outcome != Outcome.DENY


def rules_of(tables, effect):
    return [rule for rule in tables["rules"] if rule["effect"] == effect]


def widen_ground(random, rule):
    if random.random() < 0.5 and rule.get("except"):
        rule["except"].remove(random.choice(rule["except"]))
        if not rule["except"]:
            del rule["except"]
    elif "where" in rule:
        missing = [name for name in IDS if name not in rule["where"]]
        if missing and random.random() < 0.8:
            rule["where"].append(random.choice(missing))
        else:
            del rule["where"]


def narrow_ground(random, rule):
    if random.random() < 0.5:
        out = rule.setdefault("except", [])
        missing = [name for name in IDS if name not in out]
        out.append(random.choice(missing))
    elif "where" not in rule:
        rule["where"] = random.sample(IDS, random.randint(1, 4))
    elif len(rule["where"]) > 1:
        rule["where"].remove(random.choice(rule["where"]))


def widen_who(random, rule):
    who = rule.get("who", {})
    if not who:
        return
    key = random.choice(sorted(who))
    values = ANY.get(key)
    if key == "not_on_list" and len(who[key]) > 1:
        who[key].remove(random.choice(who[key]))
    elif values and set(values) - set(who[key]) and random.random() < 0.7:
        who[key].append(random.choice(sorted(set(values) - set(who[key]))))
    else:
        del who[key]


def narrow_who(random, rule):
    who = rule.setdefault("who", {})
    key = random.choice([*ANY, "verified", "terminal", "not_on_list"])
    if key in who and isinstance(who[key], list) and len(who[key]) > 1 and key != "not_on_list":
        who[key].remove(random.choice(who[key]))
    elif key == "not_on_list":
        who[key] = list(LISTS)
    elif key not in who:
        who[key] = (
            random.random() < 0.5
            if key == "verified"
            else ["t1", "t2"]
            if key == "terminal"
            else [random.choice(ANY[key])]
        )


def widen_thresholds(random, rule):
    asked = rule.get("thresholds")
    if not asked:
        return
    key = random.choice(sorted(asked))
    if key == "below_assurance":
        asked[key] = 3
    elif key == "clear_below_kmh":
        asked[key] *= 0.5
    else:
        asked[key] = type(asked[key])(asked[key] * random.choice((0, 0.5)))
        if key == "over_kmh" and "clear_below_kmh" in asked:
            asked["clear_below_kmh"] = min(asked["clear_below_kmh"], asked[key])
    if "over_kmh" in asked and random.random() < 0.3:
        asked["clear_below_kmh"] = 0.5 * asked.get("clear_below_kmh", asked["over_kmh"])


def widen_deny(random, rule):
    """One step after which a deny stops at least whom it stopped before."""
    step = random.randrange(6)
    if step == 0:
        widen_ground(random, rule)
    elif step == 1:
        widen_who(random, rule)
    elif step == 2:
        widen_thresholds(random, rule)
    elif step == 3:
        rule["guard_km"] = rule.get("guard_km", 0.0) + random.choice((0.5, 5.0, 30.0))
    elif step == 4 and "when" in rule:
        if random.random() < 0.5:
            del rule["when"]
        else:
            rule["when"] += random_when(random)
    elif step == 5 and "stale_after" in rule:
        rule["on_stale"] = "deny"
        rule["stale_after"] = "1h"


def narrow_permission(random, rule):
    """One step after which a grant or an exempt reaches at most whom it reached before."""
    step = random.randrange(6)
    if step == 0:
        narrow_ground(random, rule)
    elif step == 1:
        narrow_who(random, rule)
    elif step == 2:
        rule["guard_km"] = rule.get("guard_km", 0.0) + random.choice((0.5, 5.0, 30.0))
    elif step == 3:
        if len(rule.get("when", ())) > 1:
            rule["when"].pop()
        elif "when" not in rule:
            rule["when"] = random_when(random)
    elif step == 4:
        old = rule.get("on_stale", "hold")
        rule["on_stale"] = random.choice(
            {"hold": ("deny", "allow_protected"), "allow_protected": ("deny",), "deny": ("deny",)}[
                old
            ]
        )
        rule.setdefault("stale_after", "6h")
        if random.random() < 0.5:
            rule["stale_after"] = "1h"
    elif len(rule.get("lifts", ())) > 1:
        rule["lifts"].pop()


@thorough
@given(any_random)
def test_widening_a_deny_lets_nobody_in(random):
    before = random_tables(random, 8)
    before["rules"].append(random_rule(random, "widened", ("deny",)))
    after = copy.deepcopy(before)
    for _ in range(random.randint(1, 4)):
        widen_deny(random, random.choice(rules_of(after, "deny")))
    scene = Scene(random, before)
    assert not np.any(scene.served(after) & ~scene.served(before))


@thorough
@given(any_random)
def test_narrowing_a_grant_or_an_exempt_lets_nobody_in(random):
    before = random_tables(random, 8)
    after = copy.deepcopy(before)
    permissions = rules_of(after, "grant") + rules_of(after, "exempt")
    for _ in range(random.randint(1, 4) if permissions else 0):
        narrow_permission(random, random.choice(permissions))
    if permissions and random.random() < 0.3:
        after["rules"].remove(random.choice(permissions))
    scene = Scene(random, before)
    assert not np.any(scene.served(after) & ~scene.served(before))


@thorough
@given(any_random)
def test_one_more_deny_lets_nobody_in(random):
    before = random_tables(random, 8)
    scene = Scene(random, before)
    after = copy.deepcopy(before)
    extra = random_rule(random, "extra", ("deny",))
    after["rules"].insert(random.randint(0, len(after["rules"])), extra)
    assert not np.any(scene.served(after) & ~scene.served(before))


@thorough
@given(any_random)
def test_a_vaguer_position_lets_nobody_in(random):
    tables = random_tables(random, 8)
    scene = Scene(random, tables)
    error_m = scene.terminals.position_error_m
    vaguer = scene.terminals.moved(position_error_m=error_m * 2 + random.choice((0, 100, 5000)))
    assert not np.any(scene.served(tables, terminals=vaguer) & ~scene.served(tables))


@thorough
@given(any_random)
def test_without_a_grant_nobody_is_served_but_distress(random):
    tables = random_tables(random, 10)
    scene = Scene(random, tables)
    tables["rules"] = [rule for rule in tables["rules"] if rule["effect"] != "grant"]
    active = scene.terminals.account == 0
    assert np.array_equal(scene.served(tables), scene.terminals.distress & active)


@thorough
@given(any_random)
def test_distress_passes_all_but_identity(random):
    tables = random_tables(random, 10)
    scene = Scene(random, tables)
    everyone = scene.terminals.take(np.arange(N))
    distressed = type(everyone)(**{**vars(everyone), "distress": np.ones(N, dtype=bool)})
    columns = scene.decide(tables, terminals=distressed)
    active = everyone.account == 0
    assert np.array_equal(columns.outcome == Outcome.ALLOW, active)
    assert {REASONS[code] for code in columns.reason[active]} <= {"OK"}
    stopped = {REASONS[code] for code in columns.reason[~active]}
    assert stopped <= {"NO_ACTIVE_ACCOUNT", "ACCOUNT_DISABLED", "UNSUPPORTED_VERSION"}


@thorough
@given(any_random)
def test_no_exempt_lifts_an_order_or_gives_ground(random):
    tables = random_tables(random, 8)
    scene = Scene(random, tables)
    binding = copy.deepcopy(tables)
    binding["rules"] = [
        rule for rule in tables["rules"] if rule.get("gate") in ("order", "territory")
    ]
    tables["rules"] += [
        {"id": f"exempt-{k}", "effect": "exempt", "lifts": list(LIFTABLE), "grounds": ["order:k"]}
        for k in range(2)
    ]
    assert not np.any(scene.served(tables) & ~scene.served(binding))


@thorough
@given(any_random)
def test_the_order_of_rules_does_not_change_who_is_served_or_how_fast(random):
    tables = random_tables(random, 10)
    scene = Scene(random, tables)
    shuffled = copy.deepcopy(tables)
    random.shuffle(shuffled["rules"])
    one, other = scene.decide(tables), scene.decide(shuffled)
    assert np.array_equal(one.outcome, other.outcome)
    assert np.array_equal(one.max_mbps, other.max_mbps, equal_nan=True)


@thorough
@given(any_random)
def test_a_verdict_stays_until_it_says(random):
    tables = random_tables(random, 8)
    scene = Scene(random, tables)
    now = scene.decide(tables)
    horizon_us = 3 * 24 * 3_600_000_000
    later_us = scene.at_us + random.randint(1, horizon_us)
    if random.random() < 0.5 and (now.valid_until_us < NEVER).any():
        later_us = int(now.valid_until_us.min()) - random.randint(0, 1)
    later = scene.decide(tables, at_us=max(later_us, scene.at_us))
    holds = now.valid_until_us > later.at_us
    for column in ("outcome", "reason", "rule", "max_mbps"):
        before, after = getattr(now, column)[holds], getattr(later, column)[holds]
        assert np.array_equal(before, after, equal_nan=column == "max_mbps"), column
