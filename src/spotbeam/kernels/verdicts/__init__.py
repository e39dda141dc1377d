"""The verdict of `service.verdict` over columns: tens of millions of terminals a second and core.

Rules are bits. They stand in the order in which gates are asked (exempts first), 64 to a word, so
that the lowest bit that denies is the one that decides. For each terminal the bits of the rules on
its ground, for its kind, and in force are ANDed; only what is left is looked at one by one.

`service.verdict` is the oracle of this module, and says what each step means.
"""

from spotbeam.kernels.verdicts.bits import lowest_bit
from spotbeam.kernels.verdicts.deciding import decide, distance_km
from spotbeam.kernels.verdicts.kinds import kinds_of
from spotbeam.kernels.verdicts.remembering import remember
from spotbeam.kernels.verdicts.tables import (
    ALLOW,
    ASKS_MORE,
    ASKS_MOTION,
    DENY,
    DENYING,
    EXEMPT,
    FLAG_UNKNOWN,
    GRANT,
    GUARD_BAND,
    LIMIT,
    LIMITING,
    NEVER,
    NO_DAY,
    NOT_AUTHORISED,
    OK,
    POLICY_STALE,
    TERRITORY,
    TERRITORY_DENYING,
    UNKNOWN_LOCATION,
    Bits,
    Clock,
    Ints,
    Kinds,
    Places,
    Readings,
    Remembered,
    Rules,
)

__all__ = [
    "ALLOW",
    "ASKS_MORE",
    "ASKS_MOTION",
    "DENY",
    "DENYING",
    "EXEMPT",
    "FLAG_UNKNOWN",
    "GRANT",
    "GUARD_BAND",
    "LIMIT",
    "LIMITING",
    "NEVER",
    "NOT_AUTHORISED",
    "NO_DAY",
    "OK",
    "POLICY_STALE",
    "TERRITORY",
    "TERRITORY_DENYING",
    "UNKNOWN_LOCATION",
    "Bits",
    "Clock",
    "Ints",
    "Kinds",
    "Places",
    "Readings",
    "Remembered",
    "Rules",
    "decide",
    "distance_km",
    "kinds_of",
    "lowest_bit",
    "remember",
]
