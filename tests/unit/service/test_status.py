"""Service states and public words: one table, causes kept apart."""

from __future__ import annotations

import pytest
from support.rectangles import Rectangles

from spotbeam.service import status
from spotbeam.service.compiled import compile_policy, verdicts
from spotbeam.service.policy import Policy, Request
from spotbeam.service.rules import rules_from
from spotbeam.service.status import PUBLIC_WORDS, ServiceState, service_state, word_of
from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import REASONS
from spotbeam.times import to_datetime


@pytest.mark.parametrize(
    ("outcome", "has", "state"),
    [
        ("allow", {}, "served"),
        ("limit", {}, "limited"),
        ("allow", {"has_satellite": False}, "no_satellite"),
        ("limit", {"has_satellite": False}, "no_satellite"),
        ("allow", {"has_beam": False}, "no_beam"),
        ("allow", {"has_route": False}, "no_route"),
        ("deny", {"has_satellite": False, "has_beam": False, "has_route": False}, "denied"),
    ],
)
def test_denied_wins_over_physics_and_the_rest_stay_apart(outcome, has, state):
    assert service_state(outcome, **has) == state


def test_public_words_are_those_of_the_table():
    physics = {
        "served": "available",
        "limited": "available",
        "no_beam": "at_capacity",
        "no_satellite": "out_of_view",
        "no_route": "out_of_view",
    }
    for state, word in physics.items():
        assert word_of(ServiceState(state), "OK", is_withheld=True) == word
    special = {
        "PENDING_AUTHORISATION": "awaiting_approval",
        "BLOCKED_COUNTRY": "blocked_by_order",
        "EMERGENCY_ACTION": "blocked_by_order",
        "CELL_IS_DISABLED": "withheld",
    }
    for reason in REASONS:
        word = special.get(reason, "not_offered")
        assert word_of(ServiceState.DENIED, reason) == word
        withheld = "withheld" if reason == "NOT_AUTHORISED" else word
        assert word_of(ServiceState.DENIED, reason, is_withheld=True) == withheld


def test_columns_of_words_agree_with_single_ones():
    ground = Rectangles()
    rules = rules_from(
        [
            {"id": "a", "effect": "grant", "gate": "territory", "where": ["A", "x-own"],
             "grounds": ["a:b"]},
            {"id": "o", "effect": "deny", "gate": "order", "where": ["A-1"], "grounds": ["a:b"]},
            {"id": "c", "effect": "deny", "gate": "cell", "where": ["x-own"], "grounds": ["a:b"]},
        ],
        "p.toml",
    )  # fmt: skip
    requests = (
        Request(verb="withhold", asker="x", where=("B",), since=to_datetime(5)),
        Request(verb="activate", asker="x", where=("B/sea",), since=to_datetime(0)),
    )
    policy = Policy(rules=rules, requests=requests)
    compiled = compile_policy(policy, ground)
    lat = [0.2, 0.2, 1.8, 0.2, 2.2, 2.7]
    lon = [0.2, 1.2, 1.7, 3.8, 3.8, 0.0]
    cells = Terminals.from_columns({"id": list("abcdef"), "lat_deg": lat, "lon_deg": lon})
    for at_us, b_word in ((4, "not_offered"), (5, "withheld")):
        columns = verdicts(compiled, cells, at_us)
        codes = status.public_word_codes(compiled, columns, ground.locate(lat, lon))
        words = ["-" if code < 0 else PUBLIC_WORDS[code] for code in codes]
        assert words == ["-", "blocked_by_order", "withheld", b_word, "awaiting_approval",
                         "not_offered"]  # fmt: skip


def test_the_reference_terminal_is_plain():
    terminal = status.reference_terminal(10.0, 20.0)
    assert (terminal.mobility, terminal.protection, terminal.verified) == ("fixed", "none", True)
    assert (terminal.speed_kmh, terminal.position_error_m, terminal.assurance) == (0.0, 0.0, 3)
