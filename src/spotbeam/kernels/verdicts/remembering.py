"""What is remembered of a moment, over columns."""

from __future__ import annotations

import numpy as np
from numba import njit

from spotbeam.kernels.verdicts.bits import NOTHING, ONE, WORD
from spotbeam.kernels.verdicts.tables import (
    FLAG_UNKNOWN,
    NEVER,
    Column,
    Places,
    Readings,
    Remembered,
    Rules,
)


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
                bits = set_bits[touched[i, guard[r]], r // WORD]
                if (bits >> np.uint64(r % WORD)) & ONE != NOTHING:
                    days[i, slot] += 1
                    last_day[i, slot] = today
