"""Request, change, approvals, anchor, binding, policy: the path that every change takes."""

from __future__ import annotations

import pytest
from support.governance import LICENCE, START_US, World, rule

from spotbeam.governance.apply import apply
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.asking import Lapse, Refusal, Withdrawal
from spotbeam.governance.entries.deciding import Stage
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Span
from spotbeam.governance.history import fold, state
from spotbeam.governance.policy import policy
from spotbeam.governance.state import State, listed, state_digest


def rule_ids(world: World, at_us: int, known_at_us: int | None = None) -> list[str]:
    return [r.id for r in policy(state(world.history(), at_us, known_at_us)).rules]


def test_a_change_binds_only_when_it_is_approved_and_witnessed() -> None:
    world = World()
    change = world.change()
    world.approve(change, "bo")
    world.anchor()
    assert world.status(change) == "pending"  # one factor is not two
    world.approve(change, "cy")
    assert world.status(change) == "pending"  # signed, but nobody has witnessed it
    world.anchor()
    assert world.codes() == []
    assert world.status(change) == "bound"
    at_us = world.clock_us
    assert world.now.changes[change].bound_us == at_us
    assert rule_ids(world, at_us) == ["ua-authorised"]
    assert rule_ids(world, at_us - 1) == []  # never before it was witnessed


def test_the_policy_carries_what_the_edge_needs() -> None:
    world = World()
    world.pass_change()
    open_request = world.request(where=("UA-43",))
    world.anchor()
    found = policy(state(world.history(), world.clock_us))
    assert found.rules[0].where == ("UA",)
    assert found.record_index == world.now.size
    assert found.witnessed_at_us == world.clock_us
    assert [r.where for r in found.requests] == [("UA-43",)]
    assert world.now.requests[open_request].status == "registered"


def test_folding_all_at_once_or_piece_by_piece_is_the_same_and_replays_to_the_bit() -> None:
    world = World()
    world.pass_change()
    world.add(b"junk")
    world.pass_change(DropRule("ua-authorised"))
    whole = fold(world.entries)
    half = fold(world.entries[7:], fold(world.entries[:7]))
    assert state_digest(whole.now) == state_digest(half.now) == state_digest(world.now)
    assert state_digest(whole.now) != state_digest(fold(world.entries[:-1]).now)
    assert [f.code for f in listed(whole.now)] == ["not_canonical"]


def test_what_is_in_force_follows_from_the_window_without_any_timer() -> None:
    world = World()
    begin, end = START_US + 2 * DAY_US, START_US + 3 * DAY_US
    world.pass_change(window=Span(from_us=begin, until_us=end))
    assert [rule_ids(world, at) for at in (begin - 1, begin, end - 1, end)] == [
        [],
        ["ua-authorised"],
        ["ua-authorised"],
        [],
    ]
    assert state(world.history(), begin - 1).until_us == begin


def test_a_time_box_gives_back_what_was_there_before() -> None:
    world = World()
    world.pass_change()
    until = world.clock_us + DAY_US
    narrower = rule(except_=("UA-43",))
    world.pass_change(PutRule(narrower), window=Span(until_us=until))
    inside = policy(state(world.history(), until - 1)).rules
    after = policy(state(world.history(), until)).rules
    assert inside[0].except_ == ("UA-43",)
    assert after[0].except_ == ()


def test_a_roll_out_reaches_its_ground_step_by_step() -> None:
    world = World()
    first, second = START_US + DAY_US, START_US + 2 * DAY_US
    world.pass_change(
        PutRule(rule(where=("UA-43", "UA-65"))),
        rollout=(
            Stage(from_us=first, where=("h3:841e265ffffffff",)),
            Stage(from_us=second, where=("UA-65",)),
        ),
    )
    assert world.codes() == []

    def reached(at_us: int) -> list[tuple[str, ...]]:
        return [r.where for r in policy(state(world.history(), at_us)).rules]

    assert reached(first - 1) == []
    assert reached(first) == [("h3:841e265ffffffff",)]
    assert reached(second) == [("h3:841e265ffffffff", "UA-65")]


def test_intended_as_known_then_and_as_known_now() -> None:
    world = World()
    start = START_US + 10 * DAY_US
    world.pass_change(window=Span(from_us=start))
    knew = world.clock_us
    world.anchor(after_us=5 * DAY_US)
    world.pass_change(DropRule("ua-authorised"))
    assert rule_ids(world, start, knew) == ["ua-authorised"]  # what was planned then
    assert rule_ids(world, start) == []  # what came of it
    assert rule_ids(world, start, START_US - 1) == []


def test_turned_off_and_refused_to_turn_on_are_told_apart() -> None:
    world = World()
    refused = world.request(where=("UA-43",))
    world.say(Refusal(request=refused, grounds=(LICENCE,), quote="no licence covers it"), "cy")
    lapsed = world.request(where=("UA-40",), answer_by_us=START_US + DAY_US)
    granted = world.request()
    world.change(request=granted)
    world.approve(world.change(request=granted), "bo", "cy")
    world.anchor()
    assert world.now.requests[granted].status == "granted"
    assert world.now.requests[refused].status == "refused"
    later = state(world.history(), START_US + DAY_US)
    assert [asked.id for asked in later.lapsed] == [lapsed]
    world.log_says(Lapse(request=lapsed))
    assert world.last_code() == "not_lapsed"  # witnesses have not seen that time yet
    world.anchor(after_us=2 * DAY_US)
    before = state_digest(world.now)
    world.log_says(Lapse(request=lapsed))
    assert world.last_code() is None
    assert before != state_digest(world.now)  # only the note itself is new
    assert world.now.requests[lapsed].status == "registered"
    world.change(request=lapsed)
    assert world.last_code() == "lapsed"


def test_whoever_signed_it_takes_it_back_and_nobody_else() -> None:
    world = World()
    change = world.change()
    world.say(Withdrawal(target=change), "cy")
    assert world.last_code() == "not_theirs"
    (given, _) = world.approve(change, "bo", "cy")
    world.say(Withdrawal(target=given), "cy")
    assert world.last_code() == "not_theirs"
    world.say(Withdrawal(target=given), "bo")
    world.anchor()
    assert world.status(change) == "pending"
    world.say(Withdrawal(target=change), "ada")
    assert world.status(change) == "withdrawn"
    world.approve(change, "bo")
    assert world.last_code() == "decided"


def test_a_rejection_ends_a_proposal() -> None:
    world = World()
    change = world.change()
    world.approve(change, "bo", "dee")
    world.approve(change, "cy", word="reject")
    world.anchor()
    assert world.status(change) == "rejected"


def test_an_answered_request_carries_no_second_change() -> None:
    world = World()
    request = world.request()
    first, second = world.change(request=request), world.change(request=request)
    world.approve(first, "bo", "cy")
    world.approve(second, "bo", "cy")
    world.anchor()
    assert (world.status(first), world.status(second)) == ("bound", "pending")
    assert rule_ids(world, world.clock_us) == ["ua-authorised"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"by": ("w1", "w2")}, "not_witnessed"),
        ({"by": ("w1", "w1", "w1")}, "not_witnessed"),
        ({"at_us": SECOND_US // 2}, None),  # dated 0: see below
        ({"root": bytes(32)}, "not_witnessed"),
        ({"logs": ("another log",)}, "not_witnessed"),
        ({"size": 1}, "not_witnessed"),
    ],
)
def test_what_is_no_anchor(how: dict[str, object], code: str | None) -> None:
    world = World()
    world.anchor()
    world.request()
    if code is None:
        with pytest.raises(ValueError, match="cannot be dated 0"):
            world.anchor(**how)
        return
    world.anchor(**how)
    assert world.last_code() == code
    assert world.now.anchored_size == 1


def test_witnessed_time_never_falls() -> None:
    world = World()
    world.anchor()
    witnessed = world.now.witnessed_us
    world.request()
    world.anchor(at_us=START_US - DAY_US)
    assert world.last_code() is None
    assert world.now.witnessed_us == witnessed


def test_an_approval_holds_24_hours_from_when_it_was_witnessed() -> None:
    for hours, falls in ((24, False), (24.1, True)):
        world = World()
        change = world.change()
        expires = world.clock_us + int(hours * HOUR_US) + 60 * SECOND_US
        world.approve(change, "bo", "cy", expires_us=expires)
        world.anchor(after_us=60 * SECOND_US)
        assert (world.status(change) == "pending") == falls
    world = World()
    change = world.change()
    world.approve(change, "bo")
    world.anchor()
    world.anchor(after_us=21 * HOUR_US)
    world.approve(change, "cy")
    world.anchor()
    assert world.status(change) == "pending"  # the first had expired when the second came


def test_apply_needs_no_genesis_to_be_total() -> None:
    now = apply(State(), b"{}")
    assert [f.code for f in listed(now)] == ["malformed"]
    world = World()
    late = apply(now, world.entries[0])
    assert [f.code for f in listed(late)] == ["malformed", "not_first"]
