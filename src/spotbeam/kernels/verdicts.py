"""The verdict of `service.verdict` over columns: tens of millions of terminals a second and core.

Rules are bits. They stand in the order in which gates are asked (exempts first), 64 to a word, so
that the lowest bit that denies is the one that decides. For each terminal the bits of the rules on
its ground, for its kind, and in force are ANDed; only what is left is looked at one by one.

`service.verdict` is the oracle of this module, and says what each step means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Bits = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int32]
Column = npt.NDArray[Any]

# Flags of a terminal; the account's state is in the two lowest bits, 0 for active.
FLAG_ACCOUNT = 3
FLAG_DISTRESS = 4
FLAG_PROTECTED = 8
FLAG_UNKNOWN = 16

# Gates, as `service.rules.GATES` counts them, and codes, as `service.verdict` does.
TERRITORY = 3
ALLOW, LIMIT, DENY = 0, 1, 2
OK, UNKNOWN_LOCATION, NOT_AUTHORISED, GUARD_BAND, POLICY_STALE = 0, 5, 8, 11, 19

# Rows of `Rules.masks`.
EXEMPTS, GRANTS, LIMITS, DENIES, TERRITORY_DENIES, WITH_THRESHOLDS = range(6)

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORD = 64


class Rules(NamedTuple):
    """The rules of a policy, n_rule of them in n_word words, in the kernel's order.

    Attributes:
        masks: Which rules are of a kind, shape (6, n_word); see `EXEMPTS` and the names after it.
        place: Place in the policy's order, shape (n_rule,) as all that follow.
        gate, reason: Codes.
        lifts: The gates that an exempt opens, one bit each.
        guard: Which guard width the rule asks for: place in the widths, smallest first.
        limit_rank: Limits from the tightest on; equal ones in the policy's order.
        max_mbps: NaN for all but limits.
        over_kmh, over_altitude_m, below_assurance, over_error_m, over_km, over_days, over_gb:
            Thresholds; where a rule does not ask, a value that any number passes.
        asks_km: Whether the rule asks for a distance.
        motion_slot, day_slot: Column of the memory; -1 where the rule remembers nothing.
        clear_kmh: Speed below which a rule clears; NaN: as soon as it is not over.
        for_us: How long speed and altitude must have been over.
    """

    masks: Bits
    place: npt.NDArray[np.int16]
    gate: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]
    lifts: npt.NDArray[np.uint16]
    guard: Ints
    limit_rank: Ints
    max_mbps: npt.NDArray[np.float32]
    over_kmh: npt.NDArray[np.float64]
    over_altitude_m: npt.NDArray[np.float64]
    below_assurance: npt.NDArray[np.uint8]
    over_error_m: npt.NDArray[np.float64]
    over_km: npt.NDArray[np.float64]
    asks_km: npt.NDArray[np.bool_]
    over_days: Ints
    over_gb: npt.NDArray[np.float64]
    motion_slot: Ints
    day_slot: Ints
    clear_kmh: npt.NDArray[np.float64]
    for_us: npt.NDArray[np.int64]


class Places(NamedTuple):
    """The ground, and what the discs of n terminals touch of it.

    Attributes:
        face_bits: Rules whose ground a face is, shape (n_face, n_word).
        set_bits: Rules that a set of faces is ground enough for, shape (n_set, n_word): all of the
            set for exempts, any of it for the others. The first n_face sets are single faces.
        guard_masks: Rules that ask for a guard width, shape (n_guard, n_word).
        word_start, words: The words that are not empty for a set, `words[word_start[set]:
            word_start[set + 1]]`.
        face_start, faces: The faces of a set, likewise.
        no_grant_reason: What a face without a grant answers, shape (n_face,).
        own: The face of each terminal, shape (n,).
        touched: The set that its disc touches at each guard width, shape (n, n_guard).
    """

    face_bits: Bits
    set_bits: Bits
    guard_masks: Bits
    word_start: Ints
    words: Ints
    face_start: Ints
    faces: Ints
    no_grant_reason: npt.NDArray[np.uint8]
    own: Ints
    touched: Ints


class Kinds(NamedTuple):
    """What kind of terminal each of n is.

    Attributes:
        flags: See `FLAG_ACCOUNT` and the names after it, shape (n,).
        who_bits: Rules that a combination of attributes matches, shape (n_combination, n_word).
        who: Rows of `who_bits` to AND, shape (n, n_group).
    """

    flags: npt.NDArray[np.uint8]
    who_bits: Bits
    who: Ints


class Clock(NamedTuple):
    """What of the rules stands at the moment; rows: unprotected, protected, protected and served.

    Attributes:
        stands: In force and not stale, or stale and holding: shape (3, n_word).
        dark: Denies and limits that close their whole ground for being stale.
        lost: Grants in force that no longer grant for being stale.
    """

    stands: Bits
    dark: Bits
    lost: Bits


class Readings(NamedTuple):
    """What terminals report, n of them; see `service.terminals.Terminals`."""

    lat_deg: npt.NDArray[np.float64]
    lon_deg: npt.NDArray[np.float64]
    position_error_m: npt.NDArray[np.float32]
    assurance: npt.NDArray[np.uint8]
    speed_kmh: npt.NDArray[np.float32]
    altitude_m: npt.NDArray[np.float32]
    service_lat_deg: npt.NDArray[np.float32]
    service_lon_deg: npt.NDArray[np.float32]


class Remembered(NamedTuple):
    """The memory with the moment in it; empty columns where the motion is settled.

    Attributes:
        is_settled: The present motion has lasted as long as any rule asks, everybody was served.
        over_since_us: Shape (n, n_motion_rule); `NEVER` where not over.
        blocked: Shape (n, n_motion_rule).
        days, last_day: Shape (n, n_day_rule); last_day is `NO_DAY` before the first.
        served: Shape (n,).
        data_gb: Shape (n,).
    """

    is_settled: bool
    over_since_us: npt.NDArray[np.int64]
    blocked: npt.NDArray[np.bool_]
    days: Ints
    last_day: Ints
    served: npt.NDArray[np.bool_]
    data_gb: npt.NDArray[np.float64]


NEVER = np.iinfo(np.int64).max
NO_DAY = np.iinfo(np.int32).min

# Position of the only bit in a word: de Bruijn sequence, Leiserson, Prokop and Randall (1998).
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_SHIFT = np.uint64(58)
_BIT_OF = np.empty(_WORD, dtype=np.int64)
for _bit in range(_WORD):
    _BIT_OF[((0x03F79D71B4CB0A89 << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


@njit(cache=True, nogil=True)
def lowest_bit(word: Any) -> Any:
    """Position of the lowest bit of a word that is not empty."""
    return _BIT_OF[np.int64(((word & (~word + _ONE)) * _DE_BRUIJN) >> _SHIFT)]


@njit(cache=True, nogil=True)
def kinds_of(
    fleet: Ints,
    sponsor: Ints,
    country: Ints,
    plan: Ints,
    mobility: Column,
    protection: Column,
    account: Column,
    verified: Column,
    listed: Ints,
    distress: Column,
    lat_deg: Column,
    start: Ints,
    lookup: Ints,
    who: Ints,
    flags: Column,
) -> None:
    """Fill `who` (n,) and `flags` (n,): attributes to a row of `who_bits`.

    Each attribute has a table in `lookup` from `start[attribute]` on, by its code; the entries of
    one terminal add up to its row.
    """
    for i in range(who.shape[0]):
        who[i] = (
            lookup[start[0] + fleet[i]]
            + lookup[start[1] + sponsor[i]]
            + lookup[start[2] + country[i]]
            + lookup[start[3] + plan[i]]
            + lookup[start[4] + mobility[i]]
            + lookup[start[5] + protection[i]]
            + lookup[start[6] + account[i]]
            + lookup[start[7] + np.int64(verified[i])]
            + lookup[start[8] + listed[i]]
        )
        flag = account[i] & FLAG_ACCOUNT
        if distress[i]:
            flag |= FLAG_DISTRESS
        if protection[i] != 0:
            flag |= FLAG_PROTECTED
        if np.isnan(lat_deg[i]):
            flag |= FLAG_UNKNOWN
        flags[i] = flag


@njit(cache=True, nogil=True)
def decide(
    rules: Rules,
    places: Places,
    kinds: Kinds,
    clock: Clock,
    readings: Readings,
    memory: Remembered,
    outcome: Column,
    reason: Column,
    rule: Column,
    max_mbps: Column,
) -> None:
    """Fill the columns of n verdicts; `rule` is in the policy's order, -1 where none decided."""
    n_guard = places.touched.shape[1]
    n_group = kinds.who.shape[1]
    for i in range(outcome.shape[0]):
        flags = kinds.flags[i]
        outcome[i] = DENY
        rule[i] = -1
        max_mbps[i] = np.nan
        if flags & FLAG_ACCOUNT:
            reason[i] = flags & FLAG_ACCOUNT  # the account reasons stand first among the codes
            continue
        if flags & FLAG_DISTRESS:
            outcome[i], reason[i] = ALLOW, OK
            continue
        if flags & FLAG_UNKNOWN:
            reason[i] = UNKNOWN_LOCATION
            continue
        variant = 0
        if flags & FLAG_PROTECTED:
            variant = 2 if memory.is_settled or memory.served[i] else 1
        own = places.own[i]
        widest = places.touched[i, n_guard - 1]
        lifted = 0
        deny = dark = own_deny = edge_deny = territory_dark = limit = grant = -1
        for position in range(places.word_start[widest], places.word_start[widest + 1]):
            w = places.words[position]
            ground = places.set_bits[places.touched[i, 0], w]
            if n_guard > 1:
                ground &= places.guard_masks[0, w]
                for k in range(1, n_guard):
                    ground |= places.set_bits[places.touched[i, k], w] & places.guard_masks[k, w]
            kind = _ALL
            for group in range(n_group):
                kind &= kinds.who_bits[kinds.who[i, group], w]
            kind &= clock.stands[variant, w]
            bits = ground & kind
            asking = bits & rules.masks[WITH_THRESHOLDS, w]
            while asking != _NOTHING:
                bit = asking & (~asking + _ONE)
                if not _passes(rules, readings, memory, i, w * _WORD + lowest_bit(asking)):
                    bits &= ~bit
                asking &= asking - _ONE
            found = bits & rules.masks[EXEMPTS, w]
            while found != _NOTHING:
                lifted |= rules.lifts[w * _WORD + lowest_bit(found)]
                found &= found - _ONE
            found = bits & rules.masks[DENIES, w]
            while found != _NOTHING and deny < 0:
                r = w * _WORD + lowest_bit(found)
                if not (lifted >> rules.gate[r]) & 1:
                    deny = r
                found &= found - _ONE
            found = bits & rules.masks[LIMITS, w]
            while found != _NOTHING:
                r = w * _WORD + lowest_bit(found)
                if not (lifted >> rules.gate[r]) & 1 and (
                    limit < 0 or rules.limit_rank[r] < rules.limit_rank[limit]
                ):
                    limit = r
                found &= found - _ONE
            found = bits & rules.masks[TERRITORY_DENIES, w]
            if found != _NOTHING:
                if edge_deny < 0:
                    edge_deny = w * _WORD + lowest_bit(found)
                found &= places.face_bits[own, w]
                if found != _NOTHING and own_deny < 0:
                    own_deny = w * _WORD + lowest_bit(found)
            found = kind & rules.masks[GRANTS, w] & places.face_bits[own, w]
            if found != _NOTHING and grant < 0:
                grant = w * _WORD + lowest_bit(found)
            found = ground & clock.dark[variant, w]
            while found != _NOTHING:
                r = w * _WORD + lowest_bit(found)
                if rules.gate[r] == TERRITORY:
                    if territory_dark < 0:
                        territory_dark = r
                elif dark < 0 and not (lifted >> rules.gate[r]) & 1:
                    dark = r
                found &= found - _ONE
        # A gate's own denials come before the darkness of stale rules at the same gate.
        says, first = -1, -1
        if deny >= 0 and (dark < 0 or rules.gate[deny] <= rules.gate[dark]):
            says, first = int(rules.reason[deny]), deny
        elif dark >= 0:
            says, first = POLICY_STALE, dark
        if first < 0 or rules.gate[first] > TERRITORY:
            code, by = _territory(
                rules, places, kinds, clock, i, variant, own_deny, edge_deny, grant
            )
            if code == OK and territory_dark >= 0:
                code, by = POLICY_STALE, territory_dark
            if code != OK:
                says, first = code, by
            else:
                grant = by
        if says >= 0:
            reason[i] = says
            if first >= 0:
                rule[i] = rules.place[first]
        elif limit >= 0:
            outcome[i], reason[i], rule[i] = LIMIT, rules.reason[limit], rules.place[limit]
            max_mbps[i] = rules.max_mbps[limit]
        else:
            outcome[i], reason[i], rule[i] = ALLOW, OK, rules.place[grant]


@njit(cache=True, nogil=True)
def _passes(rules: Rules, readings: Readings, memory: Remembered, i: int, r: int) -> bool:
    """Whether a terminal passes all thresholds of a rule."""
    if rules.motion_slot[r] >= 0:
        if memory.is_settled:
            if not _is_over(rules, readings, i, r):
                return False
        elif not memory.blocked[i, rules.motion_slot[r]]:
            return False
    if rules.day_slot[r] >= 0:
        days = 1 if memory.is_settled else memory.days[i, rules.day_slot[r]]
        if not days > rules.over_days[r]:
            return False
    used_gb = 0.0 if memory.is_settled else memory.data_gb[i]
    if not used_gb > rules.over_gb[r]:
        return False
    if not readings.assurance[i] < rules.below_assurance[r]:
        return False
    if not readings.position_error_m[i] > rules.over_error_m[r]:
        return False
    if rules.asks_km[r]:
        return bool(_service_distance_km(readings, i) > rules.over_km[r])
    return True


@njit(cache=True, nogil=True)
def _is_over(rules: Rules, readings: Readings, i: int, r: int) -> Any:
    return (
        readings.speed_kmh[i] > rules.over_kmh[r]
        and readings.altitude_m[i] > rules.over_altitude_m[r]
    )


@njit(cache=True, nogil=True)
def _service_distance_km(readings: Readings, i: int) -> Any:
    """As `service.position.distance_km`, operation for operation."""
    from_lat = np.radians(readings.lat_deg[i])
    to_lat = np.radians(np.float64(readings.service_lat_deg[i]))
    half_north = np.sin((to_lat - from_lat) / 2.0)
    east_deg = np.float64(readings.service_lon_deg[i]) - readings.lon_deg[i]
    half_east = np.sin(np.radians(east_deg) / 2.0)
    square = half_north * half_north + np.cos(from_lat) * np.cos(to_lat) * half_east * half_east
    if square > 1.0:
        square = 1.0
    return 2.0 * 6371.0088 * np.arcsin(np.sqrt(square))


@njit(cache=True, nogil=True)
def _territory(
    rules: Rules,
    places: Places,
    kinds: Kinds,
    clock: Clock,
    i: int,
    variant: int,
    own_deny: int,
    edge_deny: int,
    grant: int,
) -> tuple[int, int]:
    """The territory gate of one terminal: reason (OK if it passes), and the rule behind it."""
    if own_deny >= 0:
        return NOT_AUTHORISED, own_deny
    if grant >= 0 and edge_deny >= 0:
        return GUARD_BAND, edge_deny
    widest = places.touched[i, places.touched.shape[1] - 1]
    is_single = places.face_start[widest + 1] - places.face_start[widest] == 1
    if grant >= 0:
        by = grant
        if not is_single:
            by = _passing_grant(rules, places, kinds, clock, i, variant, False)
        if by >= 0:
            return OK, by
    if edge_deny < 0:
        has_lost = False
        for w in range(clock.lost.shape[1]):
            has_lost |= clock.lost[variant, w] != _NOTHING
        if has_lost:
            by = _passing_grant(rules, places, kinds, clock, i, variant, True)
            if by >= 0:
                return POLICY_STALE, _lost_grant(rules, places, kinds, clock, i, variant, by)
    if grant >= 0:
        return GUARD_BAND, grant
    return int(places.no_grant_reason[places.own[i]]), -1


@njit(cache=True, nogil=True)
def _grants(
    rules: Rules, kinds: Kinds, clock: Clock, i: int, variant: int, w: int, with_lost: bool
) -> Any:
    """The grants to a terminal in one word, wherever they grant."""
    bits = clock.stands[variant, w]
    if with_lost:
        bits |= clock.lost[variant, w]
    bits &= rules.masks[GRANTS, w]
    for group in range(kinds.who.shape[1]):
        bits &= kinds.who_bits[kinds.who[i, group], w]
    return bits


@njit(cache=True, nogil=True)
def _passing_grant(
    rules: Rules, places: Places, kinds: Kinds, clock: Clock, i: int, variant: int, with_lost: bool
) -> int:
    """The first grant for the own face such that all the disc touches is granted; -1 if none."""
    n_word = rules.masks.shape[1]
    for w in range(n_word):
        here = _grants(rules, kinds, clock, i, variant, w, with_lost)
        here &= places.face_bits[places.own[i], w]
        while here != _NOTHING:
            r = w * _WORD + lowest_bit(here)
            touched = places.touched[i, rules.guard[r]]
            is_granted = True
            for position in range(places.face_start[touched], places.face_start[touched + 1]):
                face = places.faces[position]
                is_granted = False
                for v in range(n_word):
                    bits = _grants(rules, kinds, clock, i, variant, v, with_lost)
                    if bits & places.face_bits[face, v] != _NOTHING:
                        is_granted = True
                        break
                if not is_granted:
                    break
            if is_granted:
                return int(r)
            here &= here - _ONE
    return -1


@njit(cache=True, nogil=True)
def _lost_grant(
    rules: Rules, places: Places, kinds: Kinds, clock: Clock, i: int, variant: int, passing: int
) -> int:
    """The first grant lost to silence on the faces that `passing` would be judged by."""
    touched = places.touched[i, rules.guard[passing]]
    for w in range(rules.masks.shape[1]):
        lost = _grants(rules, kinds, clock, i, variant, w, True) & clock.lost[variant, w]
        on_ground = _NOTHING
        for position in range(places.face_start[touched], places.face_start[touched + 1]):
            on_ground |= places.face_bits[places.faces[position], w]
        lost &= on_ground
        if lost != _NOTHING:
            return int(w * _WORD + lowest_bit(lost))
    return -1


@njit(cache=True, nogil=True)
def remember(
    rules: Rules,
    places: Places,
    flags: Column,
    readings: Readings,
    memory: Remembered,
    at_us: int,
    today: int,
) -> None:
    """Put this moment into a memory, in place: since when over, what holds on, days on ground."""
    for i in range(flags.shape[0]):
        for r in range(rules.gate.shape[0]):
            slot = rules.motion_slot[r]
            if slot >= 0:
                is_over = _is_over(rules, readings, i, r)
                if not is_over:
                    memory.over_since_us[i, slot] = NEVER
                elif memory.over_since_us[i, slot] == NEVER:
                    memory.over_since_us[i, slot] = at_us
                if np.isnan(rules.clear_kmh[r]):
                    is_clear = not is_over
                else:
                    is_clear = (
                        readings.altitude_m[i] <= rules.over_altitude_m[r]
                        or readings.speed_kmh[i] < rules.clear_kmh[r]
                    )
                bites = is_over and at_us >= memory.over_since_us[i, slot] + rules.for_us[r]
                memory.blocked[i, slot] = bites or (memory.blocked[i, slot] and not is_clear)
            slot = rules.day_slot[r]
            if slot >= 0 and not flags[i] & FLAG_UNKNOWN and memory.last_day[i, slot] != today:
                bits = places.set_bits[places.touched[i, rules.guard[r]], r // _WORD]
                if (bits >> np.uint64(r % _WORD)) & _ONE != _NOTHING:
                    memory.days[i, slot] += 1
                    memory.last_day[i, slot] = today
