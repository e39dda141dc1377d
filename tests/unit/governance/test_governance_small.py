"""Changes of a few cells by fewer people, until together they are no longer few."""

from __future__ import annotations

import h3
import pytest
from support.governance import World, rule
from support.weakened import Case, Patch, instead, is_bound

from spotbeam.governance import quorum, reads_digest
from spotbeam.governance.entries.acts import DropRule, PutList, PutRule, SetQuorum
from spotbeam.governance.entries.people import QuorumRule, SmallRule
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.ground import is_cell

CELLS = [f"h3:{cell}" for cell in sorted(h3.cell_to_children("831e26fffffffff", 5))]
SMALL = SmallRule(persons=2, factors=2, cells=29, resolution=5)
FULL = QuorumRule(persons=3, factors=3, small=SMALL)
ALL = ("bo", "cy", "eli")


def move(
    world: World,
    *cells: str,
    name: str | None = None,
    where: tuple[str, ...] = ("UA-65",),
    people: tuple[str, ...] = ("bo", "cy"),
    **changes: object,
) -> str:
    """Turn some cells off; the change."""
    name = name or f"off-{world.count}"
    off = rule(name, effect="deny", gate="cell", where=cells, **changes)
    request = world.request(where=where, verb="restrict")
    return world.pass_change(PutRule(off), request=request, people=people)


def salami(**each: tuple[str, ...]) -> bool:
    """Move a border in thirty changes of one cell, each passed by two people."""
    world = World(quorum=FULL)
    return all(is_bound(world, move(world, cell, **each)) for cell in CELLS[:30])


def salami_under_other_names() -> bool:
    """As `salami`, each time on the request of another country."""
    world = World(quorum=FULL)
    countries = [f"{a}{b}" for a in "AEIOUY" for b in "BCDFG"]
    return all(
        is_bound(world, move(world, cell, where=(country,)))
        for cell, country in zip(CELLS[:30], countries, strict=True)
    )


def salami_beside_a_full_agreement_elsewhere() -> bool:
    """Have everybody agree on something about another country in between."""
    world = World(quorum=FULL)
    done = []
    for number, cell in enumerate(CELLS[:30]):
        if number == 15:
            asked = world.request(where=("PL",))
            agreed = world.pass_change(PutRule(rule(where=("PL",))), request=asked, people=ALL)
            assert is_bound(world, agreed)
        done.append(is_bound(world, move(world, cell)))
    return all(done)


def one_large_cell() -> bool:
    """One cell, as large as a country."""
    world = World(quorum=FULL)
    return is_bound(world, move(world, f"h3:{h3.cell_to_parent(CELLS[0][3:], 0)}"))


def wide_guard() -> bool:
    """One cell, with a belt of 500 km around it."""
    world = World(quorum=FULL)
    return is_bound(world, move(world, CELLS[0], guard_km="500"))


def narrowed_country() -> bool:
    """Word the rule of a whole country anew, so that it acts on one cell only."""
    world = World(quorum=FULL)
    assert is_bound(world, world.pass_change(PutRule(rule("all")), people=ALL))
    return is_bound(world, move(world, CELLS[0], name="all"))


def never_counted(patch: Patch) -> None:
    patch.setattr(quorum, "is_small", lambda *_: True)


CASES = {
    "thirty changes of one cell": Case(salami, never_counted),
    "under thirty names": Case(
        salami_under_other_names,
        # The obvious rule: each country's cells are counted for themselves.
        instead(
            quorum,
            "is_small",
            lambda state, change, small: (
                len(state.moved.get(quorum.small_country(state, change), ())) < small.cells
            ),
        ),
    ),
    "a full agreement elsewhere": Case(salami_beside_a_full_agreement_elsewhere, never_counted),
    "one large cell": Case(one_large_cell, instead(quorum, "is_cell", lambda *_: True)),
    "a wide guard": Case(wide_guard, never_counted),
    "a country narrowed to a cell": Case(narrowed_country, never_counted),
}


@pytest.mark.parametrize("name", CASES)
def test_many_small_changes_are_not_small(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_they_are(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


def test_the_thirtieth_cell_needs_the_full_quorum_and_begins_a_new_count() -> None:
    world = World(quorum=FULL)
    for cell in CELLS[:29]:
        assert is_bound(world, move(world, cell))
    assert set(world.now.moved["UA"]) == set(CELLS[:29])
    last = move(world, CELLS[29])
    assert world.status(last) == "pending"
    world.approve(last, "eli")
    world.anchor()
    assert world.status(last) == "bound"
    assert not world.now.moved
    assert is_bound(world, move(world, CELLS[30]))
    assert world.now.moved["UA"] == (CELLS[30],)


def test_what_is_moved_back_and_forth_counts_once() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=3, small=SmallRule(cells=1)))
    for number in range(4):
        assert is_bound(world, move(world, CELLS[0], name=f"r-{number}"))
    asked = world.request(where=("UA",), verb="activate")
    dropped = world.pass_change(DropRule("r-0"), request=asked)
    assert is_bound(world, dropped)
    assert world.now.moved["UA"] == (CELLS[0],)
    assert not is_bound(world, move(world, CELLS[1]))


@pytest.mark.parametrize(
    ("where", "ground", "people", "is_small"),
    [
        (("UA",), CELLS[:2], ("bo", "cy"), True),
        (("UA", "UA-65"), CELLS[:1], ("bo", "cy"), True),
        (("UA",), CELLS[:1], ("bo", "ada"), False),  # two people, one factor
        (("UA",), CELLS[:30], ("bo", "cy"), False),
        (("UA",), ["UA-65"], ("bo", "cy"), False),
        (("UA",), [*CELLS[:1], "UA-65"], ("bo", "cy"), False),
        (("UA", "PL"), CELLS[:1], ("bo", "cy"), False),
        (tuple(CELLS[:1]), CELLS[:1], ("bo", "cy"), False),  # nobody says which country
        ((), CELLS[:1], ("bo", "cy"), False),
    ],
)
def test_what_is_small(
    where: tuple[str, ...], ground: list[str], people: tuple[str, ...], is_small: bool
) -> None:
    world = World(quorum=FULL)
    change = world.change(
        PutRule(rule("off", effect="deny", gate="cell", where=tuple(ground))),
        request=world.request(where=where),
        by="rex",
    )
    world.approve(change, *people)
    world.anchor()
    assert is_bound(world, change) == is_small


def test_only_rules_are_small() -> None:
    world = World(quorum=FULL)
    acts = (
        PutRule(rule("off", where=(CELLS[0],))),
        PutList(list="kits", version=1, count=0, root="2" * 64),
    )
    assert not is_bound(world, world.pass_change(*acts))


def test_the_factors_that_must_be_there_must_be_there_for_small_changes_too() -> None:
    world = World(
        quorum=QuorumRule(persons=3, factors=3, must_include=("civil",), small=SmallRule(cells=5))
    )
    assert not is_bound(world, move(world, CELLS[0]))
    assert is_bound(world, move(world, CELLS[0], people=("bo", "eli")))


def test_without_the_rule_every_change_needs_the_full_quorum() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=3))
    assert not is_bound(world, move(world, CELLS[0]))
    assert not world.now.moved


@pytest.mark.parametrize("small", [SmallRule(persons=4, cells=1), SmallRule(factors=3, cells=1)])
def test_small_changes_never_need_more_than_the_full_quorum(small: SmallRule) -> None:
    world = World()
    world.change(SetQuorum(QuorumRule(persons=3, factors=2, small=small)))
    assert world.last_code() == "small"


def test_a_quorum_for_small_changes_is_brought_in_by_the_full_one() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=3))
    assert is_bound(world, world.pass_change(SetQuorum(FULL), people=ALL))
    assert not is_bound(world, move(world, CELLS[0]))
    world.anchor(after_us=4 * DAY_US)
    assert is_bound(world, move(world, CELLS[1]))


def test_approvals_of_people_fall_with_another_rule_for_small_changes() -> None:
    """What a change of the roster reads includes the rule for small changes."""
    digests = set()
    for full in (QuorumRule(persons=3, factors=3), FULL):
        world = World(quorum=full)
        change = world.change(SetQuorum(QuorumRule(persons=2, factors=2)))
        digests.add(reads_digest(world.now, world.now.changes[change].proposal))
    assert len(digests) == 2


def test_names_of_ground_are_those_of_cells_if_h3_says_so() -> None:
    for cell in ("841e265ffffffff", "851e2643fffffff", "8f1e26400000000", "801ffffffffffff"):
        for resolution in range(16):
            expected = h3.is_valid_cell(cell) and h3.get_resolution(cell) >= resolution
            assert is_cell(f"h3:{cell}", resolution) == expected
    for other in ("UA", "x-place", "h3:000000000000000", "h3:851e2643ffffff0"):
        assert not is_cell(other, 0)
