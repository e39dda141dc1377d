"""What borders cost: light that falls beyond them, and people who are left dark to prevent that.

A beam is a spot of some 20 km that grows as its satellite sinks. Aimed at the last cell inside a
border it lights ground outside; kept away from the border by a guard band it leaves people inside
without service. Both are shown for several lowest elevations, since a steeper beam is a cheaper
tool than a wide dead strip. These figures are estimates and no part of what people sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import h3.api.numpy_int as h3
import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from spotbeam.kernels.footprint import footprint
from spotbeam.land.cells import CellIds, cells_in
from spotbeam.land.people import mean_area_m2, people_in
from spotbeam.land.territories import Ground
from spotbeam.service.policy import Policy
from spotbeam.service.rules import Effect, Gate, Rule, Thresholds, Who
from spotbeam.twin.impact.area import cells_within, countries_of, points_of, ringed

ELEVATIONS_DEG = (25.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0)
RESOLUTION = 5
_MOST_CELLS = 30_000
_CLOSED_BY = (Gate.ORDER, Gate.TERRITORY, Gate.CELL)

Mask = npt.NDArray[np.bool_]


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """So much ground, by the mean area of its cells, and who lives there."""

    cells: int
    km2: int
    people: int


class BorderEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What beams do along the borders of served ground if no satellite is used below an elevation.

    Attributes:
        guard_km: How far beyond the point that it is aimed at the beam still lights.
        spilled_before, spilled: Ground outside that some beam inside lights if there is no guard
            band, before and after the change.
        starved_before, starved: Ground inside that stays dark if there is one.
    """

    elevation_deg: float
    across_km: float
    along_km: float
    guard_km: float
    spilled_before: Extent
    spilled: Extent
    starved_before: Extent
    starved: Extent


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """The cells by which beams obey one rule, as numbers: `coverings_of` has the cells.

    Attributes:
        holds: `inside`: cells that lie in its ground whole, for grants and exempts. `over`: cells
            that share any point with it, for denies and limits.
    """

    rule: str
    holds: str
    resolution: int
    cells: int


def border_effects(
    before: Policy,
    after: Policy,
    ground: Ground,
    names: Sequence[str],
    *,
    elevations_deg: Sequence[float] = ELEVATIONS_DEG,
    altitude_km: float = 550.0,
    nadir_width_km: float = 20.0,
    at_us: int,
) -> tuple[BorderEffect, ...]:
    """Spill and starvation around some ground, before and after a change.

    Ground counts as served where a grant holds for an ordinary terminal and nothing closes it.

    Args:
        before, after: The policies; their territories and cells are in the ground.
        ground: Whose borders.
        names: Where to look: the ground that the change names.
        elevations_deg: The lowest elevations to show.
        altitude_km, nadir_width_km: Of satellites, and of a beam straight below one.
        at_us: When.
    """
    beam = footprint(elevations_deg, altitude_km=altitude_km, nadir_width_km=nadir_width_km)
    widest = float(np.nanmax(beam.far_km)) if len(elevations_deg) else 0.0
    level = RESOLUTION
    cells = cells_within(ground, names, level)
    while len(cells) > _MOST_CELLS and level > 3:
        level -= 1
        cells = cells_within(ground, names, level)
    cells = ringed(cells, widest)
    if not len(cells):
        return ()
    lat_deg, lon_deg = points_of(cells)
    own = ground.locate(lat_deg, lon_deg)
    people = people_in(cells, countries_of(ground)[own].tolist())
    was, now = served_faces(before, ground, at_us), served_faces(after, ground, at_us)
    found = []
    for number, elevation_deg in enumerate(elevations_deg):
        guard_km = float(beam.far_km[number])
        if not np.isfinite(guard_km):
            continue
        index, sets = ground.touched(lat_deg, lon_deg, np.full(len(cells), guard_km * 1000.0))

        def around(lit: Mask, index: npt.NDArray[np.int32] = index,
                   sets: Sequence[Sequence[int]] = sets) -> tuple[Extent, Extent]:  # fmt: skip
            has_lit = np.array([bool(lit[list(each)].any()) for each in sets])[index]
            has_dark = np.array([not lit[list(each)].all() for each in sets])[index]
            inside = lit[own]
            return (
                _sum(~inside & has_lit, people, level),
                _sum(inside & has_dark, people, level),
            )

        spilled_before, starved_before = around(was)
        spilled, starved = around(now)
        found.append(
            BorderEffect(
                elevation_deg=float(elevation_deg),
                across_km=round(float(beam.across_km[number]), 1),
                along_km=round(float(beam.along_km[number]), 1),
                guard_km=round(guard_km, 1),
                spilled_before=spilled_before,
                spilled=spilled,
                starved_before=starved_before,
                starved=starved,
            )
        )
    return tuple(found)


def served_faces(policy: Policy, ground: Ground, at_us: int) -> Mask:
    """Which faces are open to an ordinary terminal, shape (n_face,): for beams, no verdict."""
    plain = [
        rule
        for rule in policy.rules
        if rule.who == Who() and rule.thresholds == Thresholds() and rule.in_force(at_us)
    ]
    grants = [rule for rule in plain if rule.effect is Effect.GRANT]
    denies = [rule for rule in plain if rule.effect is Effect.DENY and rule.gate in _CLOSED_BY]
    return np.array(
        [
            any(rule.covers(ids) for rule in grants) and not any(r.covers(ids) for r in denies)
            for ids in ground.face_territories
        ],
        dtype=bool,
    )


def coverings_of(rule: Rule, ground: Ground, resolution: int) -> CellIds:
    """The cells by which beams obey a rule: inside its ground for what it allows, over it else.

    Args:
        rule: One that names ground, with no open sea in it.
        ground: Whose borders, with exact geometry.
        resolution: Of the cells, 0 to 15.
    """
    shape = shapely.union_all([ground.geometry(name) for name in rule.where])
    if rule.except_:
        shape = shape - shapely.union_all([ground.geometry(name) for name in rule.except_])
    allows = rule.effect in (Effect.GRANT, Effect.EXEMPT)
    return cells_in(shape, resolution, "full" if allows else "overlap").cell


def covering_of(rule: Rule, ground: Ground) -> Covering:
    """How many cells a rule comes to for beams."""
    allows = rule.effect in (Effect.GRANT, Effect.EXEMPT)
    level = RESOLUTION
    finest = [h3.get_resolution(int(name[3:], 16)) for name in rule.where if name.startswith("h3:")]
    level = max([level, *finest])
    coarse = len(cells_within(ground, rule.where, 3))
    while level > 3 and coarse * 7 ** (level - 3) > _MOST_CELLS:
        level -= 1
    return Covering(
        rule=rule.id,
        holds="inside" if allows else "over",
        resolution=level,
        cells=len(coverings_of(rule, ground, level)),
    )


def _sum(chosen: Mask, people: npt.NDArray[np.int64], level: int) -> Extent:
    cells = int(chosen.sum())
    return Extent(
        cells=cells,
        km2=cells * mean_area_m2(level) // 1_000_000,
        people=int(people[chosen].sum()),
    )
