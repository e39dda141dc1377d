"""An impact as text: what people read before they sign, on a terminal and on the passkey page.

Names of fleets, sponsors and the like come from strangers: characters that could control, hide or
turn round what is shown are escaped. What only the operator can know is marked as their claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from spotbeam.control.wording import plain
from spotbeam.times import format_time
from spotbeam.twin.impact.area import Place
from spotbeam.twin.impact.effects import EVERYWHERE, Effect
from spotbeam.twin.impact.over_terminals import Group, TerminalImpact
from spotbeam.twin.impact.phases import Hours
from spotbeam.twin.impact.public import Phase, PublicImpact
from spotbeam.twin.impact.spill import BorderEffect, Extent
from spotbeam.twin.impact.whole import Impact

_MOST_PLACES = 12
_MOST_GROUPS = 12
_DONE = {
    "lost": "lose service",
    "gained": "gain service",
    "limited": "are limited more",
    "eased": "are limited less",
    "reason": "get another reason",
    "rule": "get the same answer by another rule",
}
# Protected people first, so that no total hides them.
_FIRST = ("medical", "emergency", "aid")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines under a title.

    Attributes:
        is_claim: Whether it is only the operator's word.
    """

    title: str
    lines: tuple[str, ...]
    is_claim: bool = False

    @property
    def text(self) -> str:
        """The lines, one under the other."""
        return "\n".join(self.lines)


def sections_of(impact: Impact) -> tuple[Section, ...]:
    """Everything that an impact says, in the order in which it should be read."""
    parts = [
        Section(title="Effect on cells and rules", lines=tuple(_public(impact.public))),
        Section(title="If the record falls silent", lines=tuple(_silence(impact.public))),
        Section(title="Terminals", lines=tuple(_terminals(impact)), is_claim=True),
        Section(title="Along the borders, estimated", lines=tuple(_borders(impact))),
        Section(title="What else it hangs on", lines=tuple(_hangs_on(impact))),
    ]
    return tuple(part for part in parts if part.lines)


# --- Cells and rules


def _public(public: PublicImpact) -> Iterator[str]:
    for rule in public.rules:
        yield f"rule {plain(rule.rule)}: {_how(rule.before, rule.after)}"
    for each in public.lists:
        yield f"list {plain(each.list)}: {_version(each.before)} -> {_version(each.after)}"
    if not public.rules and not public.lists:
        acts = ", ".join(f"{count} x {name}" for name, count in public.acts.items())
        yield f"no rules and no lists: {acts}"
    for seen in public.seen:
        yield f"From the point of view {seen.view}:"
        for place in seen.places[:_MOST_PLACES]:
            yield f"  {_place(place)}"
        if len(seen.places) > _MOST_PLACES:
            yield f"  … and {len(seen.places) - _MOST_PLACES} more places"
        if seen.unplaced:
            names = ", ".join(map(plain, seen.unplaced[:_MOST_PLACES]))
            yield f"  NOT COUNTED: ground that these borders do not have: {names}"
        for phase in seen.phases:
            yield f"  {_when(phase)}"
            nothing = "no cell changes for any terminal that was tried"
            yield from _effects(phase.effects, nothing, by_territory=True)
    for name in public.sealed:
        yield f"{plain(name)} is in force over this ground; nobody may see its rules yet"
    if public.left_out:
        yield f"NOT SHOWN: {public.left_out} more stages or hours; split the change to see them"


def _silence(public: PublicImpact) -> Iterator[str]:
    for seen in public.seen:
        for phase in seen.phases:
            parts = (
                (phase.by_silence, "by silence, to terminals served until then:"),
                (phase.if_unserved, "by silence, to terminals not served when it began:"),
                (phase.while_silent, "by the change, if the record is silent already:"),
            )
            for effects, title in parts:
                if effects:
                    yield f"{seen.view}, {_when(phase).removesuffix(':')}, {title}"
                    yield from _effects(effects, "")
    if not any(phase.by_silence or phase.while_silent for s in public.seen for phase in s.phases):
        yield "Nothing changes: no rule here does anything else when it goes stale."


def _effects(
    effects: Sequence[Effect], nothing: str, *, by_territory: bool = False
) -> Iterator[str]:
    """Lines that are alike for several reference terminals are said once."""
    by_reference: dict[str, list[Effect]] = {}
    for effect in effects:
        by_reference.setdefault(effect.reference, []).append(effect)
    alike: dict[tuple[Effect, ...], list[str]] = {}
    for name in sorted(by_reference, key=_rank):
        bare = tuple(msgspec.structs.replace(e, reference="") for e in by_reference[name])
        alike.setdefault(bare, []).append(name)
    if not alike and nothing:
        yield f"    {nothing}"
    for lines, names in alike.items():
        yield f"    {', '.join(map(plain, names))}:"
        for line in (each for each in lines if each.territory == EVERYWHERE):
            yield (
                f"      {line.kind}: {_extent(line.cells, line.km2, line.people)}; "
                f"{line.before} -> {line.after}"
            )
        if by_territory:
            yield from _by_territory(lines)


def _by_territory(lines: Sequence[Effect]) -> Iterator[str]:
    """Where service begins or ends, most people first; territories overlap."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for line in lines:
        if line.territory != EVERYWHERE and line.kind in ("lost", "gained"):
            cells, km2, people = sums.get((line.territory, line.kind), (0, 0, 0))
            both = (cells + line.cells, km2 + line.km2, people + line.people)
            sums[line.territory, line.kind] = both
    places = sorted(sums.items(), key=lambda each: (-each[1][2], each[0]))
    for (name, kind), extent in places[:_MOST_PLACES]:
        yield f"        {plain(name)}: {kind} {_extent(*extent)}"
    if len(places) > _MOST_PLACES:
        yield f"        … and {len(places) - _MOST_PLACES} more territories"


def _rank(reference: str) -> tuple[int, str]:
    return (0 if reference in _FIRST else 1, "" if reference == "ordinary" else reference)


def _how(before: str | None, after: str | None) -> str:
    if before is None:
        return "not in force before or at its start" if after is None else "new"
    if after is None:
        return "taken out"
    return "as before" if before == after else "another wording"


def _version(found: tuple[int, int] | None) -> str:
    return "none" if found is None else f"version {found[0]} with {found[1]:,} terminals"


def _place(place: Place) -> str:
    if not place.cells:
        return f"{place.name}: too small for a cell of resolution {place.resolution}"
    extent = _extent(place.cells, place.km2, place.people)
    return f"{place.name}: {extent}, by cells of resolution {place.resolution}"


def _extent(cells: int, km2: int, people: int) -> str:
    return f"{cells:,} cells, {km2:,} km², about {people:,} people"


def _when(phase: Phase) -> str:
    begins = "as soon as it binds" if phase.begins_us is None else f"from {_time(phase.begins_us)}"
    return f"{begins}{_hours(phase.hours)}:"


def _hours(hours: Hours) -> str:
    if not hours:
        return ""
    spans = ", ".join(f"{_clock(begin)} to {_clock(end)}" for begin, end in hours)
    return f", daily {spans} UTC"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _time(at_us: int) -> str:
    return format_time(at_us)


# --- Terminals


def _terminals(impact: Impact) -> Iterator[str]:
    if impact.terminals_of is None:
        return
    yield (
        f"The operator's claim, from {plain(impact.terminals_of)}: "
        "nobody else can check it, and nobody signs it."
    )
    for found in impact.terminals:
        yield f"At {_time(found.at_us)}, of {found.terminals:,} terminals:"
        yield from _protected(found)
        for kind, count in found.kinds.items():
            if kind != "same":
                yield f"  {count:,} {_DONE[kind]}"
        if found.kinds.get("same") == found.terminals:
            yield "  no answer changes"
        for reason in found.reasons[:_MOST_GROUPS]:
            yield f"    {reason.terminals:,}: {reason.before} -> {reason.after}"
        for name, groups in found.by.items():
            if name != "protection" and groups:
                yield f"  by {name}: {_groups(groups)}"
        yield (
            f"  position unknown: {found.unknown:,}; position across a border: {found.straddling:,}"
        )


def _protected(found: TerminalImpact) -> Iterator[str]:
    changed = False
    for group in sorted(found.protected, key=lambda each: _FIRST.index(each.name)):
        told = _told(group.kinds)
        if told:
            changed = True
            yield f"  PROTECTED, {group.name}: {told}, of {group.terminals:,}"
    if not changed:
        yield "  protected: no answer changes"


def _groups(groups: Sequence[Group]) -> str:
    most = sorted(groups, key=lambda each: (each.kinds.get("same", 0) - each.terminals, each.name))
    shown = "; ".join(
        f"{plain(each.name) or '(none)'}: {_told(each.kinds)}" for each in most[:_MOST_GROUPS]
    )
    more = len(most) - _MOST_GROUPS
    return f"{shown}; and {more} more" if more > 0 else shown


def _told(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {_DONE[kind]}" for kind, n in kinds.items() if kind != "same")


# --- The rest


def _borders(impact: Impact) -> Iterator[str]:
    if impact.borders:
        yield (
            "A beam 20 km wide straight below, aimed inside, lights ground outside unless a guard "
            "band is kept dark; before -> after the change."
        )
    yield from (_border(each) for each in impact.borders)
    for each in impact.coverings:
        holds = "inside its ground" if each.holds == "inside" else "over its ground"
        yield (
            f"beams obey {plain(each.rule)} by {each.cells:,} cells {holds} "
            f"(resolution {each.resolution})"
        )


def _border(each: BorderEffect) -> str:
    return (
        f"{each.elevation_deg:g}° and higher: spot {each.across_km:g} x {each.along_km:g} km, "
        f"guard {each.guard_km:g} km; lit outside {_people(each.spilled_before, each.spilled)}; "
        f"or dark inside {_people(each.starved_before, each.starved)}"
    )


def _people(before: Extent, after: Extent) -> str:
    return (
        f"{before.cells:,} -> {after.cells:,} cells, {before.people:,} -> {after.people:,} people"
    )


def _hangs_on(impact: Impact) -> Iterator[str]:
    if impact.reads:
        shown = ", ".join(map(plain, impact.reads[:_MOST_PLACES]))
        more = len(impact.reads) - _MOST_PLACES
        yield f"if any of these moves, its approvals fall: {shown}" + (
            f" and {more} more" if more > 0 else ""
        )
    for name in impact.rivals:
        yield f"{plain(name)} is pending on the same things; it is taken not to bind before"
    for name in impact.missing:
        yield f"{plain(name)} cannot be opened here: its terminals or rules are not counted"
    yield from map(plain, impact.notices)
