"""The terminals that a change is tried on where nobody's own terminals are at hand.

A small set that every change is tried on, and for each rule that the change touches somebody whom
that rule names, so that a rule about one fleet does not pass as one about nobody. Numbers are far
past the rule's thresholds, so that no rounding decides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from spotbeam.service.compiled import CompiledPolicy, MemoryColumns
from spotbeam.service.policy import Policy, Sponsor, TerminalList
from spotbeam.service.rules import DAY_US, Gate, Rule
from spotbeam.service.terminals import Account, Mobility, Protection, Terminals
from spotbeam.times import to_datetime
from spotbeam.twin.impact.area import Floats

LAPSED = "a-sponsor-whose-term-ended"
_FAST_KMH = 90.0
_PAST_KMH, _PAST_M, _PAST_KM = 15.0, 100.0, 20.0
_KM_PER_DEGREE = 110.0


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up terminal, tried at every cell's point; fields as in `service.terminals.Terminal`.

    Attributes:
        name: What the impact calls it.
        lists: The lists that it is on.
        away_km: How far off its service address is; None: it has none.
        days: Days that it has spent on a rule's ground; `data_gb`: data that it has used.
    """

    name: str
    fleet: str = "default"
    sponsor: str = ""
    registrant_country: str = ""
    mobility: Mobility = Mobility.FIXED
    protection: Protection = Protection.NONE
    verified: bool = True
    account: Account = Account.ACTIVE
    plan: str = "standard"
    assurance: int = 3
    position_error_m: float = 0.0
    speed_kmh: float = 0.0
    altitude_m: float = 0.0
    away_km: float | None = None
    days: int = 1
    data_gb: float = 0.0
    lists: tuple[str, ...] = ()


STANDARD: tuple[Reference, ...] = (
    Reference(name="ordinary"),
    Reference(name="unverified", verified=False),
    Reference(name="medical", protection=Protection.MEDICAL),
    Reference(name="maritime", mobility=Mobility.MARITIME, speed_kmh=26.0),
    Reference(name="moving", mobility=Mobility.LAND, speed_kmh=90.0),
    Reference(name="moving-unverified", mobility=Mobility.LAND, speed_kmh=90.0, verified=False),
)
"""Fixed and at rest unless it says otherwise; verified, active, unprotected, its place known."""


def references_for(rules: Sequence[Rule], sponsors: Sequence[str] = ()) -> tuple[Reference, ...]:
    """The standard ones, and those whom these rules name, each once.

    Args:
        rules: Every wording, old and new, of the rules that a change touches.
        sponsors: Sponsors that it touches.
    """
    found = list(STANDARD)
    seen = {msgspec.structs.replace(each, name="") for each in found}
    for rule in rules:
        for made in _named_by(rule, sponsors):
            bare = msgspec.structs.replace(made, name="")
            if bare not in seen:
                seen.add(bare)
                found.append(made)
    names: dict[str, int] = {}
    unique = []
    for each in found:
        names[each.name] = names.get(each.name, 0) + 1
        number = names[each.name]
        name = each.name if number == 1 else f"{each.name} ({number})"
        unique.append(msgspec.structs.replace(each, name=name))
    return tuple(unique)


def with_references(policy: Policy, references: Sequence[Reference]) -> Policy:
    """A policy under which the references are on their lists, and nobody else on any.

    What has been requested is left out: it changes words, never service, and an approver may see
    a request that the proposer could not.
    """
    lists = tuple(
        TerminalList(
            name=entry.name,
            terminals=frozenset(each.name for each in references if entry.name in each.lists),
        )
        for entry in policy.lists
    )
    lapsed = Sponsor(id=LAPSED, until=to_datetime(0))
    return msgspec.structs.replace(
        policy, lists=lists, sponsors=(*policy.sponsors, lapsed), requests=(), version=""
    )


def terminals_at(each: Reference, lat_deg: Floats, lon_deg: Floats) -> Terminals:
    """One reference at every one of these points, all under its one name."""
    n = len(lat_deg)
    given = {
        name: getattr(each, name)
        for name in each.__struct_fields__
        if name not in ("name", "away_km", "days", "data_gb", "lists")
    }
    columns: dict[str, Any] = {"lat_deg": lat_deg, "lon_deg": lon_deg}
    common = {name: getattr(value, "value", value) for name, value in given.items()}
    made = Terminals.drawn(
        prefix="r", lat_deg=lat_deg, lon_deg=lon_deg, common=common, place=each.name
    )
    ids = pa.array([each.name], type=made.id.type).take(pa.array(np.zeros(n, dtype=np.int64)))
    made = dataclasses.replace(made, id=ids)
    if each.away_km is None:
        return made
    step = each.away_km / _KM_PER_DEGREE
    columns = {
        "service_lat_deg": np.where(lat_deg > 0.0, lat_deg - step, lat_deg + step),
        "service_lon_deg": lon_deg,
    }
    return made.moved(**columns)


def memory_of(
    each: Reference, compiled: CompiledPolicy, n: int, at_us: int, *, served: bool
) -> MemoryColumns:
    """What is remembered of it: its motion has lasted, and its days and data have added up."""
    fresh = MemoryColumns.fresh(compiled, n)
    return dataclasses.replace(
        fresh,
        over_since_us=np.zeros_like(fresh.over_since_us),
        days=np.full_like(fresh.days, each.days),
        last_day=np.full_like(fresh.last_day, at_us // DAY_US),
        served=np.full(n, served),
        data_gb=np.full(n, each.data_gb),
    )


def _named_by(rule: Rule, sponsors: Sequence[str]) -> Iterator[Reference]:
    """Terminals that meet everything a rule asks but for its ground: every protection it spans."""
    who, asked = rule.who, rule.thresholds
    # A stable order; the words come as tuples from the record and stay as they were written.
    protections = who.protection or (Protection.NONE, Protection.MEDICAL)
    base: dict[str, Any] = {}
    for field in ("fleet", "registrant_country", "mobility", "account", "plan"):
        values = getattr(who, field)
        if values:
            base[field] = values[0]
    if who.verified is not None:
        base["verified"] = who.verified
    if who.on_list:
        base["lists"] = (who.on_list[0],)
    if asked.over_kmh is not None:
        base["speed_kmh"] = asked.over_kmh + _PAST_KMH
    if asked.over_altitude_m is not None:
        base["altitude_m"] = asked.over_altitude_m + _PAST_M
    if asked.below_assurance is not None:
        base["assurance"] = max(0, asked.below_assurance - 1)
    if asked.over_position_error_m is not None:
        base["position_error_m"] = asked.over_position_error_m + _PAST_M
    if asked.over_km_from_service_address is not None:
        base["away_km"] = asked.over_km_from_service_address * 1.1 + _PAST_KM
    if asked.over_days is not None:
        base["days"] = asked.over_days + 1
    if asked.over_gb is not None:
        base["data_gb"] = asked.over_gb + 1.0
    payers: tuple[str, ...] = who.sponsor[:1]
    if not payers and who.sponsor_lapsed is not None:
        payers = (*sponsors, LAPSED) if who.sponsor_lapsed else (*sponsors, "")
    for sponsor in payers or ("",):
        for protection in protections:
            yield Reference(
                name=f"named by {rule.id}",
                sponsor=sponsor,
                protection=Protection(protection),
                **base,
            )
    if Gate.MOBILITY in rule.lifts and asked.over_kmh is None:
        # What an exempt does shows only where something stops whoever it is for.
        moving = {"verified": False} | base | {"speed_kmh": _FAST_KMH}
        moving.setdefault("mobility", Mobility.LAND)
        yield Reference(
            name=f"named by {rule.id}, moving", protection=Protection(protections[0]), **moving
        )
    if who.not_on_list or who.on_list:
        others = (*who.on_list, *who.not_on_list)
        flipped = base | {"lists": () if who.on_list else (others[0],)}
        yield Reference(name=f"not named by {rule.id}", **flipped)
