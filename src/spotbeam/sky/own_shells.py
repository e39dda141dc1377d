"""Shells of one's own: a Walker pattern as a scenario or another tool writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from spotbeam.sky.constellation import FIRST_CATALOGUE_NUMBER, mean_motion_rev_day
from spotbeam.sky.elements import ElementSets
from spotbeam.times import parse_time


class OwnShell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A shell that is on nobody's file.

    Plane p has its ascending node at `p * spread / planes`, with a spread of 360 degrees for
    `delta` and 180 for `star`; satellite s of it stands `360 * s / satellites_per_plane` along it,
    plus the phase of the plane.

    Attributes:
        altitude_km: mean distance from the Earth's centre less 6378.137 km; or else
        mean_motion_rev_day: as element sets carry it.
        phasing: F of Walker's T/P/F: plane p leads by `360 * F * p / T` degrees.
        half_slot_in_odd_planes: instead of that, odd planes lead by half a slot and even ones
            stand alike.
        eccentricity: of the mean elements.
        decimals: angles are rounded to so many decimals of a degree, as two-line sets are; not
            rounded if left out.
        epoch: of the elements, RFC 3339; the start of the run if left out.
        seam_shift: satellite s of the last plane is linked with satellite s + shift of the
            first; if left out, that of least phase: F, or none with half slots.
    """

    name: str
    planes: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    satellites_per_plane: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    inclination_deg: Annotated[float, msgspec.Meta(ge=0, le=180)]
    altitude_km: Annotated[float, msgspec.Meta(ge=100, le=50_000)] | None = None
    mean_motion_rev_day: Annotated[float, msgspec.Meta(gt=0.1, le=17)] | None = None
    pattern: Literal["delta", "star"] = "delta"
    phasing: Annotated[int, msgspec.Meta(ge=0)] = 0
    half_slot_in_odd_planes: bool = False
    eccentricity: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    decimals: Annotated[int, msgspec.Meta(ge=0, le=12)] | None = None
    epoch: str | None = None
    seam_shift: int | None = None

    def __post_init__(self) -> None:
        if (self.altitude_km is None) == (self.mean_motion_rev_day is None):
            raise ValueError("give one of 'altitude_km' and 'mean_motion_rev_day'")
        if self.half_slot_in_odd_planes and self.phasing:
            raise ValueError("give 'phasing' or 'half_slot_in_odd_planes', not both")
        if self.phasing >= max(2, self.planes):
            raise ValueError(f"phasing {self.phasing} is not below {self.planes} planes")

    @property
    def satellites(self) -> int:
        """How many there are."""
        return self.planes * self.satellites_per_plane

    @property
    def shift(self) -> int:
        """Slots between a satellite of the last plane and the one that it is linked to."""
        given = self.phasing if self.seam_shift is None else self.seam_shift
        return given % self.satellites_per_plane


def own_shell_elements(shells: Sequence[OwnShell], start_us: int) -> ElementSets:
    """Element sets of one's own shells, numbered from 900000001 plane by plane, shell by shell."""
    names = tuple(
        f"{shell.name} {plane + 1:02d}-{slot + 1:02d}"
        for shell in shells
        for plane in range(shell.planes)
        for slot in range(shell.satellites_per_plane)
    )
    counts = [shell.satellites for shell in shells]
    node_deg, anomaly_deg = (
        np.concatenate(part) for part in zip(*map(_angles, shells), strict=True)
    )
    zeros = np.zeros(len(names))
    return ElementSets(
        catalogue_number=np.arange(len(names), dtype=np.int64) + FIRST_CATALOGUE_NUMBER,
        name=names,
        international_designator=("",) * len(names),
        epoch_us=np.repeat(np.array([_epoch_us(s, start_us) for s in shells], np.int64), counts),
        mean_motion_rev_day=np.repeat([_motion_rev_day(shell) for shell in shells], counts),
        eccentricity=np.repeat([shell.eccentricity for shell in shells], counts),
        inclination_deg=np.repeat([shell.inclination_deg for shell in shells], counts),
        raan_deg=node_deg,
        argument_of_perigee_deg=zeros,
        mean_anomaly_deg=anomaly_deg,
        bstar=zeros,
        mean_motion_dot_rev_day2=zeros,
        mean_motion_ddot_rev_day3=zeros,
        source="scenario:" + "+".join(dict.fromkeys(shell.name for shell in shells)),
    )


def _epoch_us(shell: OwnShell, start_us: int) -> int:
    if shell.epoch is None:
        return start_us
    return parse_time(shell.epoch, place=f"shell {shell.name!r}, epoch")


def _motion_rev_day(shell: OwnShell) -> float:
    if shell.mean_motion_rev_day is not None:
        return shell.mean_motion_rev_day
    assert shell.altitude_km is not None, "one of the two is given"
    return mean_motion_rev_day(shell.altitude_km, shell.inclination_deg)


def _angles(shell: OwnShell) -> tuple[np.ndarray, np.ndarray]:
    """Node and mean anomaly of each satellite, degrees, plane by plane."""
    plane, slot = np.divmod(np.arange(shell.satellites), shell.satellites_per_plane)
    spread_deg = 180.0 if shell.pattern == "star" else 360.0
    node_deg = plane * spread_deg / shell.planes
    if shell.half_slot_in_odd_planes:
        phase_deg = (plane % 2) * (360.0 / (2.0 * shell.satellites_per_plane))
    else:
        phase_deg = plane * 360.0 * shell.phasing / shell.satellites
    anomaly_deg = phase_deg + slot * 360.0 / shell.satellites_per_plane
    if shell.decimals is not None:
        node_deg, anomaly_deg = (np.round(a, shell.decimals) for a in (node_deg, anomaly_deg))
    return node_deg % 360.0, anomaly_deg % 360.0
