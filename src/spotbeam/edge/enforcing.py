"""The policy that an edge enforces: what the record says, as far as this edge can carry it out.

It may lack something that it should hold: the rows of a list, the contents of a seal, ground that
is drawn in a file of its owner. A rule that cannot be evaluated for that is stale at once, however
fresh the record is, and fails in the direction that people signed for silence:

    hold                the last list that this edge holds stands; where there is none, or where
                        ground is missing, the rule is left out, as before it came
    deny                a deny's or limit's ground goes dark, but for protected users already
                        served; a grant and an exempt stop
    allow_protected     likewise, and protected users are served

A seal says nothing in public of silence, so until it can be opened nothing changes. Whatever is
missing is said, with the ground inside which this edge is stale.
"""

from __future__ import annotations

import functools

import msgspec

from spotbeam.edge.openings import Held
from spotbeam.errors import InputError
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.history import Intended
from spotbeam.governance.policy import policy as policy_of
from spotbeam.land.cells import cell_from_hex
from spotbeam.service.policy import Policy, TerminalList
from spotbeam.service.rules import Rule

_AT_ONCE_US = 1
_CELL = "h3:"


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """Something that this edge should hold and does not.

    Attributes:
        what: `list:…`, `seal:…`, `ground:…` or `boundaries:…`.
        rules: The rules that it is needed for; empty where nobody can know.
        does: What happens instead.
        where: Inside which ground the edge is stale; empty: everywhere.
    """

    what: str
    rules: tuple[str, ...]
    does: str
    where: tuple[str, ...]

    def covers(self, territories: tuple[str, ...]) -> bool:
        """Whether a face lies inside the ground of the lack."""
        return not self.where or any(name in self.where for name in territories)


class Enforced(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A policy that can be carried out here, and what it falls short of.

    Attributes:
        until_us: When something begins or ends by itself; None: never.
    """

    policy: Policy
    lacks: tuple[Lack, ...]
    until_us: int | None


def enforced(
    intended: Intended,
    held: Held,
    ids: frozenset[str],
    *,
    view: str,
    witnessed_us: int,
    borders: str | None = None,
) -> Enforced:
    """What an edge enforces at an instant.

    Args:
        intended: What the record says, at the edge's own time.
        held: The openings that it was given.
        ids: The territories that it can place; cells it always can.
        view: Its point of view.
        witnessed_us: When the record was last witnessed.
        borders: Digest of the borders that it has, in hexadecimal; None: not compared.
    """
    without_lists = msgspec.structs.replace(intended, lists=())
    base = policy_of(without_lists, held.seals, witnessed_at_us=witnessed_us)
    lists, lost = _lists(intended, held)
    lacks: list[Lack] = []
    rules: list[Rule] = []
    for rule in base.rules:
        carried = _carried(rule, lists, lost, ids, lacks)
        if carried is not None:
            rules.append(carried)
    lacks += _unneeded(lost, lacks)
    lacks += _sealed(intended, held)
    lacks += _borders(intended, view, borders)
    named = {n for rule in rules for n in (*rule.who.on_list, *rule.who.not_on_list)}
    return Enforced(
        policy=msgspec.structs.replace(
            base,
            rules=tuple(rules),
            lists=tuple(
                TerminalList(name=name, terminals=lists.get(name, frozenset()))
                for name in sorted({*lists, *named})
            ),
        ),
        lacks=tuple(lacks),
        until_us=intended.until_us,
    )


def is_placed(name: str, ids: frozenset[str]) -> bool:
    """Whether an edge with these territories can say where something is."""
    return name in ids or is_cell(name)


@functools.lru_cache(maxsize=100_000)
def is_cell(name: str) -> bool:
    """Whether something is a cell: an entry's pattern lets through numbers that are none."""
    if not name.startswith(_CELL):
        return False
    try:
        cell_from_hex(name)
    except InputError:
        return False
    return True


def _lists(intended: Intended, held: Held) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    """Who is on each list; and of each whose rows are not held, which version stands (0: none)."""
    lists: dict[str, frozenset[str]] = {}
    lost: dict[str, int] = {}
    for act in intended.lists:
        terminals = held.terminals(act)
        if terminals is not None:
            lists[act.list] = terminals
            continue
        last = held.last_terminals(act.list)
        lost[act.list] = 0 if last is None else last[0]
        lists[act.list] = frozenset() if last is None else last[1]
    return lists, lost


def _carried(
    rule: Rule,
    lists: dict[str, frozenset[str]],
    lost: dict[str, int],
    ids: frozenset[str],
    lacks: list[Lack],
) -> Rule | None:
    """A rule as it can be carried out here; None where it is left out."""
    ground = [name for name in (*rule.where, *rule.except_) if not is_placed(name, ids)]
    named = [n for n in (*rule.who.on_list, *rule.who.not_on_list) if n in lost]
    if not ground and not named:
        return rule
    where = tuple(name for name in rule.where if is_placed(name, ids))
    for name in dict.fromkeys(named):
        if rule.on_stale != "hold":
            does = f"the rule is stale: {rule.on_stale}"
        elif lost[name]:
            does = f"version {lost[name]} of the list stands"
        else:
            does = "the rule is left out"
        lacks.append(Lack(what=f"list:{name}", rules=(rule.id,), does=does, where=where))
    is_nowhere = bool(rule.where) and not where
    for name in dict.fromkeys(ground):
        is_out = rule.on_stale == "hold" or is_nowhere
        does = "the rule is left out" if is_out else f"the rule is stale: {rule.on_stale}"
        lacks.append(Lack(what=f"ground:{name}", rules=(rule.id,), does=does, where=where))
    if rule.on_stale == "hold":
        return None if ground or not all(lost[name] for name in named) else rule
    if is_nowhere:
        return None
    unknown = [name for name in named if not lost[name]]
    if unknown:
        # Nobody is known to be on such a list, nor known not to be: only silence speaks.
        rule = msgspec.structs.replace(
            rule, who=msgspec.structs.replace(rule.who, on_list=(unknown[0],), not_on_list=())
        )
    return msgspec.structs.replace(
        rule,
        where=where,
        except_=tuple(name for name in rule.except_ if is_placed(name, ids)),
        stale_after_us=_AT_ONCE_US,
    )


def _unneeded(lost: dict[str, int], lacks: list[Lack]) -> list[Lack]:
    """Lists that no rule asks about now, and whose rows are not held all the same."""
    said = {lack.what for lack in lacks}
    return [
        Lack(what=f"list:{name}", rules=(), does="no rule asks about it now", where=("",))
        for name in sorted(lost)
        if f"list:{name}" not in said
    ]


def _sealed(intended: Intended, held: Held) -> list[Lack]:
    lacks = []
    for name in held.lacking(msgspec.structs.replace(intended, lists=())):
        seal = name.removeprefix("seals/")
        proposal = intended.known.changes[seal].proposal
        assert isinstance(proposal, Seal)
        lacks.append(
            Lack(
                what=f"seal:{seal}",
                rules=(),
                does="what it hides is not done here",
                where=proposal.bounds.cells,
            )
        )
    return lacks


def _borders(intended: Intended, view: str, borders: str | None) -> list[Lack]:
    """The record may draw this point of view with borders that this release does not have."""
    return [
        Lack(
            what=f"boundaries:{view}",
            rules=(),
            does="ground is found by the borders of this release",
            where=(),
        )
        for each in intended.boundaries
        if each.view == view and borders is not None and each.digest != borders
    ]
