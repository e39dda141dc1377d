"""A3 to A16: each rule where it holds, and where it nearly does."""

from __future__ import annotations

import random
from typing import Any

import pytest
from support.accounts import claim, contact, found, with_parties
from support.governance import LICENCE, World, rule

from spotbeam.chronicle.notices import DUE_US, PROTECTED
from spotbeam.governance.entries.accounts import (
    Interest,
    LossSeen,
    Matter,
    Notice,
    Observation,
    Party,
    PositionSeen,
    RegistrantsSeen,
    ServiceSeen,
    Verification,
    WitnessSeen,
    ZeroReport,
)
from spotbeam.governance.entries.acts import PutRule, SilenceAlerts
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US, Ground
from spotbeam.watch.rules import RULES


def observed(world: World, seen: Any, at_us: int | None = None) -> str:
    at_us = world.clock_us if at_us is None else at_us
    name = world.say(Observation(by="probe-7", at_us=at_us, seen=seen), "rex")
    world.anchor()
    return name


# -- A3, A4: how a request came


@pytest.mark.parametrize(
    ("how", "raised"),
    [
        ({"channel": "telephone"}, True),
        ({"channel": "telephone", "letter": "1" * 64}, True),
        ({"channel": "telephone", "verified": "call-back"}, False),
        ({"channel": "letter"}, True),
        ({"channel": "letter", "letter": "1" * 64}, False),
        ({"channel": "letter", "verified": "unverified"}, True),
        ({"channel": "telephone", "actor": "ada"}, False),
    ],
)
def test_a3_a_request_that_only_its_registrar_vouches_for(
    how: dict[str, Any], raised: bool
) -> None:
    world = World()
    world.request(**how)
    world.anchor()
    assert (len(found(world, "A3")) == 1) == raised


def test_a3_ends_for_nobody_but_is_not_raised_once_somebody_verified_it() -> None:
    world = World()
    name = world.request(verified="unverified")
    world.say(Verification(request=name, how="call-back"), "ada")
    world.anchor()
    assert found(world, "A3") == []


@pytest.mark.parametrize(
    ("grounds", "raised"),
    [
        ((Ground(kind="initiative", id="own-wish"),), True),
        ((Ground(kind="initiative", id="own-wish"), LICENCE), False),
        ((Ground(kind="order", id="o-1", issuer="ministry"),), True),
        ((Ground(kind="order", id="o-1", issuer="licensor"),), False),
        ((Ground(kind="order", id="o-1", issuer="nobody on record"),), False),
        ((Ground(kind="contract", id="c-1", issuer="ministry"),), False),
    ],
)
def test_a4_a_requester_without_a_ground(grounds: tuple[Ground, ...], raised: bool) -> None:
    world = World()
    for name in ("ministry", "licensor"):
        world.say(Party(party=name, name=name.title(), kind="body"), "rex")
    world.say(Interest(party="licensor", where=("UA",), kind="licensor"), "rex")
    world.say(Interest(party="ministry", where=("PL",), kind="licensor"), "rex")
    world.request(grounds=grounds, letter="1" * 64)
    world.anchor()
    assert (len(found(world, "A4")) == 1) == raised


def test_a4_is_not_about_our_own_initiative() -> None:
    world = World()
    world.request(grounds=(Ground(kind="initiative", id="own-wish"),), actor="ada")
    world.anchor()
    assert found(world, "A4") == []


# -- A5, A6: how it ended


def answered(world: World, outcome: str, after_us: int, where: str, **changes: Any) -> str:
    name = world.request((where,), **changes)
    world.anchor()
    world.anchor(after_us=after_us)
    if outcome == "refused":
        world.say(Refusal(request=name, grounds=(LICENCE,), quote="No."), "cy")
        world.anchor()
        return name
    world.count += 1
    put = PutRule(rule(f"r{world.count}", where=(where,)))
    return world.pass_change(put, people=("bo", "cy"), request=name)


def test_a5_one_granted_in_a_day_and_a_like_one_refused() -> None:
    world = World()
    one = answered(world, "granted", DAY_US, "UG", verb="deactivate")
    other = answered(world, "refused", DAY_US, "IR", verb="deactivate")
    (alert,) = found(world, "A5")
    assert alert.decisions == (one, other)
    assert "over UG granted after" in alert.says
    assert "over IR refused after" in alert.says


@pytest.mark.parametrize(("hours", "raised"), [(10, False), (11, True)])
def test_a5_a_delay_over_ten_times_as_long(hours: int, raised: bool) -> None:
    world = World()
    answered(world, "granted", HOUR_US, "UG")
    answered(world, "granted", hours * HOUR_US, "IR")
    assert bool(found(world, "A5")) == raised


@pytest.mark.parametrize(
    "changes",
    [{"verb": "restrict"}, {"grounds": (Ground(kind="order", id="o-1"),)}],
    ids=["verb", "grounds"],
)
def test_a5_is_about_like_requests(changes: dict[str, Any]) -> None:
    world = World()
    answered(world, "granted", DAY_US, "UG")
    answered(world, "refused", DAY_US, "IR", **changes)
    assert found(world, "A5") == []


def test_a6_to_the_second() -> None:
    world = World()
    name = world.request(answer_by_us=world.clock_us + DAY_US)
    world.anchor()
    by_us = world.now.requests[name].request.answer_by_us
    assert found(world, "A6", after_us=by_us - world.clock_us - 1) == []
    (alert,) = found(world, "A6", after_us=by_us - world.clock_us)
    assert alert.at_us == by_us
    assert "by 2026-" in alert.says


# -- A7, A8, A10, A13, A14: what was seen


def seen_off(reason: str | None = "CELL_IS_DISABLED") -> ServiceSeen:
    return ServiceSeen(where="UA", service="off", reason=reason)


def test_a7_the_record_says_on_and_probes_find_it_disabled() -> None:
    world = World()
    world.pass_change()
    world.anchor(after_us=HOUR_US)
    observed(world, seen_off())
    (alert,) = found(world, "A7")
    assert "service was to be on" in alert.says
    assert "CELL_IS_DISABLED" in alert.says


@pytest.mark.parametrize("reason", [None, "NO_SATELLITE", "OBSTRUCTED"])
def test_a7_an_outage_is_no_decision(reason: str | None) -> None:
    world = World()
    world.pass_change()
    world.anchor(after_us=HOUR_US)
    observed(world, seen_off(reason))
    assert found(world, "A7") == []


@pytest.mark.parametrize(("after_s", "raised"), [(299, False), (301, True)])
def test_a7_waits_until_a_change_has_reached_the_edges(after_s: int, raised: bool) -> None:
    world = World()
    world.pass_change()
    observed(world, seen_off(), world.now.witnessed_us + after_s * SECOND_US)
    assert bool(found(world, "A7", after_us=HOUR_US)) == raised


def test_a7_service_where_none_is_granted() -> None:
    world = World()
    world.anchor()
    world.anchor(after_us=HOUR_US)
    observed(world, ServiceSeen(where="UA-43", service="on"))
    assert "service was to be off" in found(world, "A7")[0].says


def test_a7_says_nothing_where_a_rule_is_about_some_terminals_only() -> None:
    world = World()
    world.pass_change()
    some = rule("some", effect="deny", gate="order", who=WhoEntry(verified=False))
    world.pass_change(PutRule(some))
    world.anchor(after_us=HOUR_US)
    observed(world, seen_off())
    assert found(world, "A7") == []


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        (LossSeen(where="UA", terminals=101, protected=0, within_s=3_600), True),
        (LossSeen(where="UA", terminals=100, protected=0, within_s=3_600), False),
        (LossSeen(where="UA", terminals=101, protected=0, within_s=3_601), False),
        (LossSeen(where="UA", terminals=1, protected=1, within_s=9_999), True),
    ],
)
def test_a8_many_or_protected(seen: LossSeen, raised: bool) -> None:
    world = World()
    observed(world, seen)
    alerts = found(world, "A8")
    assert bool(alerts) == raised
    assert all(str(seen.terminals) not in each.says for each in alerts if seen.terminals > 100)


def test_a10_what_a_witness_did_and_a_day_without_an_anchor() -> None:
    world = World()
    world.anchor()
    assert found(world, "A10", after_us=DAY_US) == []
    (silent,) = found(world, "A10", after_us=DAY_US + 1)
    assert silent.level == "critical"
    observed(world, WitnessSeen(witness="w1", found="two-roots"))
    assert "two roots for one size" in found(world, "A10")[0].says


def counts(**changes: int) -> RegistrantsSeen:
    low = {
        "terminals": 1_000,
        "most_by_registrant": 10,
        "most_at_address": 20,
        "most_by_payer": 20,
        "most_in_day": 50,
        "far_first_fixes": 200,
    }
    return RegistrantsSeen(list="kits", **{**low, **changes})


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        (counts(), False),
        (counts(most_by_registrant=11), True),
        (counts(most_at_address=21), True),
        (counts(most_by_payer=21), True),
        (counts(most_in_day=51), True),
        (counts(far_first_fixes=201), True),
        (counts(terminals=20, far_first_fixes=9), False),
    ],
)
def test_a13_each_limit(seen: RegistrantsSeen, raised: bool) -> None:
    world = World()
    observed(world, seen)
    assert bool(found(world, "A13")) == raised


def counted(registrations: list[tuple[int, int, int, int, bool]]) -> RegistrantsSeen:
    """Counts over rows of registrant, address, payer, day, and whether first seen far away."""

    def most(column: int) -> int:
        values = [row[column] for row in registrations]
        return max(map(values.count, set(values)))

    return counts(
        terminals=len(registrations),
        most_by_registrant=most(0),
        most_at_address=most(1),
        most_by_payer=most(2),
        most_in_day=most(3),
        far_first_fixes=sum(row[4] for row in registrations),
    )


def test_a13_finds_a_ring_of_fifty_and_leaves_families_alone() -> None:
    """Fifty strangers, each with one or two kits, one payer behind them: none stands out alone."""
    draw = random.Random(20_260_101)
    false_alarms = 0
    for trial in range(40):
        families = [
            (family, family, family, draw.randrange(365), draw.random() < 0.03)
            for family in range(300)
            for _ in range(draw.choice([1, 1, 1, 2, 3]))
        ]
        world = World()
        observed(world, counted(families))
        false_alarms += bool(found(world, "A13"))
        if trial < 10:
            ring = [
                (1_000 + straw, 1_000 + straw, 9_999, draw.randrange(300, 320), True)
                for straw in range(50)
                for _ in range(draw.choice([1, 2]))
            ]
            world = World()
            observed(world, counted(families + ring))
            assert "one payer" in found(world, "A13")[0].says
    assert false_alarms == 0


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        ({"terminal_class": "land", "jump_m": 70_000, "jump_s": 1_000}, True),  # 252 km/h
        ({"terminal_class": "land", "jump_m": 69_000, "jump_s": 1_000}, False),
        ({"terminal_class": "aero", "jump_m": 300_000, "jump_s": 1_000}, False),
        ({"terminal_class": "balloon", "jump_m": 400_000, "jump_s": 1_000}, True),
        ({"terminal_class": "land", "apart_m": 5_001}, True),
        ({"terminal_class": "land", "apart_m": 5_000}, False),
        ({"terminal_class": "land", "jump_m": 90_000, "jump_s": 0}, True),
    ],
)
def test_a14_faster_than_its_class_or_elsewhere(seen: dict[str, Any], raised: bool) -> None:
    world = World()
    observed(world, PositionSeen(where="UA", **seen))
    assert bool(found(world, "A14")) == raised


# -- A9, A11, A12, A15, A16: duties


def emergency(world: World, where: tuple[str, ...] = ("UA",)) -> str:
    world.count += 1
    off = rule(f"off{world.count}", effect="deny", gate="order", where=where, emergency=True)
    name = world.say(
        Emergency(
            request=world.request(where, verb="deactivate", letter="1" * 64),
            grounds=(LICENCE,),
            acts=(PutRule(off),),
            lasts_us=DAY_US,
            impact="4" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
    )
    world.approve(name, "bo", "cy", "dee")
    world.anchor()
    return name


def test_a9_each_emergency_and_the_second_on_one_ground() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=2))
    first = emergency(world)
    assert [a.level for a in found(world, "A9")] == ["high"]
    emergency(world, ("PL",))
    assert [a.level for a in found(world, "A9")] == ["high", "high"]
    world.anchor(after_us=29 * DAY_US)
    again = emergency(world)
    worst = found(world, "A9")[0]
    assert (worst.level, worst.decisions) == ("critical", (again,))
    assert f"follows {first} within 30 days" in worst.says
    world.anchor(after_us=31 * DAY_US)
    emergency(world)
    assert [a.level for a in found(world, "A9")].count("critical") == 1


def test_a11_a_seal_past_its_date() -> None:
    world = World()
    seal = Seal(
        request=world.request(),
        grounds=(LICENCE,),
        commitment="5" * 64,
        bounds=Bounds(where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=1),
        open_by_us=world.clock_us + DAY_US,
        impact="6" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    name = world.say(seal, "ada")
    world.approve(name, "bo", "cy")
    world.anchor()
    due_us = seal.open_by_us - world.clock_us
    assert found(world, "A11", after_us=due_us - 1) == []
    assert found(world, "A11", after_us=due_us)[0].decisions == (name,)


def test_a12_who_reports_neither_a_contact_nor_none() -> None:
    world = World()
    world.anchor()
    begin_us = world.now.witnessed_us
    world.anchor(after_us=91 * DAY_US)
    for name in ("ada", "bo", "cy"):
        end_us = begin_us + (90 if name != "cy" else 89) * DAY_US
        world.say(ZeroReport(from_us=begin_us, until_us=end_us), name)
    world.say(contact(world, person="dee", at_us=begin_us + DAY_US, where=("UA",)), "dee")
    world.say(contact(world, person="eli", at_us=begin_us + DAY_US, where=("UA",)), "rex")
    world.anchor()
    assert found(world, "A12", after_us=12 * DAY_US) == []  # the grace is not over
    missing = found(world, "A12", after_us=14 * DAY_US)
    # A report that leaves a day out is none, and nobody reports for somebody else.
    assert sorted(alert.named for alert in missing) == [("cy",), ("eli",)]
    later = found(world, "A12", after_us=110 * DAY_US)
    again = {alert.named[0] for alert in later if "2. period in a row" in alert.says}
    assert again == {"cy", "eli"}


def test_a12_a_report_after_the_grace_comes_too_late() -> None:
    world = World()
    world.anchor()
    begin_us = world.now.witnessed_us
    world.anchor(after_us=110 * DAY_US)
    world.say(ZeroReport(from_us=begin_us, until_us=begin_us + 90 * DAY_US), "cy")
    world.anchor()
    assert "cy" in {alert.named[0] for alert in found(world, "A12")}


def test_a15_a_silence_is_itself_an_alert() -> None:
    world = World()
    world.anchor()
    act = SilenceAlerts(rule="A6", until_us=world.clock_us + DAY_US, words="too loud")
    world.pass_change(act)
    (alert,) = found(world, "A15")
    assert (alert.level, alert.named) == ("critical", ("bo", "cy"))
    assert "“too loud”" in alert.says


def noticed(world: World, about: str, to: str, role: Any, **outcome: str) -> None:
    world.say(Notice(about=about, to=to, role=role, at_us=world.clock_us, **outcome), "rex")
    world.anchor()


def test_a16_each_notice_that_is_owed_until_it_is_served() -> None:
    world = with_parties(World())
    world.say(Party(party="authority", name="The authority", kind="body"), "rex")
    world.say(Interest(party="authority", where=("UA",), kind="licensor"), "rex")
    change = world.pass_change()
    request = world.now.changes[change].proposal.request
    after_us = max(DUE_US.values())
    owing = {(a.evidence[0], a.says.split(" was owed")[0]) for a in found(world, "A16")}
    assert owing == set()
    late = found(world, "A16", after_us=after_us)
    assert {alert.evidence[0] for alert in late} == {request, change}
    assert len(late) == 3  # the licensor of both, and the protected users of the change
    noticed(world, request, "authority", "licensor", receipt="1" * 64)
    noticed(world, change, "authority", "licensor", receipt="1" * 64)
    noticed(world, change, PROTECTED, "protected", failure="the address list is out of date")
    (failed,) = found(world, "A16")
    assert "could not be served" in failed.says


def test_a16_whom_a_claim_names_may_reply_and_is_told() -> None:
    world = with_parties(World())
    matter = world.say(Matter(title="Calls"), "rex")
    name = world.say(claim(matter, names=("owner",)), "rex")
    world.anchor()
    assert found(world, "A16", after_us=DUE_US["named"] - 61 * SECOND_US) == []
    (alert,) = found(world, "A16", after_us=DUE_US["named"])
    assert (alert.level, alert.evidence) == ("medium", (name,))


def test_a_record_in_order_raises_nothing() -> None:
    world = with_parties(World())
    world.request(letter="1" * 64, verified="signed-order")
    world.anchor()
    assert found(world) == []
    assert list(RULES) == [f"A{number}" for number in range(1, 17)]
