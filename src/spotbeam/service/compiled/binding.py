"""Terminals as a compiled policy sees them: what kind each is, and what ground its disc touches."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spotbeam.kernels import verdicts as kernel
from spotbeam.service.compiled.tables import CompiledPolicy, mask, to_words
from spotbeam.service.position import GroundLike
from spotbeam.service.rules import Effect, Rule
from spotbeam.service.terminals import Account, Mobility, Protection, Terminals

# A table of combinations stays in the processor's second cache.
_MAX_TABLE_WORDS = 1 << 15


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Bound:
    """Terminals bound to a compiled policy; good for any moment while nobody moves.

    Attributes:
        flags, who, who_bits: As in `kernel.Kinds`.
        own: The face of each terminal, shape (n,).
        touched: The set of faces that its disc touches at each guard width, shape (n, n_guard).
        set_bits, any_bits: Rules that a set is ground for, shape (n_set, n_word): in `any_bits` an
            exempt counts as soon as it covers any of the set.
        word_start, words, word_bits, face_start, faces: As in `kernel.Places`.
    """

    compiled: CompiledPolicy
    terminals: Terminals
    flags: npt.NDArray[np.uint8]
    who: kernel.Ints
    who_bits: kernel.Bits
    own: kernel.Ints
    touched: kernel.Ints
    set_bits: kernel.Bits
    any_bits: kernel.Bits
    word_start: kernel.Ints
    words: kernel.Ints
    word_bits: kernel.Bits
    face_start: kernel.Ints
    faces: kernel.Ints

    def __len__(self) -> int:
        return len(self.terminals)


class Standing(NamedTuple):
    """On what ground n terminals stand.

    Attributes:
        own: The face of each, shape (n,).
        touched: The set of faces that its disc touches at each guard width, shape (n, n_guard): up
            to the number of faces a face alone, from there on a place in `sets`.
        sets: Sets of faces, each with the own face of whoever touches it.
    """

    own: kernel.Ints
    touched: kernel.Ints
    sets: Sequence[Sequence[int]]


def bind(compiled: CompiledPolicy, terminals: Terminals, standing: Standing | None = None) -> Bound:
    """Bind terminals to a policy: find their ground, and sort them by what rules ask of them.

    Args:
        compiled: The policy over its ground.
        terminals: Columns.
        standing: Where they stand, if that is known; else the ground is asked.
    """
    flags, who, who_bits = _kinds(compiled, terminals)
    own, touched, sets = standing or stand(compiled.ground, compiled.guards_km, terminals)
    return Bound(
        compiled=compiled,
        terminals=terminals,
        flags=flags,
        who=who,
        who_bits=who_bits,
        own=own,
        touched=touched,
        **_set_tables(compiled, sets),
    )


def stand(ground: GroundLike, guards_km: Sequence[float], terminals: Terminals) -> Standing:
    """On what ground terminals stand: good for every policy over it that has these guard widths.

    The ground is asked about discs only where there are any.

    Args:
        ground: Whose faces.
        guards_km: Guard widths, smallest first; 0 is the position's own disc.
        terminals: Columns.
    """
    known = ~np.isnan(terminals.lat_deg)
    lat_deg, lon_deg = terminals.lat_deg, terminals.lon_deg
    if not known.all():
        lat_deg, lon_deg = np.where(known, lat_deg, 0.0), np.where(known, lon_deg, 0.0)
    own = np.ascontiguousarray(ground.locate(lat_deg, lon_deg), dtype=np.int32)
    touched = np.empty((len(terminals), len(guards_km)), dtype=np.int32)
    sets: list[Sequence[int]] = []
    n_faces = len(ground.face_territories)
    for column, guard_km in enumerate(guards_km):
        touched[:, column] = own
        rows = slice(None) if guard_km else np.flatnonzero(terminals.position_error_m > 0)
        radius_m = terminals.position_error_m[rows].astype(np.float64) + guard_km * 1000.0
        if len(radius_m):
            index, found = ground.touched(lat_deg[rows], lon_deg[rows], radius_m)
            touched[rows, column] = index + (n_faces + len(sets))
            sets.extend(found)
    return Standing(own, touched, sets)


def _set_tables(compiled: CompiledPolicy, sets: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """The tables over all sets of faces: each face alone first, then those that were found."""
    n_faces = len(compiled.face_bits)
    alone = np.arange(n_faces, dtype=np.int32)
    any_bits = set_bits = compiled.face_bits
    faces, start = alone, np.arange(n_faces + 1, dtype=np.int32)
    if sets:
        sizes = np.array([len(members) for members in sets])
        first = np.concatenate([[0], np.cumsum(sizes)])
        found = np.concatenate([np.asarray(members, dtype=np.int32) for members in sets])
        bits = compiled.face_bits[found]
        any_of = np.bitwise_or.reduceat(bits, first[:-1], axis=0)
        all_of = np.bitwise_and.reduceat(bits, first[:-1], axis=0)
        rules = compiled.ordered
        exempts = mask(rules, (rule.effect is Effect.EXEMPT for rule in rules))
        any_bits = np.concatenate([any_bits, any_of])
        set_bits = np.concatenate([set_bits, (any_of & ~exempts) | (all_of & exempts)])
        faces = np.concatenate([alone, found])
        start = np.concatenate([start, n_faces + first[1:]]).astype(np.int32)
    rows, words = np.nonzero(any_bits)
    counts = np.bincount(rows, minlength=len(any_bits))
    return {
        "set_bits": set_bits,
        "any_bits": any_bits,
        "word_start": np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        "words": words.astype(np.int32),
        "word_bits": any_bits[rows, words],
        "face_start": start,
        "faces": faces,
    }


def _kinds(
    compiled: CompiledPolicy, terminals: Terminals
) -> tuple[npt.NDArray[np.uint8], kernel.Ints, kernel.Bits]:
    """Sort terminals by what the rules ask of them.

    Codes that no rule tells apart fall together, and attributes are joined into groups as long as
    all their combinations make a small table.
    """
    rules = compiled.ordered
    listed, listed_bits = _listed(compiled, terminals)
    names = {
        "fleet": terminals.fleet_names,
        "sponsor": terminals.sponsor_names,
        "registrant_country": terminals.registrant_country_names,
        "plan": terminals.plan_names,
        "mobility": tuple(Mobility),
        "protection": tuple(Protection),
        "account": tuple(Account),
    }
    columns = [
        *(_named_bits(*compiled.asking[column], values) for column, values in names.items()),
        _verified_bits(rules),
        listed_bits,
    ]
    classes = [_classes(bits) for bits in columns]
    groups = _groups([len(unique) for _, unique in classes], len(rules))
    n = len(terminals)
    who = np.empty((n, len(groups)), dtype=np.int32)
    row = np.empty(n, dtype=np.int32)
    flags = np.empty(n, dtype=np.uint8)
    start = np.concatenate([[0], np.cumsum([len(bits) for bits in columns])]).astype(np.int32)
    tables: list[kernel.Bits] = []
    offset = 0
    for number, group in enumerate(groups):
        table, strides = _combinations([classes[column][1] for column in group], len(rules))
        lookup = np.zeros(start[-1], dtype=np.int32)
        for column, stride in zip(group, strides, strict=True):
            lookup[start[column] : start[column + 1]] = classes[column][0] * stride
        lookup[start[0] : start[1]] += offset
        kernel.kinds_of(
            terminals.fleet,
            terminals.sponsor,
            terminals.registrant_country,
            terminals.plan,
            terminals.mobility,
            terminals.protection,
            terminals.account,
            terminals.verified,
            listed,
            terminals.distress,
            terminals.lat_deg,
            start,
            lookup,
            row,
            flags,
        )
        who[:, number] = row
        tables.append(table)
        offset += len(table)
    return flags, who, np.concatenate(tables)


def _named_bits(indifferent: int, naming: Mapping[str, int], names: Sequence[str]) -> list[int]:
    """For each code of a column: which rules it satisfies, as bits."""
    return [indifferent | naming.get(name, 0) for name in names] or [indifferent]


def _verified_bits(rules: Sequence[Rule]) -> list[int]:
    return [
        sum(1 << n for n, rule in enumerate(rules) if rule.who.verified in (None, is_verified))
        for is_verified in (False, True)
    ]


def _listed(
    compiled: CompiledPolicy, terminals: Terminals
) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Terminals by the lists and the rules that name them: a code each, and the codes' rules."""
    rules = compiled.ordered
    lists = {entry.name: entry.terminals for entry in compiled.policy.lists}
    used = {name for rule in rules for name in (*rule.who.on_list, *rule.who.not_on_list)}
    groups = [frozenset(lists[name]) for name in sorted(used)]
    names = sorted(used)
    for rule in rules:
        if rule.who.terminal:
            groups.append(frozenset(rule.who.terminal))
            names.append("")
    column, patterns = _membership(terminals, tuple(groups))
    return column, [_pattern_bits(rules, groups, names, pattern) for pattern in patterns]


_Membership = tuple[npt.NDArray[np.int32], list[int]]
# Who is on which list takes a tenth of a second for 100,000, and stays as it is while rules change.
_known: weakref.WeakKeyDictionary[Terminals, tuple[tuple[frozenset[str], ...], _Membership]] = (
    weakref.WeakKeyDictionary()
)


def _membership(terminals: Terminals, groups: tuple[frozenset[str], ...]) -> _Membership:
    """Terminals by the groups that they are in: a code each, and the codes' groups as bits."""
    known = _known.get(terminals)
    if known is not None and known[0] == groups:
        return known[1]
    members: dict[str, int] = {}
    for number, group in enumerate(groups):
        for terminal in group:
            members[terminal] = members.get(terminal, 0) | 1 << number
    codes = {
        pattern: code for code, pattern in enumerate({0: None, **dict.fromkeys(members.values())})
    }
    column = np.zeros(len(terminals), dtype=np.int32)
    if members:
        found = pc.index_in(terminals.id, pa.array(list(members), type=pa.large_string()))
        place = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
        column = np.array([*(codes[p] for p in members.values()), 0], dtype=np.int32)[place]
    _known[terminals] = groups, (column, list(codes))
    return column, list(codes)


def _pattern_bits(
    rules: Sequence[Rule], groups: Sequence[frozenset[str]], names: Sequence[str], pattern: int
) -> int:
    """Which rules a terminal satisfies that is in these groups (bits of `pattern`)."""
    on = {name for number, name in enumerate(names) if name and pattern >> number & 1}
    own = {
        group for number, group in enumerate(groups) if not names[number] and pattern >> number & 1
    }
    bits = 0
    for number, rule in enumerate(rules):
        who = rule.who
        if who.terminal and frozenset(who.terminal) not in own:
            continue
        if who.on_list and not on.intersection(who.on_list):
            continue
        if on.intersection(who.not_on_list):
            continue
        bits |= 1 << number
    return bits


def _classes(bits: Sequence[int]) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Codes that satisfy the same rules share a class: class by code, and each class's rules."""
    unique = list(dict.fromkeys(bits))
    number = {pattern: index for index, pattern in enumerate(unique)}
    return np.array([number[pattern] for pattern in bits], dtype=np.int32), unique


def _groups(sizes: Sequence[int], n_rules: int) -> list[list[int]]:
    """Columns joined so that each group's table of combinations stays small."""
    limit = max(1, _MAX_TABLE_WORDS // max(1, -(-n_rules // 64)))
    groups: list[tuple[int, list[int]]] = []
    for column in sorted(range(len(sizes)), key=lambda column: sizes[column]):
        for index, (product, members) in enumerate(groups):
            if product * sizes[column] <= limit:
                groups[index] = (product * sizes[column], [*members, column])
                break
        else:
            groups.append((sizes[column], [column]))
    return [members for _, members in groups]


def _combinations(classes: Sequence[Sequence[int]], n_rules: int) -> tuple[kernel.Bits, list[int]]:
    """The rules of all combinations of classes, and how far apart a column's classes stand."""
    table = np.full((1, to_words(0, n_rules).size), np.uint64(0xFFFFFFFFFFFFFFFF))
    strides: list[int] = []
    for column in classes:
        words = np.stack([to_words(bits, n_rules) for bits in column])
        strides.append(len(table))
        table = (words[:, None, :] & table[None, :, :]).reshape(-1, table.shape[1])
    return table, strides
