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

# What a rule does, as `Rules.role` has it.
EXEMPT, GRANT, LIMITING, DENYING, TERRITORY_DENYING = range(5)

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORD = 64


class Rules(NamedTuple):
    """The rules of a policy, n_rule of them in n_word words, in the kernel's order.

    Attributes:
        grants: Which rules are grants, shape (n_word,).
        role: Shape (n_rule,) as all that follow; see `EXEMPT` and the names after it.
        place: Place in the policy's order.
        gate, reason: Codes.
        lifts: The gates that an exempt opens, one bit each.
        guard: Which guard width the rule asks for: place in the widths, smallest first.
        limit_rank: Limits from the tightest on; equal ones in the policy's order.
        max_mbps: NaN for all but limits.
        asks: Whether the rule has thresholds.
        over_kmh, over_altitude_m, below_assurance, over_error_m, over_km, over_days, over_gb:
            Thresholds; where a rule does not ask, a value that any number passes.
        asks_km: Whether the rule asks for a distance.
        motion_slot, day_slot: Column of the memory; -1 where the rule remembers nothing.
        clear_kmh: Speed below which a rule clears; NaN: as soon as it is not over.
        for_us: How long speed and altitude must have been over.
    """

    grants: Bits
    role: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int16]
    gate: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]
    lifts: npt.NDArray[np.uint16]
    guard: Ints
    limit_rank: Ints
    max_mbps: npt.NDArray[np.float32]
    asks: npt.NDArray[np.bool_]
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
    # Local names: numba counts references whenever a tuple of arrays is handed on or opened, and
    # that alone took 400 ns a terminal.
    role, place, gate, asks = rules.role, rules.place, rules.gate, rules.asks
    reasons, limits_mbps = rules.reason, rules.max_mbps
    over_kmh, over_altitude_m = rules.over_kmh, rules.over_altitude_m
    motion_slot, day_slot, over_days = rules.motion_slot, rules.day_slot, rules.over_days
    over_gb, over_error_m, asks_km = rules.over_gb, rules.over_error_m, rules.asks_km
    below_assurance, lifts, limit_rank = rules.below_assurance, rules.lifts, rules.limit_rank
    face_bits, set_bits, guard_masks = places.face_bits, places.set_bits, places.guard_masks
    word_start, words, face_start = places.word_start, places.words, places.face_start
    touched, own_face, faces = places.touched, places.own, places.faces
    no_grant_reason, grants, guard = places.no_grant_reason, rules.grants, rules.guard
    all_flags, who_bits, who = kinds.flags, kinds.who_bits, kinds.who
    stands, dark_bits, lost = clock.stands, clock.dark, clock.lost
    speed_kmh, altitude_m = readings.speed_kmh, readings.altitude_m
    assurance, position_error_m = readings.assurance, readings.position_error_m
    lat_deg, lon_deg, over_km = readings.lat_deg, readings.lon_deg, rules.over_km
    service_lat_deg, service_lon_deg = readings.service_lat_deg, readings.service_lon_deg
    is_settled, served, blocked = memory.is_settled, memory.served, memory.blocked
    days, data_gb = memory.days, memory.data_gb
    n_guard, n_group = touched.shape[1], who.shape[1]
    has_dark = np.any(dark_bits != _NOTHING)
    has_lost = np.any(lost != _NOTHING)
    for i in range(outcome.shape[0]):
        flags = all_flags[i]
        outcome[i] = DENY
        rule[i] = -1
        max_mbps[i] = np.nan
        if flags & (FLAG_ACCOUNT | FLAG_DISTRESS | FLAG_UNKNOWN):
            if flags & FLAG_ACCOUNT:
                reason[i] = flags & FLAG_ACCOUNT  # the account reasons stand first among the codes
            elif flags & FLAG_DISTRESS:
                outcome[i], reason[i] = ALLOW, OK
            else:
                reason[i] = UNKNOWN_LOCATION
            continue
        variant = 0
        if flags & FLAG_PROTECTED:
            variant = 2 if is_settled or served[i] else 1
        own, widest = own_face[i], touched[i, n_guard - 1]
        lifted = 0
        deny = dark = own_deny = edge_deny = territory_dark = limit = grant = -1
        for position in range(word_start[widest], word_start[widest + 1]):
            w = words[position]
            ground = set_bits[touched[i, 0], w]
            if n_guard > 1:
                ground &= guard_masks[0, w]
                for k in range(1, n_guard):
                    ground |= set_bits[touched[i, k], w] & guard_masks[k, w]
            bits = ground & stands[variant, w]
            for group in range(n_group):
                bits &= who_bits[who[i, group], w]
            while bits != _NOTHING:
                r = w * _WORD + lowest_bit(bits)
                bit = bits & (~bits + _ONE)
                bits ^= bit
                if asks[r]:
                    if motion_slot[r] >= 0:
                        if is_settled:
                            is_over = speed_kmh[i] > over_kmh[r]
                            if not (is_over and altitude_m[i] > over_altitude_m[r]):
                                continue
                        elif not blocked[i, motion_slot[r]]:
                            continue
                    if day_slot[r] >= 0:
                        days_here = 1 if is_settled else days[i, day_slot[r]]
                        if not days_here > over_days[r]:
                            continue
                    used_gb = 0.0 if is_settled else data_gb[i]
                    if not used_gb > over_gb[r]:
                        continue
                    if not assurance[i] < below_assurance[r]:
                        continue
                    if not position_error_m[i] > over_error_m[r]:
                        continue
                    if asks_km[r]:
                        away_km = distance_km(
                            lat_deg[i], lon_deg[i], service_lat_deg[i], service_lon_deg[i]
                        )
                        if not away_km > over_km[r]:
                            continue
                does = role[r]
                if does == GRANT:
                    if grant < 0 and face_bits[own, w] & bit != _NOTHING:
                        grant = r
                elif does == EXEMPT:
                    lifted |= lifts[r]
                elif does == TERRITORY_DENYING:
                    if edge_deny < 0:
                        edge_deny = r
                    if own_deny < 0 and face_bits[own, w] & bit != _NOTHING:
                        own_deny = r
                elif (lifted >> gate[r]) & 1 == 0:
                    if does == LIMITING:
                        if limit < 0 or limit_rank[r] < limit_rank[limit]:
                            limit = r
                    elif deny < 0:
                        deny = r
            if has_dark:
                found = ground & dark_bits[variant, w]
                while found != _NOTHING:
                    r = w * _WORD + lowest_bit(found)
                    if gate[r] == TERRITORY:
                        if territory_dark < 0:
                            territory_dark = r
                    elif dark < 0 and (lifted >> gate[r]) & 1 == 0:
                        dark = r
                    found &= found - _ONE
            if deny >= 0 and gate[deny] < TERRITORY:
                break  # words further on hold later gates only
        # A gate's own denials come before the darkness of stale rules at the same gate.
        code, by = OK, deny
        if deny >= 0 and (dark < 0 or gate[deny] <= gate[dark]):
            code = reasons[deny]
        elif dark >= 0:
            code, by = POLICY_STALE, dark
        if by < 0 or gate[by] > TERRITORY:
            # The territory gate: the cases in the order of `service.verdict._territory_denial`.
            passing = lost_grant = -1
            if own_deny < 0 and (grant < 0 or edge_deny < 0):
                if face_start[widest + 1] - face_start[widest] == 1:
                    passing = grant  # all that the disc touches is its own face
                elif grant >= 0:
                    passing = passing_grant(
                        grants, guard, face_bits, face_start, faces, who_bits, who, stands, lost,
                        touched, own, i, variant, False,
                    )  # fmt: skip
                if passing < 0 and has_lost and edge_deny < 0:
                    lost_grant = passing_grant(
                        grants, guard, face_bits, face_start, faces, who_bits, who, stands, lost,
                        touched, own, i, variant, True,
                    )  # fmt: skip
            if own_deny >= 0:
                code, by = NOT_AUTHORISED, own_deny
            elif grant >= 0 and edge_deny >= 0:
                code, by = GUARD_BAND, edge_deny
            elif lost_grant >= 0:
                code, by = POLICY_STALE, lost_grant
            elif passing < 0:
                code, by = (GUARD_BAND, grant) if grant >= 0 else (no_grant_reason[own], -1)
            elif territory_dark >= 0:
                code, by = POLICY_STALE, territory_dark
            grant = passing
        if code != OK:
            reason[i] = code
            if by >= 0:
                rule[i] = place[by]
        elif limit >= 0:
            outcome[i], reason[i], rule[i] = LIMIT, reasons[limit], place[limit]
            max_mbps[i] = limits_mbps[limit]
        else:
            outcome[i], reason[i], rule[i] = ALLOW, OK, place[grant]


@njit(cache=True, nogil=True)
def distance_km(
    from_lat_deg: float, from_lon_deg: float, to_lat_deg: float, to_lon_deg: float
) -> Any:
    """As `service.position.distance_km`, operation for operation."""
    from_lat, to_lat = np.radians(from_lat_deg), np.radians(np.float64(to_lat_deg))
    half_north = np.sin((to_lat - from_lat) / 2.0)
    half_east = np.sin(np.radians(np.float64(to_lon_deg) - from_lon_deg) / 2.0)
    square = half_north * half_north + np.cos(from_lat) * np.cos(to_lat) * half_east * half_east
    if square > 1.0:
        square = 1.0
    return 2.0 * 6371.0088 * np.arcsin(np.sqrt(square))


@njit(cache=True, nogil=True)
def passing_grant(
    grants: Bits,
    guard: Ints,
    face_bits: Bits,
    face_start: Ints,
    faces: Ints,
    who_bits: Bits,
    who: Ints,
    stands: Bits,
    lost: Bits,
    touched: Ints,
    own: int,
    i: int,
    variant: int,
    with_lost: bool,
) -> int:
    """The first grant for the own face such that all the disc touches is granted; -1 if none.

    Args:
        with_lost: Count the grants lost to silence as well, and return the first of those without
            which the gate does not pass.
    """
    n_word = grants.shape[0]
    for own_word in range(n_word):
        here = grants[own_word] & face_bits[own, own_word]
        here &= stands[variant, own_word] | (lost[variant, own_word] if with_lost else _NOTHING)
        for group in range(who.shape[1]):
            here &= who_bits[who[i, group], own_word]
        while here != _NOTHING:
            r = own_word * _WORD + lowest_bit(here)
            here &= here - _ONE
            disc = touched[i, guard[r]]
            all_granted = True
            first_lost = n_word * _WORD
            for position in range(face_start[disc], face_start[disc + 1]):
                is_granted = False
                for w in range(n_word):
                    bits = grants[w] & face_bits[faces[position], w]
                    if bits == _NOTHING:
                        continue
                    for group in range(who.shape[1]):
                        bits &= who_bits[who[i, group], w]
                    is_granted |= bits & stands[variant, w] != _NOTHING
                    bits &= lost[variant, w]
                    if with_lost and bits != _NOTHING:
                        is_granted = True
                        first_lost = min(first_lost, w * _WORD + lowest_bit(bits))
                all_granted &= is_granted
            if all_granted:
                return first_lost if with_lost else int(r)
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
    motion_slot, day_slot, clear_kmh = rules.motion_slot, rules.day_slot, rules.clear_kmh
    over_kmh, over_altitude_m, for_us = rules.over_kmh, rules.over_altitude_m, rules.for_us
    over_since_us, blocked = memory.over_since_us, memory.blocked
    days, last_day = memory.days, memory.last_day
    set_bits, touched, guard = places.set_bits, places.touched, rules.guard
    for i in range(flags.shape[0]):
        speed_kmh, altitude_m = readings.speed_kmh[i], readings.altitude_m[i]
        for r in range(motion_slot.shape[0]):
            slot = motion_slot[r]
            if slot >= 0:
                is_over = speed_kmh > over_kmh[r] and altitude_m > over_altitude_m[r]
                if not is_over:
                    over_since_us[i, slot] = NEVER
                elif over_since_us[i, slot] == NEVER:
                    over_since_us[i, slot] = at_us
                is_clear = not is_over
                if not np.isnan(clear_kmh[r]):
                    is_clear = altitude_m <= over_altitude_m[r] or speed_kmh < clear_kmh[r]
                bites = is_over and at_us >= over_since_us[i, slot] + for_us[r]
                blocked[i, slot] = bites or (blocked[i, slot] and not is_clear)
            slot = day_slot[r]
            if slot >= 0 and not flags[i] & FLAG_UNKNOWN and last_day[i, slot] != today:
                bits = set_bits[touched[i, guard[r]], r // _WORD]
                if (bits >> np.uint64(r % _WORD)) & _ONE != _NOTHING:
                    days[i, slot] += 1
                    last_day[i, slot] = today
