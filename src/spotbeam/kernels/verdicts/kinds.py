"""What kind of terminal each is, as rows of a table of rules."""

from __future__ import annotations

import numpy as np
from numba import njit

from spotbeam.kernels.verdicts.tables import (
    FLAG_ACCOUNT,
    FLAG_DISTRESS,
    FLAG_PROTECTED,
    FLAG_UNKNOWN,
    Column,
    Ints,
)


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
