"""What the columns rest on: lists, many names, many rules, and ground asked only where needed."""

from __future__ import annotations

import numpy as np
import pytest
from support.rectangles import Rectangles

from spotbeam.errors import RuleError
from spotbeam.service.compiled import Standing, bind, compile_policy, verdicts
from spotbeam.service.policy import Policy, TerminalList
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminals

GROUND = Rectangles()
GRANT = {"id": "g", "effect": "grant", "gate": "territory", "grounds": ["a:b"]}


def rule(id, effect="deny", **fields):
    return {"id": id, "effect": effect, "grounds": ["a:b"], **fields}


def crowd(n, **columns):
    return Terminals.from_columns(
        {
            "id": [f"k{i}" for i in range(n)],
            "lat_deg": np.linspace(0.1, 1.9, n),
            "lon_deg": np.linspace(0.1, 3.9, n),
        }
        | columns
    )


def test_unknown_ground_is_refused_when_a_policy_meets_its_ground():
    policy = Policy(rules=rules_from([GRANT | {"where": ["A", "AA"]}], "p.toml"))
    with pytest.raises(RuleError, match="unknown territory 'AA'"):
        compile_policy(policy, GROUND)


def test_hundreds_of_names_and_rules_that_no_single_table_holds():
    n = 400
    fleets, plans = [f"f{i}" for i in range(n)], [f"p{i % 97}" for i in range(n)]
    sponsors = [f"s{i % 61}" for i in range(n)]
    tables = [GRANT]
    tables += [rule(f"f{i}", gate="list", who={"fleet": [f"f{i}"]}) for i in range(0, n, 3)]
    tables += [rule(f"p{i}", gate="plan", who={"plan": [f"p{i}"]}) for i in range(0, 97, 5)]
    tables += [rule(f"s{i}", gate="order", who={"sponsor": [f"s{i}"]}) for i in range(0, 61, 7)]
    policy = Policy(rules=rules_from(tables, "p.toml"))
    compiled = compile_policy(policy, GROUND)
    terminals = crowd(n, fleet=fleets, plan=plans, sponsor=sponsors)
    bound = bind(compiled, terminals)
    assert bound.who.shape[1] > 1  # the combinations are split over several tables
    columns = verdicts(compiled, bound, 0)
    for row in range(n):
        expected = (
            f"s{row % 61}" if row % 61 % 7 == 0
            else f"f{row}" if row % 3 == 0
            else f"p{row % 97}" if row % 97 % 5 == 0
            else "g"
        )  # fmt: skip
        assert policy.rules[columns.rule[row]].id == expected


def test_ground_is_asked_about_discs_only_where_there_are_any():
    class Counting(Rectangles):
        asked = 0

        def touched(self, lat_deg, lon_deg, radius_m):
            Counting.asked += len(lat_deg)
            assert (radius_m > 0).all()
            return super().touched(lat_deg, lon_deg, radius_m)

    compiled = compile_policy(Policy(rules=rules_from([GRANT], "p.toml")), Counting())
    errors = np.zeros(100)
    verdicts(compiled, crowd(100, position_error_m=errors), 0)
    assert Counting.asked == 0
    errors[:7] = 50.0
    verdicts(compiled, crowd(100, position_error_m=errors), 0)
    assert Counting.asked == 7


def test_ground_that_is_known_already_need_not_be_asked():
    policy = Policy(rules=rules_from([GRANT | {"where": ["A"]}], "p.toml"))
    compiled = compile_policy(policy, GROUND)
    terminals = crowd(50)
    own = GROUND.locate(terminals.lat_deg, terminals.lon_deg)
    known = bind(compiled, terminals, Standing(own, own[:, None].copy(), []))
    one, other = verdicts(compiled, terminals, 0), verdicts(compiled, known, 0)
    assert np.array_equal(one.reason, other.reason)
    assert {0, 8} == set(one.reason.tolist())


def test_lists_of_many_terminals_are_looked_up_by_id():
    members = frozenset(f"k{i}" for i in range(0, 2000, 2))
    tables = [GRANT, rule("white", gate="list", who={"not_on_list": ["verified"]})]
    policy = Policy(
        rules=rules_from(tables, "p.toml"),
        lists=(TerminalList(name="verified", terminals=members),),
    )
    columns = verdicts(compile_policy(policy, GROUND), crowd(1000), 0)
    assert columns.reason_words().tolist() == ["OK", "NOT_LISTED"] * 500
    assert columns.outcome_words().tolist() == ["allow", "deny"] * 500


def test_nobody_and_no_rules_are_fine():
    empty = Policy()
    compiled = compile_policy(empty, GROUND)
    assert len(verdicts(compiled, crowd(0), 0)) == 0
    assert set(verdicts(compiled, crowd(5), 0).reason_words()) == {"NOT_AUTHORISED"}
