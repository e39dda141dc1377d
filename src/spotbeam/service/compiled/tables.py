"""A policy over its ground, compiled: rules as bits, in the order in which the kernel asks them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spotbeam.kernels import verdicts as kernel
from spotbeam.service.conditions import stands_while_stale
from spotbeam.service.policy import Policy, is_stale
from spotbeam.service.position import GroundLike, Ids, is_at_sea
from spotbeam.service.rules import GATES, Effect, Gate, Rule, Thresholds
from spotbeam.service.rules.decoding import refuse_unknown_territories
from spotbeam.service.validity import clock_moments_us
from spotbeam.service.verdict import REASONS, deny_reason
from spotbeam.times import MICROSECONDS, from_datetime

_NO_LIMIT = -np.inf


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class CompiledPolicy:
    """A policy joined with its ground, ready to decide columns of terminals.

    Attributes:
        order: The policy's rules in the kernel's order, by their place in the policy.
        rules: Tables of the kernel, in its order.
        face_bits: Rules that cover a face of the ground, shape (n_face, n_word).
        no_grant_reason: What a face answers without a grant and without a request.
        guards_km: Guard widths that rules ask for, smallest first.
        guard_masks: Rules that ask for each of them, shape (n_guard, n_word).
        motion_rules, day_rules: Ids of the rules that remember, by column of the memory.
        asking: By attribute of a terminal: the rules (bits) that do not ask for it, and those that
            accept each value that any of them names.
    """

    policy: Policy
    ground: GroundLike
    order: tuple[int, ...]
    rules: kernel.Rules
    face_bits: kernel.Bits
    no_grant_reason: npt.NDArray[np.uint8]
    guards_km: tuple[float, ...]
    guard_masks: kernel.Bits
    motion_rules: tuple[str, ...]
    day_rules: tuple[str, ...]
    asking: Mapping[str, tuple[int, Mapping[str, int]]]

    @property
    def ordered(self) -> list[Rule]:
        """The rules in the kernel's order."""
        return [self.policy.rules[place] for place in self.order]


def compile_policy(policy: Policy, ground: GroundLike) -> CompiledPolicy:
    """Compile a policy for one ground.

    Raises:
        RuleError: a rule names a territory that the ground does not have.
    """
    refuse_unknown_territories(policy.rules, ground.ids(), "policy")
    order = sorted(range(len(policy.rules)), key=lambda place: _turn(policy.rules[place]))
    rules = [policy.rules[place] for place in order]
    guards_km = policy.guards_km()
    motion = [rule.id for rule in policy.rules if rule.thresholds.has_motion]
    days = [rule.id for rule in policy.rules if rule.thresholds.over_days is not None]
    return CompiledPolicy(
        policy=policy,
        ground=ground,
        order=tuple(order),
        rules=_rule_tables(rules, order, guards_km, motion, days),
        face_bits=_face_bits(rules, ground.face_territories),
        no_grant_reason=_no_grant_reasons(ground.face_territories),
        guards_km=guards_km,
        guard_masks=np.stack(
            [mask(rules, (rule.guard_km == width for rule in rules)) for width in guards_km]
        ),
        motion_rules=tuple(motion),
        day_rules=tuple(days),
        asking={column: _asking(rules, column) for column in _ASKED},
    )


_ASKED = ("fleet", "sponsor", "registrant_country", "plan", "mobility", "protection", "account")


def _asking(rules: Sequence[Rule], column: str) -> tuple[int, dict[str, int]]:
    indifferent = 0
    naming: dict[str, int] = {}
    for number, rule in enumerate(rules):
        asked = getattr(rule.who, column)
        if not asked:
            indifferent |= 1 << number
        for name in asked:
            naming[name] = naming.get(name, 0) | 1 << number
    return indifferent, naming


def _turn(rule: Rule) -> int:
    """Exempts first, then gate by gate; the sort is stable, so the policy's order stays within."""
    return -1 if rule.gate is None else GATES.index(rule.gate)


def n_words(n_rules: int) -> int:
    """How many words of 64 bits hold a bit for each rule."""
    return max(1, -(-n_rules // 64))


def to_words(bits: int, n_rules: int) -> kernel.Bits:
    """A Python integer as words of 64 bits, the lowest first."""
    count = n_words(n_rules)
    return np.frombuffer(bits.to_bytes(8 * count, "little"), dtype="<u8").astype(np.uint64)


def mask(rules: Sequence[Rule], chosen: Iterable[bool]) -> kernel.Bits:
    """One bit a rule, in the order given."""
    bits = sum(1 << number for number, is_chosen in enumerate(chosen) if is_chosen)
    return to_words(bits, len(rules))


def _rule_tables(
    rules: Sequence[Rule],
    order: Sequence[int],
    guards_km: Sequence[float],
    motion: Sequence[str],
    days: Sequence[str],
) -> kernel.Rules:
    asked = [rule.thresholds for rule in rules]

    def floats(values: Iterable[float | None], absent: float) -> npt.NDArray[np.float64]:
        return np.array([absent if value is None else value for value in values], dtype=np.float64)

    return kernel.Rules(
        grants=mask(rules, (rule.effect is Effect.GRANT for rule in rules)),
        role=np.array([_role(rule) for rule in rules], np.uint8),
        place=np.array(order, dtype=np.int16),
        gate=np.array([0 if r.gate is None else GATES.index(r.gate) for r in rules], np.uint8),
        reason=np.array([REASONS.index(deny_reason(rule)) for rule in rules], np.uint8),
        lifts=np.array([sum(1 << GATES.index(g) for g in set(r.lifts)) for r in rules], np.uint16),
        guard=np.array([guards_km.index(rule.guard_km) for rule in rules], np.int32),
        limit_rank=_limit_ranks(rules, order),
        max_mbps=floats((rule.max_mbps for rule in rules), np.nan).astype(np.float32),
        asks=np.array([_asks(t) for t in asked], np.uint8),
        over_kmh=floats((t.over_kmh for t in asked), _NO_LIMIT),
        over_altitude_m=floats((t.over_altitude_m for t in asked), _NO_LIMIT),
        below_assurance=np.array(
            [255 if t.below_assurance is None else t.below_assurance for t in asked], np.uint8
        ),
        over_error_m=floats((t.over_position_error_m for t in asked), _NO_LIMIT),
        over_km=floats((t.over_km_from_service_address for t in asked), 0.0),
        asks_km=np.array([t.over_km_from_service_address is not None for t in asked], np.bool_),
        over_days=np.array([t.over_days or 0 for t in asked], np.int32),
        over_gb=floats((t.over_gb for t in asked), _NO_LIMIT),
        motion_slot=_slots(rules, motion),
        day_slot=_slots(rules, days),
        clear_kmh=floats((t.clear_below_kmh for t in asked), np.nan),
        for_us=np.array([round((t.for_s or 0.0) * MICROSECONDS) for t in asked], np.int64),
    )


def _role(rule: Rule) -> int:
    if rule.effect is Effect.DENY and rule.gate is Gate.TERRITORY:
        return kernel.TERRITORY_DENYING
    return {
        Effect.EXEMPT: kernel.EXEMPT,
        Effect.GRANT: kernel.GRANT,
        Effect.LIMIT: kernel.LIMITING,
        Effect.DENY: kernel.DENYING,
    }[rule.effect]


def _asks(asked: Thresholds) -> int:
    motion = {"over_kmh", "clear_below_kmh", "for_s", "over_altitude_m"}
    more = any(
        getattr(asked, name) is not None for name in asked.__struct_fields__ if name not in motion
    )
    return kernel.ASKS_MOTION * asked.has_motion | kernel.ASKS_MORE * more


def _slots(rules: Sequence[Rule], ids: Sequence[str]) -> kernel.Ints:
    slot = {name: number for number, name in enumerate(ids)}
    return np.array([slot.get(rule.id, -1) for rule in rules], np.int32)


def _limit_ranks(rules: Sequence[Rule], order: Sequence[int]) -> kernel.Ints:
    by_width = sorted(
        range(len(rules)), key=lambda number: (rules[number].max_mbps or 0.0, order[number])
    )
    ranks = np.empty(len(rules), dtype=np.int32)
    ranks[by_width] = np.arange(len(rules))
    return ranks


def _face_bits(rules: Sequence[Rule], faces: Sequence[Ids]) -> kernel.Bits:
    """`Rule.covers` for every face at once: rules by the territory that they name."""
    everywhere = sum(1 << number for number, rule in enumerate(rules) if not rule.where)
    named: dict[str, int] = {}
    taken_out: dict[str, int] = {}
    for number, rule in enumerate(rules):
        for name in rule.where:
            named[name] = named.get(name, 0) | 1 << number
        for name in rule.except_:
            taken_out[name] = taken_out.get(name, 0) | 1 << number
    table = np.empty((len(faces), n_words(len(rules))), dtype=np.uint64)
    for face, ids in enumerate(faces):
        bits, out = everywhere, 0
        for name in ids:
            bits |= named.get(name, 0)
            out |= taken_out.get(name, 0)
        table[face] = to_words(bits & ~out, len(rules))
    return table


# Rows of the clock's tables: who a stale rule may treat differently.
_VARIANTS = ((False, False), (True, False), (True, True))  # (protected, served)


def clock(compiled: CompiledPolicy, at_us: int) -> kernel.Clock:
    """What of the rules stands at a moment, for the unprotected and the protected."""
    policy, rules = compiled.policy, compiled.ordered
    stands, dark, lost = [], [], []
    if not any(is_stale(rule, policy, at_us) for rule in rules):
        standing = mask(rules, (rule.in_force(at_us) for rule in rules))
        nothing = np.zeros((len(_VARIANTS), standing.size), dtype=np.uint64)
        return kernel.Clock(nothing + standing, nothing, nothing, False, False)
    for protected, served in _VARIANTS:
        stands_now, dark_now, lost_now = [], [], []
        for rule in rules:
            in_force = rule.in_force(at_us)
            stale = is_stale(rule, policy, at_us) and rule.on_stale != "hold"
            works = not stale or stands_while_stale(rule, protected=protected, served=served)
            restricts = rule.effect in (Effect.DENY, Effect.LIMIT)
            spared = protected and (served or rule.on_stale == "allow_protected")
            stands_now.append(in_force and works)
            dark_now.append(in_force and stale and restricts and not spared)
            lost_now.append(in_force and not works and rule.effect is Effect.GRANT)
        stands.append(mask(rules, stands_now))
        dark.append(mask(rules, dark_now))
        lost.append(mask(rules, lost_now))
    return kernel.Clock(
        np.stack(stands), np.stack(dark), np.stack(lost), bool(np.any(dark)), bool(np.any(lost))
    )


def no_grant_reasons(compiled: CompiledPolicy, at_us: int) -> npt.NDArray[np.uint8]:
    """What each face answers where nothing grants it: shape (n_face,), codes of `REASONS`."""
    is_open = [request.verb == "activate" for request in compiled.policy.requests]
    if not any(is_open):
        return compiled.no_grant_reason
    reasons = compiled.no_grant_reason.copy()
    for face, ids in enumerate(compiled.ground.face_territories):
        if compiled.policy.has_open_request("activate", ids, at_us):
            reasons[face] = REASONS.index("PENDING_AUTHORISATION")
    return reasons


def _no_grant_reasons(faces: Sequence[Ids]) -> npt.NDArray[np.uint8]:
    """As `no_grant_reasons`, where nobody asked for anything."""
    codes = {at_sea: REASONS.index(name) for at_sea, name in _AT_SEA.items()}
    return np.array([codes[is_at_sea(ids)] for ids in faces], dtype=np.uint8)


_AT_SEA = {True: "IN_OCEAN", False: "NOT_AUTHORISED"}


def next_moments_us(compiled: CompiledPolicy, at_us: int) -> dict[int, int]:
    """The next moment of each rule (in the kernel's order) that follows the clock."""
    moments = {
        number: [m for m in clock_moments_us(rule, compiled.policy, at_us) if m > at_us]
        for number, rule in enumerate(compiled.ordered)
    }
    return {number: min(found) for number, found in moments.items() if found}


def next_requests_us(compiled: CompiledPolicy, at_us: int) -> npt.NDArray[np.int64] | None:
    """By face: when the next request about it opens; None if none is still to open."""
    later = [
        (from_datetime(request.since), request)
        for request in compiled.policy.requests
        if from_datetime(request.since) > at_us
    ]
    if not later:
        return None
    table = np.full(len(compiled.ground.face_territories), kernel.NEVER, dtype=np.int64)
    for face, ids in enumerate(compiled.ground.face_territories):
        for since_us, request in later:
            if any(name in request.where for name in ids):
                table[face] = min(table[face], since_us)
    return table
