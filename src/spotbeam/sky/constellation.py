"""Constellations as their operators filed them: shells of planes, and the element sets they make.

Each system is a file of the catalogue beside this module; every shell names its source. A shell
becomes element sets of a Walker pattern, so that filed and real satellites take the same road.

Altitude means altitude: the mean over an orbit of a satellite's distance from the Earth's centre,
less the equatorial radius of WGS 84. SGP4's elements do not say that by themselves (its mean
motion is Kozai's, the radius swings by some ten kilometres with the flattening of the Earth, and
15.19 revolutions a day, often quoted for 550 km, fly at 509), so the mean motion is solved from
positions that SGP4 itself propagates.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Literal

import msgspec
import numpy as np
from sgp4.api import WGS72, Satrec

from spotbeam.decode import decode
from spotbeam.errors import ScenarioError, UnknownName
from spotbeam.sky.elements import ElementSets
from spotbeam.units import WGS72_GM_KM3_S2, WGS84_EQUATORIAL_RADIUS_KM

FIRST_CATALOGUE_NUMBER = 900_000_001

# Assumption, where neither a system nor a scenario says: that of the largest system, Starlink.
MIN_ELEVATION_DEG = 25.0

_SAMPLES_AN_ORBIT = 360
_EPOCH_OF_SOLUTION = 27_000.0  # days of sgp4init; near-Earth orbits do not depend on it


class Shell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Planes of one altitude and inclination, evenly filled.

    Plane p has its ascending node at `raan_offset_deg + p * spread / planes`, with a spread of 360
    degrees for a Walker delta and 180 for a Walker star; satellite s of it is at argument of
    latitude `360 * s / satellites_per_plane + 360 * phasing * p / satellites`.

    Attributes:
        name: `system/shell` in the catalogue.
        altitude_km: mean distance from the Earth's centre less 6378.137 km.
        planes: P of Walker's T/P/F.
        satellites_per_plane: T/P.
        pattern: `delta`, or `star` for polar planes spread over half a turn.
        phasing: F, 0 to P - 1: how many slots of 360/T degrees a plane leads the one before it.
        status: what the operator may do with it: `authorized`, `applied`, `planned`…
        source: the filing, or who reports it.
        confidence: `high`, `medium` or `low`.
    """

    name: str
    altitude_km: float
    inclination_deg: float
    planes: int
    satellites_per_plane: int
    pattern: Literal["delta", "star"] = "delta"
    pattern_source: str = ""
    phasing: int = 1
    phasing_source: str = ""
    raan_offset_deg: float = 0.0
    status: str = ""
    source: str = ""
    confidence: str = ""

    def __post_init__(self) -> None:
        if self.planes < 1 or self.satellites_per_plane < 1:
            raise ValueError("a shell has at least one plane and one satellite in it")
        if not 0 <= self.phasing < max(2, self.planes):  # one plane has no phasing to be wrong
            raise ValueError(f"phasing {self.phasing} is not in 0 to {self.planes - 1}")
        if not 100.0 <= self.altitude_km <= 50_000.0:
            raise ValueError(f"altitude_km {self.altitude_km} is not in 100 to 50000")
        if not 0.0 <= self.inclination_deg <= 180.0:
            raise ValueError(f"inclination_deg {self.inclination_deg} is not in 0 to 180")

    @property
    def satellites(self) -> int:
        """T of Walker's T/P/F."""
        return self.planes * self.satellites_per_plane


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A constellation as filed.

    Attributes:
        id: as scenarios name it.
        shells: every shell on file.
        default_shells: names of those that the bare id stands for; all, if empty.
        default_min_elevation_deg: below this its user terminals do not use a satellite.
        aliases: other ids for it, as `oneweb` for the variant that flies.
    """

    id: str
    name: str
    operator: str
    default_min_elevation_deg: float
    min_elevation_source: str
    shells: tuple[Shell, ...] = msgspec.field(name="shell")
    aliases: tuple[str, ...] = ()
    default_shells: tuple[str, ...] = ()
    note: str = ""

    @property
    def default(self) -> tuple[Shell, ...]:
        """The shells that the bare id stands for."""
        chosen = {f"{self.id}/{name}" for name in self.default_shells}
        return tuple(shell for shell in self.shells if not chosen or shell.name in chosen)


def systems() -> list[str]:
    """Ids of all catalogued systems, sorted."""
    return sorted(_catalogue())


def system(id: str) -> System:
    """A catalogued system by its id or alias.

    Raises:
        UnknownName: no such system; suggests the nearest.
    """
    catalogue = _catalogue()
    found = catalogue.get(id) or next((s for s in catalogue.values() if id in s.aliases), None)
    if found is None:
        names = [*catalogue, *(alias for s in catalogue.values() for alias in s.aliases)]
        raise UnknownName("constellation", id, sorted(names))
    return found


def shells_named(name: str) -> tuple[Shell, ...]:
    """The shells that a name stands for.

    `starlink-gen2` is that system's default shells, `starlink-gen2/*` all of them and
    `starlink-gen2/1` one.

    Raises:
        UnknownName: no such system or shell.
    """
    id, slash, part = name.partition("/")
    of = system(id)
    if not slash:
        return of.default
    if part == "*":
        return of.shells
    for shell in of.shells:
        if shell.name == f"{of.id}/{part}":
            return (shell,)
    raise UnknownName(f"shell of {of.id}", name, [shell.name for shell in of.shells])


def default_min_elevation_deg(names: Iterable[str] = ()) -> float:
    """The elevation mask of systems (or shells) by name: the highest where they differ.

    Without names (own elements) it is 25 degrees, an assumption.
    """
    masks = [system(name.partition("/")[0]).default_min_elevation_deg for name in names]
    return max(masks, default=MIN_ELEVATION_DEG)


def shell_elements(of: System | Shell | Sequence[Shell], epoch_us: int) -> ElementSets:
    """Element sets of filed shells, numbered from 900000001 plane by plane, shell by shell.

    Args:
        of: a system (its default shells), a shell, or shells in the order of numbering.
        epoch_us: epoch of all sets, microseconds since 1970 UTC.

    Circular in SGP4's sense (eccentricity 0 of the mean elements) and without drag.
    """
    if isinstance(of, System):
        shells: Sequence[Shell] = of.default
    else:
        shells = (of,) if isinstance(of, Shell) else tuple(of)
    if not shells:
        raise ScenarioError("no shells", hint="name at least one shell")
    motions = [mean_motion_rev_day(s.altitude_km, s.inclination_deg) for s in shells]
    counts = [shell.satellites for shell in shells]
    planes, slots, phases = (
        np.concatenate(part) for part in zip(*map(_walker, shells), strict=True)
    )
    n = sum(counts)
    zeros = np.zeros(n)
    systems_of = dict.fromkeys(shell.name.partition("/")[0] for shell in shells)
    return ElementSets(
        catalogue_number=np.arange(FIRST_CATALOGUE_NUMBER, FIRST_CATALOGUE_NUMBER + n),
        name=tuple(
            f"{shell.name} {plane + 1:02d}-{slot + 1:02d}"
            for shell in shells
            for plane in range(shell.planes)
            for slot in range(shell.satellites_per_plane)
        ),
        international_designator=("",) * n,
        epoch_us=np.full(n, epoch_us, dtype=np.int64),
        mean_motion_rev_day=np.repeat(motions, counts),
        eccentricity=zeros,
        inclination_deg=np.repeat([shell.inclination_deg for shell in shells], counts),
        raan_deg=planes,
        argument_of_perigee_deg=zeros,
        mean_anomaly_deg=(slots + phases) % 360.0,
        bstar=zeros,
        mean_motion_dot_rev_day2=zeros,
        mean_motion_ddot_rev_day3=zeros,
        source="catalogue:" + "+".join(systems_of),
    )


def _walker(shell: Shell) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Node, place in the plane and phase of each satellite, degrees, plane by plane."""
    plane = np.repeat(np.arange(shell.planes), shell.satellites_per_plane)
    slot = np.tile(np.arange(shell.satellites_per_plane), shell.planes)
    spread_deg = 180.0 if shell.pattern == "star" else 360.0
    node_deg = (shell.raan_offset_deg + plane * spread_deg / shell.planes) % 360.0
    slot_deg = slot * 360.0 / shell.satellites_per_plane
    phase_deg = plane * 360.0 * shell.phasing / shell.satellites
    return node_deg, slot_deg, phase_deg


@functools.cache
def mean_motion_rev_day(altitude_km: float, inclination_deg: float) -> float:
    """The mean motion of element sets whose satellite flies at an altitude.

    Solved by fixed point on SGP4's own positions: the radius is averaged over one revolution and
    the mean motion moved by Kepler's third law until the average is within a millimetre. Each
    round gains three digits, so four are enough.

    Returns:
        Revolutions a day, as element sets carry it (Kozai).
    """
    wanted_km = WGS84_EQUATORIAL_RADIUS_KM + altitude_km
    motion_rad_min = 60.0 * np.sqrt(WGS72_GM_KM3_S2 / wanted_km**3)
    for _ in range(8):
        radius_km = _mean_radius_km(motion_rad_min, inclination_deg)
        motion_rad_min *= (radius_km / wanted_km) ** 1.5
        if abs(radius_km - wanted_km) < 1e-6:
            break
    return float(motion_rad_min * 1440.0 / (2.0 * np.pi))


def _mean_radius_km(motion_rad_min: float, inclination_deg: float) -> float:
    """Distance from the Earth's centre over one revolution, averaged, by SGP4."""
    satrec = Satrec()
    inclination = np.radians(inclination_deg)
    satrec.sgp4init(
        WGS72, "i", 0, _EPOCH_OF_SOLUTION, *(0.0,) * 5, inclination, 0.0, motion_rad_min, 0.0
    )
    minutes = np.arange(_SAMPLES_AN_ORBIT) * (2.0 * np.pi / motion_rad_min / _SAMPLES_AN_ORBIT)
    at = np.full(minutes.shape, satrec.jdsatepoch)
    _, position_km, _ = satrec.sgp4_array(at, satrec.jdsatepochF + minutes / 1440.0)
    return float(np.linalg.norm(position_km, axis=1).mean())


@functools.cache
def _catalogue() -> dict[str, System]:
    """All systems by id, from the packaged files."""
    found = {}
    for file in resources.files(__package__).joinpath("catalogue").iterdir():
        if not file.name.endswith(".toml"):
            continue
        read = decode(tomllib.loads(file.read_text("utf-8")), System, place=file.name)
        named = tuple(
            msgspec.structs.replace(shell, name=f"{read.id}/{shell.name}") for shell in read.shells
        )
        found[read.id] = msgspec.structs.replace(read, shells=named)
    return found
