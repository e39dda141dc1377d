"""The gates, over columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from spotbeam.kernels.verdicts.bits import NOTHING, ONE, WORD, lowest_bit
from spotbeam.kernels.verdicts.tables import (
    ALLOW,
    ASKS_MORE,
    ASKS_MOTION,
    DENY,
    EXEMPT,
    FLAG_ACCOUNT,
    FLAG_DISTRESS,
    FLAG_PROTECTED,
    FLAG_UNKNOWN,
    GRANT,
    GUARD_BAND,
    LIMIT,
    LIMITING,
    NOT_AUTHORISED,
    OK,
    POLICY_STALE,
    TERRITORY,
    TERRITORY_DENYING,
    UNKNOWN_LOCATION,
    Bits,
    Clock,
    Column,
    Ints,
    Kinds,
    Places,
    Readings,
    Remembered,
    Rules,
)


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
    word_bits = places.word_bits
    no_grant_reason, grants, guard = places.no_grant_reason, rules.grants, rules.guard
    all_flags, who_bits, who = kinds.flags, kinds.who_bits, kinds.who
    stands, dark_bits, lost = clock.stands, clock.dark, clock.lost
    speed_kmh, altitude_m = readings.speed_kmh, readings.altitude_m
    assurance, position_error_m = readings.assurance, readings.position_error_m
    lat_deg, lon_deg, over_km = readings.lat_deg, readings.lon_deg, rules.over_km
    service_lat_deg, service_lon_deg = readings.service_lat_deg, readings.service_lon_deg
    is_settled, served, blocked = memory.is_settled, memory.served, memory.blocked
    days, data_gb = memory.days, memory.data_gb
    n_face, n_guard, n_group = face_bits.shape[0], touched.shape[1], who.shape[1]
    has_dark, has_lost = clock.has_dark, clock.has_lost
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
        is_alone = widest < n_face  # all that the widest disc touches is its own face
        lifted = 0
        deny = dark = own_deny = edge_deny = territory_dark = limit = grant = -1
        for position in range(word_start[widest], word_start[widest + 1]):
            w = words[position]
            ground = NOTHING
            if is_alone:
                ground = word_bits[position]
            else:
                for k in range(n_guard):
                    ground |= set_bits[touched[i, k], w] & guard_masks[k, w]
            bits = ground & stands[variant, w]
            for group in range(n_group):
                bits &= who_bits[who[i, group], w]
            while bits != NOTHING:
                r = w * WORD + lowest_bit(bits)
                bit = bits & (~bits + ONE)
                bits ^= bit
                asked = asks[r]
                if asked & ASKS_MOTION:
                    if is_settled:
                        is_over = speed_kmh[i] > over_kmh[r]
                        if not (is_over and altitude_m[i] > over_altitude_m[r]):
                            continue
                    elif not blocked[i, motion_slot[r]]:
                        continue
                if asked & ASKS_MORE:
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
                    if grant < 0 and (is_alone or face_bits[own, w] & bit != NOTHING):
                        grant = r
                elif does == EXEMPT:
                    lifted |= lifts[r]
                elif does == TERRITORY_DENYING:
                    if edge_deny < 0:
                        edge_deny = r
                    if own_deny < 0 and (is_alone or face_bits[own, w] & bit != NOTHING):
                        own_deny = r
                elif (lifted >> gate[r]) & 1 == 0:
                    if does == LIMITING:
                        if limit < 0 or limit_rank[r] < limit_rank[limit]:
                            limit = r
                    elif deny < 0:
                        deny = r
            if has_dark:
                found = ground & dark_bits[variant, w]
                while found != NOTHING:
                    r = w * WORD + lowest_bit(found)
                    if gate[r] == TERRITORY:
                        if territory_dark < 0:
                            territory_dark = r
                    elif dark < 0 and (lifted >> gate[r]) & 1 == 0:
                        dark = r
                    found &= found - ONE
            if deny >= 0:
                break  # words further on hold this gate and later ones only
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
                if is_alone:
                    passing = grant
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
        here &= stands[variant, own_word] | (lost[variant, own_word] if with_lost else NOTHING)
        for group in range(who.shape[1]):
            here &= who_bits[who[i, group], own_word]
        while here != NOTHING:
            r = own_word * WORD + lowest_bit(here)
            here &= here - ONE
            disc = touched[i, guard[r]]
            all_granted = True
            first_lost = n_word * WORD
            for position in range(face_start[disc], face_start[disc + 1]):
                is_granted = False
                for w in range(n_word):
                    bits = grants[w] & face_bits[faces[position], w]
                    if bits == NOTHING:
                        continue
                    for group in range(who.shape[1]):
                        bits &= who_bits[who[i, group], w]
                    is_granted |= bits & stands[variant, w] != NOTHING
                    bits &= lost[variant, w]
                    if with_lost and bits != NOTHING:
                        is_granted = True
                        first_lost = min(first_lost, w * WORD + lowest_bit(bits))
                all_granted &= is_granted
            if all_granted:
                return first_lost if with_lost else int(r)
    return -1
