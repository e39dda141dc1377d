"""People, witnesses, lists, emergencies, seals: what a change may do besides rules."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.governance import (
    LICENCE,
    START_US,
    Keys,
    World,
    person,
    rule,
    witness_quorum,
)

from spotbeam.errors import MalformedRecord
from spotbeam.governance.entries import entry_bytes, unsigned
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import (
    AddKey,
    ConfirmContact,
    DropKey,
    DropList,
    DropRule,
    Merge,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Review,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.deciding import Anchor, Bounds, Emergency, Opening, Seal
from spotbeam.governance.entries.people import Boundaries, FileProof, QuorumRule, Revocation
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Ground, Span
from spotbeam.governance.history import state
from spotbeam.governance.policy import Openings, missing, policy, row_bytes
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.record.keys import encode_base64
from spotbeam.record.seal import list_root

LARGE = QuorumRule(persons=3, factors=2)
CELL, INSIDE, OUTSIDE = "h3:841e265ffffffff", "h3:851e2643fffffff", "h3:851e2667fffffff"


# -- emergencies


def emergency(world: World, by: tuple[str, ...] = ("bo", "cy"), **changes: object) -> str:
    fields: dict[str, object] = {
        "request": world.request(verb="deactivate", where=("UA",)),
        "grounds": (LICENCE,),
        "acts": (PutRule(rule("off", effect="deny", gate="order", emergency=True)),),
        "lasts_us": DAY_US,
        "impact": "4" * 64,
        "lapses_us": world.clock_us + DAY_US,
    }
    name = world.say(Emergency(**{**fields, **changes}), "ada")  # type: ignore[arg-type]
    if name in world.now.changes:
        world.approve(name, *by)
        world.anchor()
    return name


def test_an_emergency_needs_two_of_two_factors_and_ends_by_itself() -> None:
    world = World(quorum=LARGE)
    world.pass_change(people=("bo", "cy", "dee"))
    name = emergency(world, by=("cy", "dee"))
    assert world.status(name) == "pending"
    world.approve(name, "bo")
    world.anchor()
    assert world.status(name) == "bound"
    begin = world.clock_us

    def rules(at_us: int) -> list[tuple[str, bool]]:
        return [(r.id, r.emergency) for r in policy(state(world.history(), at_us)).rules]

    assert rules(begin + DAY_US - 1) == [("off", True), ("ua-authorised", False)]
    assert rules(begin + DAY_US) == [("ua-authorised", False)]  # nobody had to do anything
    review = Review(emergency=name, finding="upheld", words="shelling stopped")
    world.pass_change(review, people=("bo", "cy"))
    assert name in world.now.unreviewed  # two are not the full quorum
    world.pass_change(review, people=("bo", "cy", "dee"))
    assert name not in world.now.unreviewed


def test_over_ground_of_an_unreviewed_emergency_the_next_needs_the_full_quorum() -> None:
    world = World(quorum=LARGE)
    first = emergency(world)
    second = emergency(world)
    assert (world.status(first), world.status(second)) == ("bound", "pending")
    world.approve(second, "dee")
    world.anchor()
    assert world.status(second) == "bound"
    world = World(quorum=LARGE)
    emergency(world)
    world.pass_change(
        Review(emergency=min(world.now.unreviewed), finding="faulted", words="no"),
        people=("bo", "cy", "dee"),
    )
    assert world.status(emergency(world)) == "bound"


def test_no_emergency_where_the_full_quorum_is_as_small() -> None:
    world = World()
    emergency(world)
    assert "no_emergencies" in world.codes()


def test_an_emergency_lasts_no_longer_than_a_day() -> None:
    world = World(quorum=LARGE)
    emergency(world, lasts_us=DAY_US + 1)
    assert world.last_code() == "malformed"


# -- people


def test_a_newcomer_waits_72_hours_and_then_approves() -> None:
    world = World()
    keys = world.keys["gil"] = Keys("gil")
    proof = keys.possession("gil", "seat", world.now.genesis, world.origin)
    seat = Seat(person=person("gil", keys, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat")
    world.approve("seat", "bo", "cy")
    world.anchor()
    assert world.status("seat") == "bound"
    world.anchor(after_us=72 * HOUR_US - 120_000_000)
    world.request(actor="gil")
    assert world.last_code() == "newcomer"
    world.anchor(after_us=120_000_000)
    change = world.change()
    world.approve(change, "gil", "cy")
    world.anchor()
    assert world.status(change) == "bound"


def test_a_key_given_up_is_given_up_at_once_and_for_ever() -> None:
    world = World()
    key = world.keys["cy"]
    change = world.change()
    world.approve(change, "bo", "cy")
    world.say(Revocation(revoked=key.digest), "cy")
    assert world.codes() == ["suspended", "suspended"]
    assert not world.now.changes[change].approvals
    world.anchor()
    assert world.status(change) == "pending"
    world.approve(change, "cy")
    assert world.last_code() == "revoked"
    back = key.possession("cy", "again", world.now.genesis, world.origin)
    world.say(world.change_body(AddKey(person="cy", key=key.key, possession=back)), "ada", "again")
    assert world.last_code() == "key_reused"


def test_only_ones_own_key_is_revoked() -> None:
    world = World()
    world.say(Revocation(revoked=world.keys["bo"].digest), "cy")
    assert world.last_code() == "not_their_key"


def test_a_removed_approver_suspends_and_the_rest_may_begin_again() -> None:
    world = World()
    change = world.change()
    world.approve(change, "dee")
    world.pass_change(Unseat("dee"), people=("bo", "cy"))
    assert world.now.changes[change].stood_still == "suspended"
    world.approve(change, "bo", "cy")
    world.anchor()
    assert world.status(change) == "bound"


def test_nobody_is_removed_whom_the_quorum_cannot_miss() -> None:
    world = World(quorum=QuorumRule(persons=2, factors=2, must_include=("civil",)))
    assert world.change(Unseat("eli")) not in world.now.changes
    assert world.last_code() == "starved"
    assert world.change(DropKey(person="eli", key=world.keys["eli"].digest)) not in (
        world.now.changes
    )


@pytest.mark.parametrize("quorum", [(0, 2), (1, 2), (2, 0), (2, 1), (0, 0), (-1, 2)])
def test_a_quorum_below_two_of_two_cannot_be_written(quorum: tuple[int, int]) -> None:
    world = World()
    world.change(SetQuorum(QuorumRule(persons=quorum[0], factors=quorum[1])))
    assert world.last_code() == "malformed"


def test_a_factor_that_must_be_there_must_be_there() -> None:
    world = World(quorum=QuorumRule(persons=2, factors=2, must_include=("civil",)))
    change = world.change()
    world.approve(change, "bo", "cy")
    world.anchor()
    assert world.status(change) == "pending"
    world.approve(change, "eli")
    world.anchor()
    assert world.status(change) == "bound"


def test_another_quorum_counts_after_72_hours() -> None:
    world = World()
    world.pass_change(SetQuorum(LARGE))
    assert world.status(world.pass_change(PutRule(rule("one")))) == "bound"
    world.anchor(after_us=72 * HOUR_US)
    assert world.status(world.pass_change(PutRule(rule("two")))) == "pending"


def test_two_ids_of_one_human_count_once() -> None:
    world = World()
    world.pass_change(Merge(person="dee", same_as="bo"))
    assert world.status(world.pass_change(people=("bo", "dee"))) == "pending"
    assert world.last_code() is None
    assert world.codes() == ["repeated"]


# -- contacts


def test_ones_own_contact_keeps_one_from_approving_there_for_90_days() -> None:
    world = World()
    world.say(Contact(person="cy", party="xx", where=("UA-43",), at_us=world.clock_us), "cy")
    assert world.status(world.pass_change()) == "pending"
    assert world.codes() == ["recused"]
    elsewhere = rule("tw", where=("TW",))
    change = world.pass_change(PutRule(elsewhere), request=world.request(where=("TW",)))
    assert world.status(change) == "bound"
    world.anchor(after_us=90 * DAY_US)
    assert world.status(world.pass_change()) == "bound"


def test_a_contact_that_others_wrote_counts_once_a_quorum_confirmed_it() -> None:
    world = World()
    contact = Contact(person="cy", party="xx", where=("UA",), at_us=world.clock_us)
    name = world.say(contact, "ada")
    change = world.change()
    world.approve(change, "bo", "cy")
    # It is confirmed while an approval of cy waits: that one no longer counts.
    world.pass_change(
        ConfirmContact(name), people=("bo", "eli"), request=world.request(where=("FR",))
    )
    assert world.status(change) == "bound"  # it bound at the same anchor, proposed earlier
    later = world.change(PutRule(rule("later")))
    world.approve(later, "bo", "cy")
    assert world.last_code() == "recused"


# -- witnesses, rules versions


def test_new_witnesses_need_the_old_ones_and_the_new_ones_at_one_anchor() -> None:
    world = World()
    new = ("w4", "w5", "w6")
    change = world.change(SetWitnesses(witness_quorum(new)))
    world.approve(change, "bo", "cy")
    world.anchor(by=new)
    assert world.last_code() == "not_witnessed"
    world.anchor()
    assert (world.status(change), world.now.changes[change].stood_still) == (
        "pending",
        "not_witnessed",
    )
    world.anchor(by=("w1", "w2", "w3", *new))
    assert world.status(change) == "bound"
    world.request()
    world.anchor()
    assert world.last_code() == "not_witnessed"
    world.witnesses = new
    world.anchor()
    assert world.last_code() is None


def test_another_log_key_needs_the_signatures_of_both() -> None:
    world = World()
    change = world.change(SetWitnesses(witness_quorum(log="log-2")))
    world.approve(change, "bo", "cy")
    world.anchor()
    assert world.status(change) == "pending"
    world.anchor(logs=("log", "log-2"))
    assert world.status(change) == "bound"
    world.request()
    world.anchor()
    assert world.last_code() == "not_witnessed"
    world.log_seed = "log-2"
    world.anchor()
    assert world.last_code() is None


def test_a_rules_version_that_the_reader_lacks_stops_it_and_nothing_else_does() -> None:
    world = World()
    world.pass_change(SetRules(version=2))
    assert "rules version 2" in (world.now.halted or "")
    size = world.now.size
    world.add(b"junk")
    world.log_says(Anchor(size=1, note=""))
    assert world.now.size == size


# -- lists, sponsors, borders


def test_a_list_is_filled_in_only_by_rows_that_lead_to_its_root() -> None:
    world = World()
    rows = (("kit-1", b"1" * 16), ("kit-2", b"2" * 16))
    root = list_root(world.origin, "kits", 1, [(row_bytes(t), salt) for t, salt in rows]).hex()
    kits = rule("kits", effect="deny", gate="list", who=WhoEntry(not_on_list=("kits",)))
    world.change(PutRule(kits))
    assert world.last_code() == "unknown"
    world.pass_change(
        PutRule(kits),
        PutList(list="kits", version=1, count=2, root=root),
        PutSponsor(sponsor="relief", until_us=START_US),
        PutBoundaries(Boundaries(view="un", source="Natural Earth", digest="3" * 64)),
    )
    found = state(world.history(), world.clock_us)
    good = Openings(lists={("kits", 1): rows})
    assert policy(found, good).lists[0].terminals == {"kit-1", "kit-2"}
    assert policy(found, good).sponsors[0].until_us == START_US
    assert found.boundaries[0].view == "un"
    assert missing(found, good) == ()
    for bad in (rows[:1], rows[::-1], (("kit-1", b"1" * 16), ("kit-3", b"2" * 16)), None):
        given = Openings(lists={} if bad is None else {("kits", 1): bad})
        assert policy(found, given).lists[0].terminals == frozenset()
        assert missing(found, given) == ("list:kits",)
    world.change(PutList(list="kits", version=3, count=0, root=root))
    assert world.last_code() == "list_version"
    world.change(DropList("kits"))
    assert world.last_code() == "list_needed"


def test_a_list_update_voids_only_approvals_that_read_the_list() -> None:
    world = World()
    kits = rule("kits", effect="deny", gate="list", who=WhoEntry(not_on_list=("kits",)))
    world.pass_change(PutRule(kits), PutList(list="kits", version=1, count=0, root="1" * 64))
    update = world.change(PutList(list="kits", version=2, count=0, root="2" * 64))
    apart = world.change(PutRule(rule("apart")))
    reading = world.change(
        PutRule(
            rule(
                "kits",
                effect="limit",
                gate="list",
                max_mbps="5",
                who=WhoEntry(not_on_list=("kits",)),
            )
        )
    )
    for change in (update, apart, reading):
        world.approve(change, "bo", "cy")
    world.anchor()
    assert [world.status(each) for each in (update, apart, reading)] == [
        "bound",
        "bound",
        "pending",
    ]


# -- grounds and requests


def test_a_rule_cites_only_grounds_that_are_stated_and_stand() -> None:
    world = World()
    world.change(PutRule(rule(grounds=("order:unheard-of",))))
    assert world.last_code() == "grounds"
    short = Ground(kind="authorisation", id="ua-2022-02", until_us=START_US + DAY_US)
    change = world.change(grounds=(short,))
    world.anchor(after_us=2 * DAY_US)
    world.approve(change, "bo", "cy")
    world.anchor()
    assert (world.status(change), world.now.changes[change].stood_still) == (
        "pending",
        "ground_expired",
    )


def test_a_request_about_one_country_carries_no_change_in_another() -> None:
    world = World()
    world.change(PutRule(rule(where=("UA", "TW"))))
    assert world.last_code() == "not_asked"
    world.change(PutRule(rule(where=())))
    assert world.last_code() == "not_asked"
    everywhere = world.pass_change(PutRule(rule(where=())), request=world.request(where=()))
    assert world.status(everywhere) == "bound"
    world.change(DropRule("ua-authorised"))
    assert world.last_code() == "not_asked"


def test_a_window_that_is_over_or_empty_is_none() -> None:
    world = World()
    world.anchor()
    for window in (Span(until_us=START_US), Span(from_us=START_US + 9, until_us=START_US + 9)):
        world.change(window=window)
        assert world.last_code() == "window"


# -- seals


def seal(world: World, rules: tuple[object, ...], **changes: object) -> tuple[str, bytes, bytes]:
    name = f"seal-{world.count}"
    value, salt = sealed_value(rules), b"s" * 16  # type: ignore[arg-type]
    bounds = Bounds(where=("UA-43",), cells=(CELL,), verb="restrict", lasts_us=5 * DAY_US)
    fields: dict[str, object] = {
        "request": world.request(verb="restrict", where=("UA-43",)),
        "grounds": (LICENCE,),
        "commitment": commitment(world.origin, name, value, salt),
        "bounds": bounds,
        "open_by_us": world.clock_us + 3 * DAY_US,
        "impact": "6" * 64,
        "lapses_us": world.clock_us + DAY_US,
    }
    world.say(Seal(**{**fields, **changes}), "ada", name)  # type: ignore[arg-type]
    if name in world.now.changes:
        world.approve(name, "bo", "cy")
        world.anchor()
    return name, value, salt


def front(where: tuple[str, ...] = (INSIDE,), **changes: object) -> object:
    fields = {"effect": "deny", "gate": "cell", "who": WhoEntry(protection=("none",))}
    return rule("front", where=where, **{**fields, **changes})


def test_a_seal_binds_without_its_opening_and_acts_for_those_who_hold_it() -> None:
    world = World()
    name, value, salt = seal(world, (front(),))
    assert world.status(name) == "bound"
    now = state(world.history(), world.clock_us)
    holds = Openings(seals={name: (value, salt)})
    assert [r.where for r in policy(now, holds).rules] == [(INSIDE,)]
    assert missing(now, holds) == ()
    assert policy(now).rules == ()
    assert missing(now, Openings()) == (f"seal:{name}",)
    assert missing(now, Openings(seals={name: (value, b"x" * 16)})) == (f"seal:{name}",)
    assert policy(state(world.history(), world.clock_us + 5 * DAY_US), holds).rules == ()


@pytest.mark.parametrize(
    "crooked",
    [
        front(where=(OUTSIDE,)),
        front(where=(INSIDE, OUTSIDE)),
        front(where=("UA-43",)),
        front(where=()),
        front(guard_km="5"),
        front(who=WhoEntry()),
        front(who=WhoEntry(protection=("none", "medical"))),
        rule("front", where=(INSIDE,)),
    ],
)
def test_an_opening_outside_its_bounds_has_no_effect(crooked: object) -> None:
    world = World()
    name, value, salt = seal(world, (front(), crooked))
    assert world.status(name) == "bound"
    now = state(world.history(), world.clock_us)
    assert policy(now, Openings(seals={name: (value, salt)})).rules == ()


def test_while_a_seal_is_overdue_no_new_one_is_valid() -> None:
    world = World()
    name, value, salt = seal(world, (front(),))
    second, *_ = seal(world, (front(),))
    assert world.status(second) == "bound"
    world.anchor(after_us=4 * DAY_US)
    third, *_ = seal(world, (front(),))
    assert third not in world.now.changes
    assert world.codes() == ["seal_overdue"]
    world.say(Opening(seal=name, value="[]", salt=encode_base64(salt)), "ada")
    assert world.last_code() == "bad_opening"
    for sealed in (name, second):
        opening = Opening(seal=sealed, value=value.decode(), salt=encode_base64(salt))
        world.say(opening, "ada")
        assert world.last_code() is None
    fourth, *_ = seal(world, (front(),))
    assert world.status(fourth) == "bound"
    assert len(policy(state(world.history(), world.clock_us - 120_000_000)).rules) == 2


def test_a_statement_that_is_larger_than_an_entry_is_void() -> None:
    world = World(origin="log.example/" + "x" * 180)
    places = tuple(f"h3:{number:015x}" for number in range(2_000))
    key = world.keys["ada"].digest

    def forged(count: int) -> bytes:
        acts = PutRule(rule("a", where=places)), PutRule(rule("b", where=places[:count]))
        body = world.change_body(*acts, request="none")
        said = unsigned(body, id="long", actor="ada", key=key)
        return entry_bytes(replace(said, proof=FileProof("")))

    def size(count: int) -> int:
        try:
            return len(forged(count))
        except MalformedRecord:
            return 99_999

    longest = max(count for count in range(900, 1_300, 10) if size(count) <= 65_535)
    world.add(forged(longest))
    assert world.last_code() == "too_large"
    world.add(forged(longest - 30))
    assert world.last_code() == "bad_signature"


def test_a_proposal_that_lapsed_is_looked_at_no_more() -> None:
    world = World()
    change = world.change(lapses_us=world.clock_us + DAY_US)
    world.anchor(after_us=2 * DAY_US)
    assert change not in world.now.pending
    world.approve(change, "bo")
    assert world.last_code() == "lapsed"
