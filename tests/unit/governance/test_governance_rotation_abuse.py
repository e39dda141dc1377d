"""Ways to take over a record while it moves to another log, each beside its weakened control.

The thief holds the log's key, all of its files and witnesses that sign whatever is consistent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from support.governance import NEXT, ORIGIN, World, witness_quorum
from support.weakened import Case, Patch, instead, is_bound, no_signatures, without

from spotbeam.governance import anchors, fold, history, next_log, succession, version_1
from spotbeam.governance.entries.acts import CloseLog
from spotbeam.governance.entries.logs import Ended, Open
from spotbeam.governance.entries.people import FileProof, Revocation
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.state import State
from spotbeam.governance.succession import ending, onward
from spotbeam.governance.void import Void
from spotbeam.governance.witnesses import worthy_policy
from spotbeam.record.canonical import canonical_json
from spotbeam.record.checkpoint import verify_checkpoint
from spotbeam.record.keys import encode_base64
from spotbeam.record.policy import Witnessed

THIEF = "log.example/of-the-thief"
THIRD = "log.example/black-sea-3"


def own_open() -> bool:
    """Open a next log although nobody closed this one."""
    world = World()
    world.pass_change()
    world.move_on(THIEF, "thief")
    world.open()
    return world.now.origin == THIEF


def _any_open(state: State, body: Open) -> State:
    assert state.witness_quorum is not None
    assert state.witness_policy is not None
    return succession._begun(state, body.origin, state.witness_quorum, state.witness_policy)


def another_log_than_the_one_named() -> bool:
    """Wait until people close the log, and be quicker with a log of one's own."""
    world = World()
    world.close()
    world.move_on(THIEF, "thief")
    world.open()
    return world.now.origin == THIEF


def open_in_the_old_log() -> bool:
    """Write the next log's entry 0 into the old log, to have readers take it for the new one."""
    world = World()
    world.close()
    opening = Open(origin=NEXT, previous=ending(world.now))
    world.log_says(opening)
    return world.now.origin == NEXT


def first_anywhere(patch: Patch) -> None:
    without("not_first", "other_past", "closed")(patch)


def other_numbers(**wrong: Any) -> Callable[[], bool]:
    """Open the named log onto another past than the one that was closed."""

    def attack() -> bool:
        world = World()
        world.close()
        world.move_on()
        world.open(previous=msgspec.structs.replace(world.now.earlier[-1], **wrong))
        return world.now.origin == NEXT

    return attack


def fork_after_the_close() -> bool:
    """Keep the old log going: people still sign there, and the old witnesses too."""
    world = World()
    change = world.change()
    world.approve(change, "bo")
    late = world.write(world.approval(change), "cy", "late")
    world.close()
    world.add(late)
    world.anchor()
    return is_bound(world, change)


def two_next_logs_at_one_anchor() -> bool:
    """Have two closings approved, and let the second name another log at the same anchor."""
    world = World()
    quorum = {name: witness_quorum(log=name, origin=name) for name in (NEXT, THIRD)}
    for name in (NEXT, THIRD):
        change = world.change(CloseLog(origin=name, witness_quorum=quorum[name]))
        world.approve(change, "bo", "cy")
    world.anchor()
    closing = world.now.closing
    return closing is not None and closing.origin == THIRD


def second_successor() -> bool:
    """Show a reader that follows one successor of a log another one, as well signed."""
    world = World()
    world.pass_change()
    left = onward(world.now)
    world.move_on()
    one = world.log_says(world.succession("bo", "cy"))
    assert one in world.now.seen
    followed = world.now
    world.now = left
    world.origin, world.log_seed = THIRD, "log-3"
    other = world.succession("bo", "cy")
    world.now = onward(followed)
    world.log_says(other)
    return world.now.origin == THIRD


def successor_of_an_earlier_size() -> bool:
    """Take back what was decided, by a succession that names a size before it."""
    world = World()
    early = world.now
    change = world.pass_change()
    assert is_bound(world, change)
    world.move_on()
    world.log_says(world.succession("bo", "cy", previous=ending(early)))
    return world.now.origin == NEXT


def succession_by_one_factor() -> bool:
    """Two colleagues of one party leave the log."""
    world = World()
    world.move_on()
    world.log_says(world.succession("ada", "bo"))
    return world.now.origin == NEXT


def forged_succession() -> bool:
    """Write the others' signatures oneself."""
    world = World()
    world.move_on()
    body = world.succession("bo", "cy")
    forged = tuple(
        msgspec.structs.replace(each, proof=FileProof(encode_base64(bytes(64))))
        for each in body.signatures
    )
    world.log_says(msgspec.structs.replace(body, signatures=forged))
    return world.now.origin == NEXT


def signatures_for_another_log() -> bool:
    """Have people sign one succession, and put another witness quorum in its place."""
    world = World()
    world.move_on()
    body = world.succession("bo", "cy")
    theirs = witness_quorum(("w7", "w8", "w9"), "thief", NEXT)
    world.log_says(msgspec.structs.replace(body, witness_quorum=theirs))
    return world.now.origin == NEXT


def revoked_key_in_a_succession() -> bool:
    """Use a stolen key that its owner has given up."""
    world = World()
    world.say(Revocation(revoked=world.keys["cy"].digest), "cy")
    world.move_on()
    world.log_says(world.succession("bo", "cy"))
    return world.now.origin == NEXT


def hoarded_succession() -> bool:
    """Keep a succession that was signed in need, and use it a year later."""
    world = World()
    world.pass_change()
    world.move_on()
    world.log_says(world.succession("bo", "cy"))
    world.anchor(after_us=365 * DAY_US)
    return world.now.anchored_size > 0


def last_years_approval() -> bool:
    """Withhold an approval while the record moves on, and put it in the next log."""
    world = World()
    change = world.change()
    kept = world.write(world.approval(change), "cy", "kept")
    world.rotate()
    world.approve(change, "bo")
    world.add(kept)
    world.anchor()
    return is_bound(world, change)


def begun_anew() -> bool:
    """Begin the next log with an entry 0 of one's own making, roster and all."""
    world = World()
    world.close()
    world.move_on()
    thief = World(origin=NEXT, salt="7" * 64)
    genesis = json.loads(thief.entries[0])
    genesis["id"] = "anew"
    genesis["body"]["possessions"] = msgspec.to_builtins(
        [keys.possession(name, "anew", "", NEXT) for name, keys in thief.keys.items()]
    )
    data = world.add(canonical_json(genesis))
    return world.now.genesis == sha256(data).hexdigest()


def without_old_witnesses() -> bool:
    """Take the log's key, leave the witnesses out, and show a fork in which a change binds."""
    world = World()
    change = world.change()
    world.approve(change, "bo", "cy")
    world.anchor(by=())
    return is_bound(world, change)


def _no_witnesses(patch: Patch) -> None:
    patch.setattr(anchors, "witnessed", _log_alone)
    patch.setattr(anchors, "is_dated", lambda *_: True)


def _log_alone(note: str, policy: Any) -> Witnessed:
    point = verify_checkpoint(note.encode(), [policy.logs[0].key])
    return Witnessed(point, (), 1_780_000_060)


def old_key_in_the_new_log() -> bool:
    """Anchor in the new log with the old log's key and its witnesses."""
    world = World()
    world.rotate()
    change = world.change()
    world.approve(change, "bo", "cy")
    world.anchor(logs=("log",))
    return is_bound(world, change)


def _any_log(note: str, policy: Any) -> Witnessed:
    try:
        return _WITNESSED(note, policy)
    except Void:
        return _WITNESSED(note, worthy_policy(witness_quorum(log="log", origin=NEXT), NEXT))


_WITNESSED = anchors.witnessed


CASES = {
    "own open": Case(own_open, instead(version_1, "log_opened", _any_open)),
    "another log than named": Case(
        another_log_than_the_one_named, instead(version_1, "log_opened", _any_open)
    ),
    "open in the old log": Case(open_in_the_old_log, first_anywhere),
    "other root": Case(other_numbers(root="a" * 64), without("other_past")),
    "other size": Case(other_numbers(size=3), without("other_past")),
    "other state": Case(other_numbers(state_digest="a" * 64), without("other_past")),
    "fork after the close": Case(fork_after_the_close, without("closed")),
    "two next logs": Case(two_next_logs_at_one_anchor, without("closed")),
    "second successor": Case(second_successor, without("other_past")),
    "successor of an earlier size": Case(successor_of_an_earlier_size, without("other_past")),
    "succession by one factor": Case(succession_by_one_factor, without("quorum")),
    "forged succession": Case(forged_succession, no_signatures),
    "signatures for another log": Case(signatures_for_another_log, no_signatures),
    "revoked key in a succession": Case(revoked_key_in_a_succession, without("revoked")),
    "hoarded succession": Case(hoarded_succession, without("expired")),
    "last year's approval": Case(last_years_approval, no_signatures),
    "begun anew": Case(begun_anew, without("not_first")),
    "without witnesses": Case(without_old_witnesses, _no_witnesses),
    "old key in the new log": Case(old_key_in_the_new_log, instead(anchors, "witnessed", _any_log)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_record_is_not_taken_over(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_is(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


def test_a_reader_moves_on_by_its_own_word_only(monkeypatch: Patch) -> None:
    """The library folds any number of entries of one log without ever leaving it."""
    world = World()
    world.close()
    world.log_says(Open(origin=NEXT, previous=ending(world.now)))
    found = fold(world.entries)
    assert (found.now.origin, found.now.size) == (ORIGIN, len(world.entries))
    moved = next_log(found)
    assert moved.now.earlier == (Ended(**msgspec.structs.asdict(ending(found.now))),)
    monkeypatch.setattr(history, "onward", lambda state: state)
    assert next_log(found).now.size == len(world.entries)
