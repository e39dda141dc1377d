"""A record goes on in another log: closed by a change, or left by its people."""

from __future__ import annotations

import msgspec
import pytest
from support.governance import (
    LICENCE,
    NEXT,
    ORIGIN,
    Keys,
    World,
    person,
    rule,
    witness_quorum,
)

from spotbeam.errors import SpotbeamError
from spotbeam.governance import ending, fold, next_log
from spotbeam.governance.entries.acts import CloseLog, PutList, PutRule, Seat, SetRules
from spotbeam.governance.entries.asking import Arrival
from spotbeam.governance.entries.deciding import Bounds, Opening, Seal
from spotbeam.governance.entries.people import QuorumRule, Revocation
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.history import state
from spotbeam.governance.policy import Openings, missing, policy, row_bytes
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.governance.state import State, listed, state_digest
from spotbeam.governance.succession import onward
from spotbeam.record.keys import encode_base64
from spotbeam.record.merkle import Tree, leaf_hash, root_hash
from spotbeam.record.policy import WitnessPolicy
from spotbeam.record.receipt import Receipt, ReceiptEntry, verify_receipt
from spotbeam.record.seal import list_root

CELL, INSIDE = "h3:841e265ffffffff", "h3:851e2643fffffff"


def policy_of(now: State) -> WitnessPolicy:
    assert now.witness_policy is not None
    return now.witness_policy


def test_a_closed_record_goes_on_in_the_log_that_it_named() -> None:
    world = World()
    first = world.pass_change(PutRule(rule("first")))
    world.close()
    closed = world.now
    assert closed.final is not None
    assert closed.final.size == len(world.entries)
    assert closed.final.root == root_hash(leaf_hash(each) for each in world.entries).hex()
    genesis = closed.genesis
    world.move_on()
    world.open()
    second = world.pass_change(PutRule(rule("second")))
    assert world.codes() == []
    assert (world.status(first), world.status(second)) == ("bound", "bound")
    assert (world.now.origin, world.now.genesis) == (NEXT, genesis)
    assert {each.id for each in policy(state(world.history(), world.clock_us)).rules} == {
        "first",
        "second",
    }
    # The same by the library, from the bytes of both logs.
    history = fold(world.entries, onto=next_log(fold(world.logs[0])))
    assert state_digest(history.now) == state_digest(world.now)
    assert history.anchors == tuple(at for at, _ in world.anchors)
    known = state(history, world.clock_us, known_at_us=world.clock_us - HOUR_US)
    assert known.known.size == 0  # before anything was witnessed


def test_every_entry_has_an_index_of_its_own() -> None:
    world = World()
    world.add(b"junk")
    world.rotate()
    world.add(b"junk")
    found = [finding.index for finding in listed(world.now)]
    count = len(world.logs[0])
    assert found == [1, count + 1]
    assert [world.now.located(index) for index in found] == [(ORIGIN, 1), (NEXT, 1)]
    request = world.request()
    assert world.now.requests[request].index == count + 2
    intended = state(world.history(), world.clock_us)
    assert policy(intended).record_index == count + 3


def test_what_a_closed_log_holds_beyond_its_end_has_no_effect_on_anybody() -> None:
    """Whoever read it, and whoever did not, come to one state."""
    world = World()
    world.close()
    short = world.now
    world.request()
    world.add(b"junk")
    world.log_says(LATE)
    world.say(Revocation(revoked=world.keys["cy"].digest), "cy")
    world.anchor()
    assert world.codes() == ["closed", "not_canonical", "closed", "closed", "closed"]
    assert world.now.size == short.size + 5
    assert ending(world.now) == ending(short)
    assert state_digest(onward(world.now)) == state_digest(onward(short))
    world.move_on()
    world.open()
    assert world.codes() == []


LATE = Arrival(digest="1" * 64, channel="letter")


def test_what_waits_in_the_old_log_goes_on_in_the_new_one() -> None:
    """An approval, a possession, a list and a seal are bound to the log that they stand in."""
    world = World()
    waiting = world.change(
        PutRule(rule("waiting", where=("PL",))), request=world.request(where=("PL",))
    )
    new = Keys("fay")
    possession = new.possession("fay", "seat-fay", world.now.genesis, world.origin)
    seat = Seat(person=person("fay", new, "civil", ("approver",)), possessions=(possession,))
    world.say(world.change_body(seat), "ada", "seat-fay")
    root = list_root(world.origin, "kits", 1, [(row_bytes("t-1"), b"s" * 16)])
    listing = world.change(PutList(list="kits", version=1, count=1, root=root.hex()))
    front = rule(
        "front", where=(INSIDE,), effect="deny", gate="cell", who=WhoEntry(protection=("none",))
    )
    value, salt = sealed_value((front,)), b"s" * 16
    seal = Seal(
        request=world.request(verb="restrict", where=("UA-43",)),
        grounds=(LICENCE,),
        commitment=commitment(world.origin, "seal-1", value, salt),
        bounds=Bounds(where=("UA-43",), cells=(CELL,), verb="restrict", lasts_us=5 * DAY_US),
        open_by_us=world.clock_us + 3 * DAY_US,
        impact="6" * 64,
        lapses_us=world.clock_us + DAY_US,
    )
    world.say(seal, "ada", "seal-1")
    world.approve(waiting, "bo")
    world.close()
    world.move_on()
    world.open()
    world.approve(waiting, "cy")
    for each in ("seat-fay", listing):
        world.approve(each, "bo", "cy")
    world.anchor()
    world.approve("seal-1", "bo", "cy")
    world.anchor()
    assert world.codes() == []
    assert {world.status(each) for each in (waiting, "seat-fay", listing, "seal-1")} == {"bound"}
    now = state(world.history(), world.clock_us)
    holds = Openings(lists={("kits", 1): (("t-1", b"s" * 16),)}, seals={"seal-1": (value, salt)})
    assert missing(now, Openings()) == ("list:kits", "seal:seal-1")
    assert missing(now, holds) == ()
    assert [each.terminals for each in policy(now, holds).lists] == [frozenset({"t-1"})]
    assert "seal-1/1" in {each.id for each in policy(now, holds).rules}
    world.say(Opening(seal="seal-1", value=value.decode(), salt=encode_base64(salt)), "ada")
    assert world.last_code() is None


def test_a_list_of_the_new_log_is_bound_to_the_new_log() -> None:
    world = World()
    world.rotate()
    roots = {
        origin: list_root(origin, "kits", 1, [(row_bytes("t-1"), b"s" * 16)]).hex()
        for origin in (ORIGIN, NEXT)
    }
    holds = Openings(lists={("kits", 1): (("t-1", b"s" * 16),)})
    world.pass_change(PutList(list="kits", version=1, count=1, root=roots[NEXT]))
    assert missing(state(world.history(), world.clock_us), holds) == ()
    other = World()
    other.rotate()
    other.pass_change(PutList(list="kits", version=1, count=1, root=roots[ORIGIN]))
    assert missing(state(other.history(), other.clock_us), holds) == ("list:kits",)


def test_a_request_that_nobody_had_witnessed_is_witnessed_with_the_new_log() -> None:
    world = World()
    request = world.request()
    world.close(people=("bo", "cy"))
    late = world.log_says(LATE) and world.now  # after the close: not in the record
    assert late.requests[request].since_us is not None
    world = World()
    change = world.change(
        CloseLog(origin=NEXT, witness_quorum=witness_quorum(log="l2", origin=NEXT))
    )
    world.approve(change, "bo", "cy")
    size = len(world.entries)
    request = world.request()
    world.anchor(size=size)
    assert world.now.closing is not None
    assert world.now.requests[request].since_us is None
    world.move_on(log="l2")
    world.open()
    world.anchor()
    assert world.now.requests[request].since_us == world.clock_us
    assert not world.now.awaiting.get(size)


def test_old_receipts_stay_verifiable() -> None:
    world = World()
    world.pass_change()
    note, size = world.note(), len(world.entries)
    world.rotate()
    tree = Tree(leaf_hash(each) for each in world.logs[0][:size])
    entries = tuple(
        ReceiptEntry(index, world.logs[0][index], tuple(tree.inclusion_proof(index, size)))
        for index in (0, 2, 4)
    )
    receipt = bytes(Receipt(entries, note))
    history = fold(world.entries, onto=next_log(fold(world.logs[0])))
    then = policy_of(history.known_at(world.anchors[0][0]))
    found, seen = verify_receipt(receipt, then, now_s=None)
    assert (found.entries, seen.checkpoint.size) == (entries, size)
    with pytest.raises(SpotbeamError):  # the new log's key signed nothing of it
        verify_receipt(receipt, policy_of(history.now), now_s=None)


def test_logs_follow_each_other_more_than_once() -> None:
    world = World()
    world.rotate()
    third = "log.example/black-sea-3"
    world.close(third, "log-3")
    world.move_on(third, "log-3")
    world.open()
    change = world.pass_change()
    assert world.status(change) == "bound"
    assert [each.origin for each in world.now.earlier] == [ORIGIN, NEXT]
    assert world.now.located(world.now.newest) == (third, world.now.size - 1)
    history = fold(world.logs[0])
    for entries in (world.logs[1], world.entries):
        history = fold(entries, onto=next_log(history))
    assert state_digest(history.now) == state_digest(world.now)


@pytest.mark.parametrize(
    ("origin", "log", "code"),
    [
        (ORIGIN, "log-2", "repeated"),
        (NEXT, "log", "key_reused"),
    ],
)
def test_the_next_log_has_a_name_and_a_key_of_its_own(origin: str, log: str, code: str) -> None:
    world = World()
    world.change(CloseLog(origin=origin, witness_quorum=witness_quorum(log=log, origin=origin)))
    assert world.last_code() == code


def test_the_next_log_has_witnesses_that_promise_something() -> None:
    world = World()
    quorum = witness_quorum(log="log-2", origin=NEXT)
    alone = msgspec.structs.replace(quorum, organisations=dict.fromkeys(quorum.organisations, "o"))
    world.change(CloseLog(origin=NEXT, witness_quorum=alone))
    assert world.last_code() == "weak_witnesses"
    world.change(CloseLog(origin=NEXT, witness_quorum=witness_quorum(log="log-2", origin="other")))
    assert world.last_code() == "weak_witnesses"


def test_a_log_that_begins_with_anything_else_never_begins_and_another_one_may() -> None:
    world = World()
    world.close()
    world.move_on()
    world.add(b"junk")
    world.open()
    assert world.last_code() == "not_first"
    world.request()
    assert world.last_code() == "not_open"
    world.move_on("log.example/rescue", "log-3")
    world.log_says(world.succession("bo", "cy"))
    assert world.codes() == []
    assert world.now.origin == "log.example/rescue"
    assert [each.origin for each in world.now.earlier] == [ORIGIN]
    assert world.status(world.pass_change()) == "bound"


def test_people_leave_a_log_whose_key_is_lost() -> None:
    world = World()
    first = world.pass_change(PutRule(rule("first")))
    waiting = world.change(PutRule(rule("waiting")))
    world.approve(waiting, "bo")
    left = world.now
    world.move_on()
    world.log_says(world.succession("bo", "cy"))
    assert world.codes() == []
    assert world.now.earlier == (ending(left),)
    world.approve(waiting, "cy")
    world.anchor()
    assert {world.status(first), world.status(waiting)} == {"bound"}
    history = fold(world.entries, onto=next_log(fold(world.logs[0])))
    assert state_digest(history.now) == state_digest(world.now)


def test_a_succession_needs_the_full_quorum_of_the_last_folded_size() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=3))
    world.pass_change(people=("bo", "cy", "eli"))
    world.move_on()
    before = world.now
    for people, code in (
        (("bo", "cy"), "quorum"),
        (("ada", "bo", "cy", "dee"), "quorum"),
        (("bo", "cy", "rex"), "not_approver"),
        (("bo", "cy", "eli", "bo"), "repeated"),
        (("bo", "cy", "eli"), None),
    ):
        world.now = before
        world.log_says(world.succession(*people))
        assert world.last_code() == code


def test_nothing_of_a_record_is_gone_on_with_where_the_reader_cannot_read() -> None:
    world = World()
    world.pass_change(SetRules(version=2))
    assert world.now.halted is not None
    assert onward(world.now) is world.now
    assert onward(State()) == State()
