"""The history of some ground: what was intended when, as known when, and how it came to that."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.edge_records import publish
from support.governance import LICENCE, World, rule

from spotbeam.assembly.histories import Account, account
from spotbeam.assembly.reading import ReadRecord, read_record
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Bounds, Emergency, Opening, Seal, Stage
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Ground, Span
from spotbeam.governance.history import state
from spotbeam.governance.policy import policy
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.land.territories import ground
from spotbeam.record.keys import encode_base64
from spotbeam.service.memory import SETTLED
from spotbeam.service.position import Motion, place
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import verdict

SANCTION = Ground(kind="sanction", id="eu-2014")
CELL = "h3:841e485ffffffff"  # in Kherson oblast


def read(world: World, path: Path) -> ReadRecord:
    publish(world, path / "record")
    return read_record(path / "record")


def told(
    world: World, path: Path, where: str = "UA-43", at_us: int | None = None, **how: Any
) -> Account:
    at_us = world.clock_us if at_us is None else at_us
    return account(read(world, path), where, at_us=at_us, **{"known_us": at_us, **how})


def refuse(world: World, request: str, quote: str = "No.") -> None:
    world.say(Refusal(request=request, grounds=(SANCTION,), quote=quote), "cy")
    world.anchor()


def turned_off(world: World) -> None:
    """It was on; somebody asked, two approved, and it went off."""
    world.pass_change(PutRule(rule("on", where=("UA-43",))))
    world.anchor(after_us=DAY_US)
    request = world.request(where=("UA-43",), verb="deactivate", asker="The owner")
    world.pass_change(DropRule("on"), request=request)


def refused_to_turn_on(world: World) -> None:
    """It was never on; somebody asked, and was refused."""
    world.pass_change(PutRule(rule("on", where=("UA",), except_=("UA-43",))))
    world.anchor(after_us=DAY_US)
    refuse(world, world.request(where=("UA-43",), asker="A ministry"), "It was never on there.")


def test_turned_off_and_refused_to_turn_on_are_told_apart_from_the_record_alone(
    tmp_path: Path,
) -> None:
    """The same ground, the same word now: only how it came to that differs."""
    found = {}
    for number, story in enumerate((turned_off, refused_to_turn_on)):
        world = World()
        story(world)
        found[story] = told(world, tmp_path / str(number)).now
    assert {each.word for each in found.values()} == {"not_granted"}
    off, never = found[turned_off].switch, found[refused_to_turn_on].switch
    assert (off.how, off.is_on) == ("turned_off", False)
    assert (never.how, never.is_on) == ("refused_to_turn_on", False)
    assert off.since_us is not None
    assert never.since_us is None
    assert "Service was turned off at" in off.says[0]
    assert "“The owner”" in off.says[0]
    assert "approved by bo, cy" in off.says[0]
    assert never.says[0] == "Service was never on here, by this record, up to that time."
    assert "Turning it on was refused at" in never.says[1]
    assert "“It was never on there.”" in never.says[1]
    assert "sanction:eu-2014" in never.says[1]
    assert not any("turned off" in each for each in never.says)
    assert not any("refused" in each for each in off.says)


def test_the_two_can_meet_on_one_ground(tmp_path: Path) -> None:
    """Turned off, and then refused to turn on again: both are said, in that order."""
    world = World()
    turned_off(world)
    refuse(world, world.request(where=("UA-43",), asker="A ministry"), "Not again.")
    switch = told(world, tmp_path).now.switch
    assert switch.how == "turned_off"
    assert ["turned off" in each for each in switch.says] == [True, False]
    assert "Turning it on was refused" in switch.says[1]


def test_silence_refusal_to_turn_off_and_nothing_at_all_are_others_again(tmp_path: Path) -> None:
    silent = World()
    silent.request(where=("UA-43",), answer_by_us=silent.clock_us + DAY_US)
    silent.anchor()
    asked = told(silent, tmp_path / "asked").now.switch
    assert asked.how == "asked"
    silent.anchor(after_us=2 * DAY_US)
    lapsed = told(silent, tmp_path / "silent").now.switch
    assert lapsed.how == "left_unanswered"
    assert "lapsed at" in lapsed.says[1]
    assert "Service stayed off." in lapsed.says[1]
    kept = World()
    kept.pass_change(PutRule(rule("on")))
    refuse(kept, kept.request(where=("UA-43",), verb="deactivate"), "It stays.")
    on = told(kept, tmp_path / "kept").now.switch
    assert (on.how, on.is_on) == ("turned_on", True)
    assert "Turning it off was refused" in on.says[1]
    assert "service stayed on." in on.says[1]
    nothing = World()
    nothing.anchor()
    assert told(nothing, tmp_path / "nothing").now.switch.how == "never_asked"


@pytest.mark.parametrize(
    ("verb", "word"), [("activate", "refused_to_turn_on"), ("withhold", "never_asked")]
)
def test_a_request_to_withhold_is_no_request_to_turn_on(
    tmp_path: Path, verb: str, word: str
) -> None:
    world = World()
    refuse(world, world.request(where=("UA-43",), verb=verb))
    assert told(world, tmp_path).now.switch.how == word
    assert any("withhold" in each.says for each in told(world, tmp_path).events) == (
        verb == "withhold"
    )


def test_an_end_that_was_set_beforehand_follows_the_change_that_set_it(tmp_path: Path) -> None:
    world = World()
    end_us = world.clock_us + 10 * DAY_US
    name = world.pass_change(PutRule(rule("on", where=("UA-43",))), window=Span(until_us=end_us))
    before = told(world, tmp_path, at_us=end_us - 1).now
    after = told(world, tmp_path, at_us=end_us).now
    assert (before.word, before.switch.how) == ("granted", "turned_on")
    assert (after.word, after.switch.how, after.switch.since_us) == (
        "not_granted",
        "turned_off",
        end_us,
    )
    assert after.switch.follows == (name,)
    assert "what was set beforehand in the change" in after.switch.says[0]
    assert before.rules[0].until_us == end_us
    events = told(world, tmp_path, at_us=end_us).events
    assert [each.kind for each in events if each.at_us == end_us] == ["ends", "turned"]


def test_what_was_known_then_is_not_what_is_known_now(tmp_path: Path) -> None:
    world = World()
    world.pass_change(PutRule(rule("on")))
    then_us = world.clock_us
    world.anchor(after_us=DAY_US)
    refused = world.request(where=("UA-43",), verb="restrict")
    off = world.pass_change(PutRule(rule("off", effect="deny", gate="order", where=("UA-43",))))
    at_us = world.clock_us + DAY_US
    found = told(world, tmp_path, at_us=at_us, known_us=then_us)
    assert (found.now.word, found.then.word) == ("denied", "granted")
    assert found.then.known_us == then_us
    assert found.then.size < found.now.size
    assert found.then.open_requests == ()
    assert [each.split(" (")[0] for each in found.now.open_requests] == [f"the request {refused}"]
    assert {each.known_us > then_us for each in found.learnt} == {True}
    assert any(off in each.says for each in found.learnt if each.kind == "bound")
    assert set(found.events) - set(found.learnt) == {
        each for each in found.events if each.known_us <= then_us
    }
    early = told(world, tmp_path, at_us=at_us, known_us=0)
    assert (early.then.word, early.then.size, early.then.rules) == ("not_granted", 0, ())


def test_ground_means_what_the_point_of_view_says(tmp_path: Path) -> None:
    world = World()
    world.pass_change(PutRule(rule("on", where=("UA",))))
    words = {view: told(world, tmp_path, view=view).now.word for view in ("un", "ua", "ru")}
    assert words == {"un": "granted", "ua": "granted", "ru": "not_granted"}
    assert told(world, tmp_path).administered_by == ("RU",)
    assert told(world, tmp_path, "UA-65").now.word == "granted"
    assert told(world, tmp_path, "UA/sea").now.word == "not_granted"
    assert told(world, tmp_path, "PL").now.word == "not_granted"
    assert told(world, tmp_path, CELL).now.word == "granted"


def test_a_cell_can_be_asked_about_and_acted_on(tmp_path: Path) -> None:
    world = World()
    world.pass_change(PutRule(rule("on")))
    deny = rule("front", effect="deny", gate="cell", where=(CELL,))
    world.pass_change(PutRule(deny))
    assert told(world, tmp_path, CELL).now.word == "denied"
    assert told(world, tmp_path, "UA-65").now.word == "granted_in_part"
    assert told(world, tmp_path, "UA-43").now.word == "granted"
    (front,) = (each for each in told(world, tmp_path, "UA-65").now.rules if each.rule == "front")
    assert front.extent == "part"


def test_an_emergency_ends_by_itself_and_a_rollout_reaches_its_ground_in_time(
    tmp_path: Path,
) -> None:
    world = World(quorum=QuorumRule(persons=3, factors=2))
    people = ("bo", "cy", "dee")
    world.pass_change(PutRule(rule("on")), people=people)
    off = rule("off", effect="deny", gate="order", where=("UA-43",), emergency=True)
    emergency = world.say(
        Emergency(
            request=world.request(where=("UA-43",), verb="deactivate"),
            grounds=(LICENCE,),
            acts=(PutRule(off),),
            lasts_us=HOUR_US,
            impact="4" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
    )
    world.approve(emergency, "bo", "cy")
    world.anchor()
    bound_us = world.clock_us
    assert told(world, tmp_path, at_us=bound_us).now.word == "denied"
    found = told(world, tmp_path, at_us=bound_us + HOUR_US)
    assert (found.now.word, found.now.switch.how) == ("granted", "turned_on")
    assert found.now.switch.since_us == bound_us + HOUR_US
    staged = World()
    first, second = staged.clock_us + DAY_US, staged.clock_us + 2 * DAY_US
    staged.pass_change(
        PutRule(rule("on", where=("UA-43", "UA-65"))),
        rollout=(Stage(from_us=first, where=("UA-65",)), Stage(from_us=second, where=("UA-43",))),
    )
    words = [
        (told(staged, tmp_path / "staged", where, at_us).now.word)
        for at_us in (first - 1, first, second)
        for where in ("UA-65", "UA-43")
    ]
    assert words == [
        "not_granted",
        "not_granted",
        "granted",
        "not_granted",
        "granted",
        "granted",
    ]


def sealed(world: World) -> tuple[str, bytes, bytes]:
    hidden = rule("front", effect="deny", gate="cell", where=(CELL,))
    hidden = msgspec.structs.replace(hidden, who=WhoEntry(protection=("none",)))
    value, salt = sealed_value((hidden,)), b"s" * 16
    name = world.say(
        Seal(
            request=world.request(where=("UA-65",), verb="restrict"),
            grounds=(LICENCE,),
            commitment=commitment(world.origin, "seal-1", value, salt),
            bounds=Bounds(where=("UA-65",), cells=(CELL,), verb="restrict", lasts_us=9 * DAY_US),
            open_by_us=world.clock_us + DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
        "seal-1",
    )
    world.approve(name, "bo", "cy")
    world.anchor()
    return name, value, salt


def test_a_seal_is_shown_by_its_bounds_until_it_is_opened(tmp_path: Path) -> None:
    world = World()
    world.pass_change(PutRule(rule("on")))
    name, value, salt = sealed(world)
    found = told(world, tmp_path, "UA-65")
    assert found.now.word == "granted"
    (bounds,) = found.now.seals
    assert "may restrict within UA-65, in 1 cells at most" in bounds
    assert "front" not in json.dumps(msgspec.to_builtins(found))
    assert told(world, tmp_path, "UA-43").now.seals == ()
    world.anchor(after_us=2 * DAY_US)
    late = told(world, tmp_path, "UA-65")
    assert "OVERDUE" in late.now.seals[0]
    assert "overdue" in {each.kind for each in late.events}
    world.say(Opening(seal=name, value=value.decode(), salt=encode_base64(salt)), "ada")
    world.anchor()
    opened = told(world, tmp_path, "UA-65")
    assert opened.now.seals == ()
    assert {each.rule for each in opened.now.rules} == {"on", "front"}
    assert opened.now.word == "granted_in_part"
    assert "opened" in {each.kind for each in opened.events}


def test_every_event_has_its_entry_and_they_stand_in_order_of_time(tmp_path: Path) -> None:
    world = World()
    turned_off(world)
    rejected = world.change(PutRule(rule("again", where=("UA-43",))))
    world.say(world.approval(rejected, word="reject"), "cy")
    world.anchor()
    late = world.change(PutRule(rule("late", where=("UA-43",))), lapses_us=world.clock_us + HOUR_US)
    elsewhere = world.pass_change(
        PutRule(rule("pl", where=("PL",))), request=world.request(("PL",))
    )
    world.anchor(after_us=DAY_US)
    found = told(world, tmp_path)
    assert [each.at_us for each in found.events] == sorted(each.at_us for each in found.events)
    kinds = [each.kind for each in found.events]
    assert kinds.count("bound") == 2
    assert kinds.count("rejected") == 1
    assert kinds.count("turned") == 2
    assert any(each.kind == "lapsed" and late in each.says for each in found.events)
    assert not any(elsewhere in each.says for each in found.events)
    for each in found.events:
        if each.index is not None and each.kind not in ("bound",):
            assert world.entries[each.index]
    (gone,) = (each for each in found.events if each.kind == "rejected")
    assert b'"word":"reject"' in world.entries[gone.index or 0]


def test_no_sentence_says_why_anything_happened(tmp_path: Path) -> None:
    world = World()
    turned_off(world)
    refuse(world, world.request(where=("UA-43",)))
    found = told(world, tmp_path)
    texts = [*found.now.switch.says, *(each.says for each in found.events)]
    for text in texts:
        assert "because" not in text.lower()
        assert " due to " not in text.lower()


@pytest.mark.parametrize(
    ("where", "view", "kind", "message"),
    [
        ("UA-99", "un", UnknownName, "unknown territory 'UA-99'"),
        ("h3:123", "un", InputError, "is not an H3 cell"),
        ("h3:841e265fffffffg", "un", InputError, "is not an H3 cell"),
        ("UA-43", "uno", UnknownName, "unknown point of view 'uno'"),
        ("x-mine", "un", UnknownName, "unknown territory 'x-mine'"),
        ("", "un", UnknownName, "unknown territory ''"),
    ],
)
def test_a_name_that_no_ground_has_is_one_message(
    tmp_path: Path, where: str, view: str, kind: type[Exception], message: str
) -> None:
    world = World()
    world.anchor()
    with pytest.raises(kind, match=message):
        told(world, tmp_path, where, view=view)


def test_a_name_that_only_the_record_uses_is_ground_too(tmp_path: Path) -> None:
    world = World()
    world.pass_change(
        PutRule(rule("mine", where=("x-mine",))), request=world.request(where=("x-mine",))
    )
    assert told(world, tmp_path, "x-mine").now.word == "granted"
    (mine,) = told(world, tmp_path, "UA").now.rules
    assert mine.extent == "maybe"


POINT = (46.65, 32.9)
"""In Kherson oblast."""


def random_record(seed: int) -> tuple[World, list[int]]:
    """Rules on and around one oblast that come, go, and end by themselves."""
    choose = random.Random(seed)
    world = World()
    there: set[str] = set()
    instants = []
    for _ in range(8):
        where = choose.choice((("UA",), ("UA-65",), ("UA-43",), ()))
        request = world.request(where=("UA",) if where else ())
        window = Span(until_us=choose.choice((None, world.clock_us + 3 * DAY_US)))
        if there and choose.random() < 0.3:
            act: Any = DropRule(choose.choice(sorted(there)))
            request = world.request(where=())
        else:
            kind = choose.choice(("grant", "grant", "order", "territory"))
            name = choose.choice(("one", "two", "three", "four"))
            without = choose.choice(((), (), ("UA-65",), ("UA-43",)))
            act = PutRule(
                rule(
                    name,
                    effect="grant" if kind == "grant" else "deny",
                    gate="territory" if kind == "grant" else kind,
                    where=where,
                    except_=without,
                )
            )
            there.add(name)
        name = world.change(act, request=request, window=window)
        if name in world.now.changes:  # a rule that has ended cannot be taken out
            world.approve(name, "bo", "cy")
        world.anchor()
        instants.append(world.clock_us)
        world.anchor(after_us=DAY_US * choose.randint(0, 2) + HOUR_US)
        instants.append(world.clock_us)
    return world, [*instants, world.clock_us + 5 * DAY_US]


def test_the_word_is_what_a_terminal_there_meets(tmp_path: Path) -> None:
    """The verdict, which knows nothing of words or histories, is the oracle."""
    land = ground("un")
    assert "UA-65" in land.territories_at(*POINT)
    met = set()
    for seed in range(10):
        world, instants = random_record(seed)
        record = read(world, tmp_path / str(seed))
        for at_us in instants:
            rules = policy(state(record.history, at_us))
            position = place(rules, land, *POINT)
            answer, _ = verdict(rules, Terminal(id="a"), position, Motion(), SETTLED, at_us, "un")
            word = account(record, "UA-65", at_us=at_us, known_us=at_us).now.word
            met.add(word)
            assert (word == "granted") == (answer.outcome == "allow"), (seed, at_us, word)
    assert met >= {"granted", "denied", "not_granted"}
