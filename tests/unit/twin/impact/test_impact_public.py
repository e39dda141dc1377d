"""What people sign: one digest on every machine, and no effect that it does not show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rpds import HashTrieMap
from support.governance import LICENCE, World, rule
from support.impacts import CELL, CRIMEA, GROUND, PEOPLE, black_sea, change_of

from spotbeam.governance.entries.acts import (
    DropRule,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Unseat,
)
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal, Stage
from spotbeam.governance.entries.people import Boundaries
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry, WindowEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Span
from spotbeam.service.terminals import Mobility
from spotbeam.twin.impact.effects import EVERYWHERE, Effect
from spotbeam.twin.impact.public import PublicImpact, public_impact

AT_US = 3_600 * 1_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return black_sea()


def shown(world: World, body: Any, *, after_us: int = AT_US, id: str = "b") -> PublicImpact:
    return public_impact(world.now, body, id, world.clock_us + after_us)


def lines(found: PublicImpact, kind: str, *, phase: int = 0, view: int = 0) -> list[Effect]:
    effects = found.seen[view].phases[phase].effects
    return [e for e in effects if e.territory == EVERYWHERE and e.kind == kind]


def who(found: PublicImpact, kind: str, **where: int) -> set[str]:
    return {effect.reference for effect in lines(found, kind, **where)}


CRIMEA_ON = PutRule(rule("crimea", where=CRIMEA[:2]))


# --- One digest


def test_the_clock_of_whoever_asks_does_not_show(world: World) -> None:
    night = rule("night", effect="deny", gate="order", where=("UA-65",), when=(
        WindowEntry(daily=(22 * 60, 5 * 60)),
    ))  # fmt: skip
    for body in (change_of(world, CRIMEA_ON), change_of(world, PutRule(night))):
        digests = {
            shown(world, body, after_us=hours * HOUR_US).digest for hours in (0, 3, 7, 13, 19, 60)
        }
        assert len(digests) == 1


def test_what_others_do_elsewhere_meanwhile_does_not_show() -> None:
    world = black_sea()
    body = change_of(world, CRIMEA_ON)
    first = shown(world, body).digest
    world.request(where=("UA-43",))  # a word that changes reasons, never service
    world.anchor()
    world.pass_change(
        PutRule(rule("md", where=("MD",))), request=world.request(where=("MD",)), people=PEOPLE
    )
    world.pass_change(PutList(list="other", version=1, count=1, root="9" * 64), people=PEOPLE)
    assert world.codes() == []
    assert shown(world, body).digest == first
    # What it reads does show: there is less to gain where a part is served already.
    world.pass_change(
        PutRule(rule("part", where=("UA-43/sea",))),
        request=world.request(where=GROUND),
        people=PEOPLE,
    )
    assert shown(world, body).digest != first


def test_the_growth_of_a_map_does_not_show(world: World) -> None:
    body = change_of(world, PutRule(rule("slow", effect="limit", gate="plan", max_mbps="5")))
    layers = sorted(world.now.layers.items())
    digests = set()
    for order in (layers, layers[::-1], layers[3:] + layers[:3]):
        grown = HashTrieMap()
        for key, value in order:
            grown = grown.insert(key, value)
        state = msgspec.structs.replace(world.now, layers=grown)
        digests.add(public_impact(state, body, "b", world.clock_us).digest)
    assert len(digests) == 1


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import spotbeam.kernels.lookup.locate
from support.impacts import CRIMEA, black_sea, change_of
from support.governance import rule
from spotbeam.governance.entries.acts import PutRule
from spotbeam.twin.impact.public import public_impact

world = black_sea()
body = change_of(world, PutRule(rule("crimea", where=CRIMEA, guard_km="2.5")))
print(public_impact(world.now, body, "b", world.clock_us).digest)
"""


def test_other_processes_come_to_the_same_digest() -> None:
    tests = str(Path(__file__).resolve().parents[3])
    digests = set()
    for seed, locale in (("0", "C"), ("12345", "C.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": "Asia/Tokyo"}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, tests],
            capture_output=True, text=True, timeout=300, env=environment, check=True,
        )  # fmt: skip
        digests.add(run.stdout.strip())
    world = black_sea()
    body = change_of(world, PutRule(rule("crimea", where=CRIMEA, guard_km="2.5")))
    digests.add(public_impact(world.now, body, "b", world.clock_us).digest)
    assert len(digests) == 1


def test_every_field_of_a_change_is_under_the_digest(world: World) -> None:
    body = change_of(world, CRIMEA_ON)
    first = shown(world, body)
    other = msgspec.structs.replace(body, impact="f" * 64)
    assert shown(world, other) == first  # its own impact cannot be under itself
    assert shown(world, body, id="another-id") == first
    changed = [
        {"request": world.request(where=GROUND)},
        {"lapses_us": body.lapses_us - 1},
        {"window": Span(until_us=world.clock_us + DAY_US)},
        {"acts": (PutRule(rule("crimea", where=CRIMEA[:1])),)},
        {"acts": (PutRule(rule("crimea", where=CRIMEA[:2], stale_after_us=1)),)},
        {"acts": (PutRule(rule("crime", where=CRIMEA[:2])),)},
        {"acts": (CRIMEA_ON, PutSponsor(sponsor="s9"))},
        {"grounds": (LICENCE, msgspec.structs.replace(LICENCE, id="another"))},
    ]
    digests = {shown(world, msgspec.structs.replace(body, **each)).digest for each in changed}
    assert len(digests | {first.digest}) == len(changed) + 1


# --- No effect that it does not show


def test_a_rule_about_one_fleet_is_tried_on_that_fleet(world: World) -> None:
    quiet = rule(
        "quiet",
        effect="deny",
        gate="order",
        where=("UA-65",),
        who=WhoEntry(fleet=("clinics",), plan=("critical",)),
    )
    found = shown(world, change_of(world, PutRule(quiet)))
    assert who(found, "lost") == {"named by quiet", "named by quiet (2)"}
    told = dict(found.references)
    assert "protection=medical" in told["named by quiet (2)"]
    assert "fleet=clinics" in told["named by quiet"]


@pytest.mark.parametrize(
    "asked",
    [
        {"gate": "mobility", "thresholds": ThresholdsEntry(over_altitude_m="5000")},
        {
            "gate": "mobility",
            "thresholds": ThresholdsEntry(over_kmh="300", for_s="60"),
            "who": WhoEntry(on_list=("verified",)),  # else the cap that there is denies them
        },
        {"gate": "assurance", "thresholds": ThresholdsEntry(below_assurance=2)},
        {"gate": "assurance", "thresholds": ThresholdsEntry(over_position_error_m="500")},
        {"gate": "plan", "thresholds": ThresholdsEntry(over_days=60)},
        {"gate": "plan", "thresholds": ThresholdsEntry(over_gb="50")},
        {"gate": "plan", "thresholds": ThresholdsEntry(over_km_from_service_address="300")},
        {"gate": "list", "who": WhoEntry(sponsor=("s1",), mobility=(Mobility.UNCREWED,))},
        {"gate": "list", "who": WhoEntry(sponsor_lapsed=True)},
        {"gate": "list", "who": WhoEntry(on_list=("verified",))},
        {"gate": "list", "who": WhoEntry(registrant_country=("PA",), verified=False)},
    ],
)
def test_whatever_a_rule_asks_somebody_meets_it(world: World, asked: dict[str, Any]) -> None:
    denied = rule("denied", effect="deny", where=("UA-65",), **asked)
    found = shown(world, change_of(world, PutRule(denied)))
    lost = {name for name in who(found, "lost") if name.startswith("named by denied")}
    assert lost, found.seen[0].phases[0].effects


def test_a_rule_that_waits_is_shown_when_it_begins(world: World) -> None:
    begin = world.clock_us + 20 * DAY_US
    later = rule(
        "later",
        effect="deny",
        gate="order",
        where=("UA-65",),
        when=(WindowEntry(from_us=begin, until_us=begin + DAY_US),),
    )
    found = shown(world, change_of(world, PutRule(later)))
    phases = found.seen[0].phases
    assert [phase.begins_us for phase in phases] == [None, begin, begin + DAY_US]
    assert not phases[0].effects
    assert "ordinary" in who(found, "lost", phase=1)
    assert not phases[2].effects


def test_hours_of_a_day_are_all_shown_by_day_and_by_night(world: World) -> None:
    night = rule(
        "night",
        effect="deny",
        gate="order",
        where=("UA-65",),
        when=(WindowEntry(daily=(22 * 60, 5 * 60)),),
    )
    found = shown(world, change_of(world, PutRule(night)))
    by_hours = {phase.hours: bool(phase.effects) for phase in found.seen[0].phases}
    assert by_hours == {((5 * 60, 22 * 60),): False, ((22 * 60, 5 * 60),): True}


def test_a_roll_out_is_shown_stage_by_stage(world: World) -> None:
    first, second = world.clock_us + DAY_US, world.clock_us + 2 * DAY_US
    body = change_of(
        world,
        PutRule(rule("crimea", where=("UA-43", "UA-40"))),
        rollout=(
            Stage(from_us=first, where=(CELL,)),
            Stage(from_us=second, where=("UA-40",)),
        ),
    )
    found = shown(world, body)
    phases = found.seen[0].phases
    assert [phase.begins_us for phase in phases] == [None, first, second]
    gained = [
        sum(e.cells for e in lines(found, "gained", phase=n) if e.reference == "ordinary")
        for n in range(3)
    ]
    assert gained[0] == 0 < gained[1] < gained[2]
    assert {place.name for place in found.seen[0].places} >= {CELL, "UA-43", "UA-40"}


def test_a_small_exception_is_not_lost_in_a_rule_for_everywhere(world: World) -> None:
    off = rule("all-off", effect="deny", gate="order", where=())
    but = rule("all-off", effect="deny", gate="order", where=(), except_=("UA-40",))
    changed = black_sea()
    changed.pass_change(PutRule(off), request=changed.request(where=()), people=PEOPLE)
    # Sevastopol is granted by nothing, so that only the reason changes there.
    body = changed.change_body(PutRule(but), request=changed.request(where=()))
    found = public_impact(changed.now, body, "b", changed.clock_us)
    place = {each.name: each for each in found.seen[0].places}
    assert place["UA-40"].cells > 1_000
    reasons = [e for e in lines(found, "reason") if e.reference == "ordinary"]
    assert [(e.before, e.after) for e in reasons] == [
        ("deny BLOCKED_COUNTRY", "deny NOT_AUTHORISED")
    ]
    assert sum(e.cells for e in reasons) == place["UA-40"].cells


def test_a_neighbour_in_a_guard_band_is_shown(world: World) -> None:
    """Kherson's cells near Crimea are in the band of 5 km that Crimea's darkness asks for."""
    found = shown(world, change_of(world, CRIMEA_ON))
    beyond = [
        e
        for e in found.seen[0].phases[0].effects
        if e.territory == "UA-65" and e.reference == "ordinary" and e.kind == "gained"
    ]
    assert [(e.before, e.after) for e in beyond] == [("deny GUARD_BAND", "allow")]


def test_taking_out_a_rule_shows_who_loses(world: World) -> None:
    found = shown(world, change_of(world, DropRule("ua-authorised")))
    assert who(found, "lost") >= {"ordinary", "medical"}
    (one,) = found.rules
    assert (one.rule, one.after) == ("ua-authorised", None)
    assert one.before is not None
    ordinary = [e for e in found.seen[0].phases[0].effects if e.reference == "ordinary"]
    lost = {e.territory: e for e in ordinary if e.kind == "lost" and e.after.endswith("AUTHORISED")}
    assert lost["UA"].cells == lost[EVERYWHERE].cells
    assert lost["UA"].people > 30_000_000
    assert "UA-43" not in lost


def test_limits_are_told_from_losses(world: World) -> None:
    slow = rule("slow", effect="limit", gate="plan", where=("UA-65",), max_mbps="20")
    found = shown(world, change_of(world, PutRule(slow)))
    assert not lines(found, "lost")
    assert {e.after for e in lines(found, "limited")} == {"limit ROAM_RESTRICTED"}
    tighter = black_sea()
    tighter.pass_change(PutRule(slow), request=tighter.request(where=GROUND), people=PEOPLE)
    body = change_of(tighter, PutRule(msgspec.structs.replace(slow, max_mbps="30")))
    assert "ordinary" in who(shown(tighter, body), "eased")


def test_what_an_exempt_does_is_tried_on_somebody_who_is_stopped(world: World) -> None:
    """Taking out the exemption hurts those who move: at rest nobody would notice."""
    found = shown(world, change_of(world, DropRule("medical")))
    assert "named by medical, moving" in who(found, "lost")
    lost = [e for e in lines(found, "lost") if e.reference == "named by medical, moving"]
    assert {e.after for e in lost} == {"deny MOVING_TOO_FAST_FOR_POLICY"}


def test_lists_are_shown_by_version_and_count(world: World) -> None:
    body = change_of(world, PutList(list="verified", version=2, count=7, root="3" * 64))
    found = shown(world, body)
    (change,) = found.lists
    assert (change.before, change.after) == ((1, 200), (2, 7))
    assert not found.seen[0].phases[0].effects  # nobody knows in public who is on it
    # Whether a listed terminal and one that is not fare differently is tried all the same.
    assert {"named by ua-speed-cap", "not named by ua-speed-cap"} <= {
        name for name, _ in found.references
    }


def test_a_sponsor_whose_term_ends_is_shown_at_that_time() -> None:
    world = black_sea()
    unpaid = rule("unpaid", effect="deny", gate="list", where=("UA-65",), who=WhoEntry(
        sponsor_lapsed=True
    ))  # fmt: skip
    world.pass_change(PutRule(unpaid), request=world.request(where=GROUND), people=PEOPLE)
    end = world.clock_us + 5 * DAY_US
    body = change_of(world, PutSponsor(sponsor="s1", until_us=end))
    found = public_impact(world.now, body, "b", world.clock_us)
    assert not found.seen[0].phases[0].effects
    assert [phase.begins_us for phase in found.seen[0].phases] == [None, end]
    told = dict(found.references)
    assert {told[name] for name in who(found, "lost", phase=1)} >= {"sponsor=s1"}


def test_what_silence_does_is_shown_before_and_after(world: World) -> None:
    firm = rule("crimea", where=CRIMEA[:2], on_stale="deny", stale_after_us=HOUR_US)
    found = shown(world, change_of(world, PutRule(firm)))
    phase = found.seen[0].phases[0]

    def of(effects: tuple[Effect, ...], kind: str) -> set[str]:
        return {e.reference for e in effects if e.kind == kind and e.territory == "UA-43"}

    assert "ordinary" in of(phase.effects, "gained")
    assert "ordinary" in of(phase.by_silence, "lost")
    assert "medical" not in of(phase.by_silence, "lost")  # served until then, and protected
    assert "medical" in of(phase.if_unserved, "lost")
    assert of(phase.while_silent, "gained") == {"medical"}
    # By the speed cap, which denies in silence too, Ukraine goes dark: outside the change's ground.
    assert not [e for e in phase.by_silence if e.territory == "UA-05"]


def test_a_seal_is_shown_as_the_most_that_it_can_do(world: World) -> None:
    def body(verb: str) -> Seal:
        return Seal(
            request=world.request(where=GROUND, verb="restrict"),
            grounds=(LICENCE,),
            commitment="5" * 64,
            bounds=Bounds(where=("UA",), cells=(CELL,), verb=verb, lasts_us=DAY_US),  # type: ignore[arg-type]
            open_by_us=world.clock_us + DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        )

    restricts = shown(world, body("restrict"), id="seal-1")
    assert "ordinary" in who(restricts, "lost")
    assert "medical" not in who(restricts, "lost")
    (place,) = restricts.seen[0].places
    assert (place.name, place.cells) == (CELL, 49)
    assert "ordinary" in who(shown(world, body("activate"), id="seal-1"), "gained")


def test_a_seal_in_force_over_the_same_ground_is_named() -> None:
    world = black_sea()
    seal = Seal(
        request=world.request(where=GROUND, verb="restrict"),
        grounds=(LICENCE,),
        commitment="5" * 64,
        bounds=Bounds(where=("UA",), cells=(CELL,), verb="restrict", lasts_us=DAY_US),
        open_by_us=world.clock_us + DAY_US,
        impact="6" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    world.say(seal, "ada", "seal-1")
    world.approve("seal-1", *PEOPLE)
    world.anchor()
    assert world.status("seal-1") == "bound"
    assert shown(world, change_of(world, CRIMEA_ON)).sealed == ("seal:seal-1",)


def test_an_emergency_is_shown_like_a_change(world: World) -> None:
    body = Emergency(
        request=world.request(where=GROUND, verb="deactivate"),
        grounds=(LICENCE,),
        acts=(PutRule(rule("off", effect="deny", gate="order", where=("UA-65",), emergency=True)),),
        lasts_us=HOUR_US,
        impact="4" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    assert {e.after for e in lines(shown(world, body), "lost")} == {"deny EMERGENCY_ACTION"}


def test_acts_on_people_are_counted_and_change_no_cell(world: World) -> None:
    found = shown(world, world.change_body(Unseat("eli")))
    assert found.acts == {"unseat": 1}
    assert found.seen[0].places == ()
    assert found.seen[0].phases[0].effects == ()


def test_every_point_of_view_of_the_record_is_shown() -> None:
    world = black_sea()
    world.pass_change(
        *(
            PutBoundaries(Boundaries(view=view, source="Natural Earth", digest="3" * 64))
            for view in ("ua", "ru", "mars")
        ),
        people=PEOPLE,
    )
    body = world.change_body(
        PutRule(rule("ru-on", where=("RU",))), request=world.request(where=("RU",))
    )
    found = shown(world, body)
    assert [seen.view for seen in found.seen] == ["ru", "ua"]
    crimea = [
        {e.territory for e in seen.phases[0].effects if e.kind == "gained"} for seen in found.seen
    ]
    assert "UA-43" in crimea[0]
    assert "UA-43" not in crimea[1]


def test_ground_that_nobody_can_place_is_named_and_not_taken_for_everywhere() -> None:
    world = black_sea()
    odd = rule("odd", effect="deny", gate="order", where=("x-front-line", "UA-99"))
    world.pass_change(PutRule(odd), request=world.request(where=()), people=PEOPLE)
    assert world.codes() == []
    found = shown(world, change_of(world, CRIMEA_ON))
    assert found.seen[0].unplaced == ("UA-99", "x-front-line")
    assert "ordinary" in who(found, "gained")
    assert not lines(found, "lost")
