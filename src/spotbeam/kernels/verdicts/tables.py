"""Tables that the verdict kernel reads: rules, ground, terminals, the clock and the memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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

# What thresholds a rule has, as `Rules.asks` has it.
ASKS_MOTION, ASKS_MORE = 1, 2


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
        asks: Which thresholds the rule has: `ASKS_MOTION`, `ASKS_MORE`.
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
    asks: npt.NDArray[np.uint8]
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
        word_start, words, word_bits: The words that are not empty for a set, from
            `word_start[set]` up to `word_start[set + 1]`, and, for a face alone, their bits.
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
    word_bits: Bits
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
        has_dark, has_lost: Whether there are any at all.
    """

    stands: Bits
    dark: Bits
    lost: Bits
    has_dark: bool
    has_lost: bool


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
