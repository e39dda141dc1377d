"""Taking alerts up: who closes them, who cannot, what mutes them, and one page for each cause."""

from __future__ import annotations

import pytest
from support.accounts import OWNER, contact, found, read_world, with_parties
from support.governance import World, rule

from spotbeam.governance.entries.accounts import AlertAct, LossSeen, Observation
from spotbeam.governance.entries.acts import PutRule, SilenceAlerts
from spotbeam.governance.entries.words import DAY_US
from spotbeam.watch.alerts import Alert, raised
from spotbeam.watch.standing import Standing, pages, standings


def critical(world: World, person: str = OWNER) -> Alert:
    """A decision that follows an unknown contact."""
    with_parties(world)
    called_us = world.clock_us
    crimea = PutRule(rule("x", where=("UA-43",)))
    world.pass_change(crimea, people=("bo", "cy"), request=world.request(("UA-43",)))
    world.say(contact(world, at_us=called_us, person=person), "rex")
    world.anchor()
    return found(world, "A1")[0]


def act(world: World, alert: str, who: str, what: str = "close") -> None:
    world.say(AlertAct(alert=alert, act=what, words="looked at"), who)  # type: ignore[arg-type]
    world.anchor()


def stands(world: World) -> dict[str, Standing]:
    every = standings(read_world(world), found(world), world.clock_us)
    return {each.alert.id: each for each in every}


def test_a_critical_alert_closes_by_two_persons_of_two_factors() -> None:
    world = World()
    alert = critical(world)
    assert stands(world)[alert.id].status == "raised"
    for who, what, status in (
        ("dee", "acknowledge", "acknowledged"),
        ("dee", "explain", "explained"),
        ("dee", "escalate", "escalated"),
        ("dee", "close", "escalated"),
        ("cy", "close", "escalated"),  # the same factor
        ("dee", "close", "escalated"),  # the same person
        ("eli", "close", "closed"),
    ):
        act(world, alert.id, who, what)
        assert stands(world)[alert.id].status == status, (who, what)
    act(world, alert.id, "dee", "acknowledge")
    assert stands(world)[alert.id].status == "acknowledged"


def test_nobody_closes_an_alert_that_names_them_and_trying_is_an_alert() -> None:
    world = World()
    alert = critical(world, person="cy")
    act(world, alert.id, "cy")
    act(world, alert.id, "eli")
    every = stands(world)
    assert every[alert.id].status == "raised"
    own = [each.alert for each in every.values() if each.alert.rule == "A15"]
    assert [(each.level, each.named) for each in own] == [("critical", ("cy",))]
    act(world, alert.id, "bo")
    assert stands(world)[alert.id].status == "closed"


def test_another_level_closes_by_one() -> None:
    world = World()
    world.request(channel="telephone")
    world.anchor()
    (alert,) = found(world, "A3")
    act(world, alert.id, "rex")
    assert stands(world)[alert.id].status == "raised"  # it names the registrar
    act(world, alert.id, "dee")
    assert stands(world)[alert.id].status == "closed"


def test_a_silence_shows_what_it_mutes_and_ends() -> None:
    world = World()
    for where in ("UA", "PL"):
        world.say(
            Observation(
                by="probe",
                at_us=world.clock_us,
                seen=LossSeen(where=where, terminals=500, protected=0, within_s=60),
            ),
            "rex",
        )
    world.anchor()
    until_us = world.clock_us + 2 * DAY_US
    mute = SilenceAlerts(rule="A8", where=("UA",), until_us=until_us, words="known work")
    change = world.pass_change(mute)
    muted = {
        each.alert.where[0]: (each.silenced_by, each.silenced_until_us)
        for each in stands(world).values()
        if each.alert.rule == "A8"
    }
    assert muted == {"UA": (change, until_us), "PL": (None, None)}
    world.anchor(after_us=2 * DAY_US)
    assert all(
        each.silenced_by is None for each in stands(world).values() if each.alert.rule == "A8"
    )


def test_the_alert_about_a_silence_is_not_muted_by_it() -> None:
    world = World()
    world.anchor()
    act_ = SilenceAlerts(rule="A8", until_us=world.clock_us + DAY_US, words="known work")
    world.pass_change(act_)
    (own,) = [each for each in stands(world).values() if each.alert.rule == "A15"]
    assert own.is_open


def flood(count: int, cause: str, level: str = "medium") -> list[Alert]:
    return [
        raised(
            "A14",
            (cause, str(number)),
            cause=cause,
            level=level,  # type: ignore[arg-type]
            at_us=1_000 + number,
            known_us=2_000 + number,
            says=f"{cause} {number}",
            evidence=(f"e{number}",),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [10_000])
def test_a_flood_is_one_page_for_each_cause_with_the_grave_one_first(count: int) -> None:
    world = World()
    world.anchor()
    grave = flood(1, "the one", "critical")
    every = [*flood(count // 2, "jumps"), *flood(count // 2, "drift"), *grave]
    made = pages(standings(read_world(world), every, world.clock_us))
    assert [page.cause for page in made] == ["A14:the one", "A14:drift", "A14:jumps"]
    assert [len(page.standings) for page in made] == [1, count // 2, count // 2]
    assert made[1].says == "drift 0 (4,999 more like it)"


def test_an_id_stays_as_the_record_grows() -> None:
    world = World()
    alert = critical(world)
    world.anchor(after_us=DAY_US)
    world.pass_change(PutRule(rule("y")))
    assert alert in found(world)
