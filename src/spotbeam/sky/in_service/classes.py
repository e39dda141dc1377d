"""What each satellite is doing: serving, climbing, sinking, or merely there."""

from __future__ import annotations

from enum import IntEnum

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.sky.elements import ElementSets
from spotbeam.sky.in_service.bands import BAND_INCLINATION_DEG, Band, Mask, find_bands
from spotbeam.sky.in_service.mean_orbits import MeanOrbits, mean_orbits

# Off its band's altitude a satellite drifts along its plane: 2.75 km at 550 km altitude is 3.2
# degrees a day. Within that, and locked to one of the band's planes, it flies with the band.
_NEAR_BAND_KM = 2.75
_NEAR_PLANE_DEG = 0.15
# Fits of held satellites scatter by 0.2 km a day, at 360 km altitude by 1.
_OFF_TREND_KM_DAY = 1.5
_NEAR_OFF_TREND_KM_DAY = 1.0

_CLIMBS_KM_DAY, _SINKS_KM_DAY = 0.1, -0.1
_LOW_CLIMBS_KM_DAY = 0.5  # below 400 km, where fits of what merely hovers scatter by 0.4
_STILL_KM_DAY = 0.5  # where there are no bands to be still against
_GROUND_KM, _LEFT_DAYS = 150.0, 60.0
# Below 300 km nothing stays; above 400 km only a thruster sinks a satellite so fast.
_LOW_KM, _DRAG_KM = 300.0, 400.0

_GROUP = 4
_GROUP_NODE_DEG, _GROUP_INCLINATION_DEG, _GROUP_ALTITUDE_KM = 0.7, 0.06, 30.0
_SAME_INCLINATION_DEG = 1.0


class ServiceClass(IntEnum):
    """What the elements say that a satellite is doing."""

    IN_SERVICE = 0
    RAISING = 1
    LOWERING = 2
    DRIFTING = 3
    DECAYING = 4
    OUTLIER = 5


class ServiceClasses(msgspec.Struct, frozen=True, eq=False):
    """The class of each satellite and the bands that were found.

    Attributes:
        code: `ServiceClass`, uint8, shape (n_sat,).
        bands: the altitudes and inclinations that the constellation serves from; none where no
            satellites share any, and then all that hold still are taken to serve.
        band: index of the band nearest in altitude to each satellite, of those within a degree of
            its inclination; -1 for none; shape (n_sat,).
        orbits: what the classes were inferred from.
    """

    code: npt.NDArray[np.uint8]
    bands: tuple[Band, ...]
    band: npt.NDArray[np.int16]
    orbits: MeanOrbits

    @property
    def is_in_service(self) -> Mask:
        """Shape (n_sat,), bool."""
        return self.of(ServiceClass.IN_SERVICE)

    def of(self, kind: ServiceClass) -> Mask:
        """Which satellites are of one class: shape (n_sat,), bool."""
        return np.asarray(self.code == kind, dtype=np.bool_)

    def counts(self) -> dict[str, int]:
        """Satellites by class name, every class named, in the order of `ServiceClass`."""
        found = np.bincount(self.code, minlength=len(ServiceClass))
        return {kind.name.lower(): int(found[kind]) for kind in ServiceClass}

    def why(self, row: int) -> str:
        """A sentence on what one satellite does and by what."""
        orbits, band = self.orbits, int(self.band[row])
        text = (
            f"{ServiceClass(self.code[row]).name.lower().replace('_', ' ')}: "
            f"{orbits.altitude_km[row]:.2f} km at {orbits.inclination_deg[row]:.2f} degrees, "
            f"altitude trend {orbits.climb_km_day[row]:+.2f} km a day"
        )
        if band < 0:
            return f"{text}; no band that serves has its inclination"
        off_km = orbits.altitude_km[row] - self.bands[band].altitude_km
        return f"{text}; {off_km:+.2f} km from the band of {self.bands[band]}"


def classify(elements: ElementSets) -> ServiceClasses:
    """Infer which satellites are in service from their elements alone.

    Filed altitudes are not used: fleets move. A single snapshot is enough.

    in_service: holds the altitude of a band that serves (`find_bands`), or flies within 2.75 km
        of it locked to one of its planes; with no trend of its own. Where no bands are found (a
        handful of unlike orbits), whatever holds still and is in no group.
    raising: climbs by a tenth of a kilometre a day or more (by half of one below 400 km), or waits
        below the nearest band of its inclination in a group of four or more along one plane,
        launched after three quarters of those that serve there.
    decaying: below 300 km, or below 400 km and at today's rate at 150 km within 60 days.
    lowering: sinks by a tenth of a kilometre a day or more.
    drifting: holds still elsewhere: spares, stored and dead satellites.
    outlier: holds still, with an inclination of which no band is.
    """
    orbits = mean_orbits(elements)
    bands = find_bands(orbits)
    n = len(elements)
    climb = orbits.climb_km_day
    code = np.full(n, ServiceClass.DRIFTING, dtype=np.uint8)
    nearest, distance_km = _nearest_band(orbits, bands)

    serving = np.zeros(n, dtype=np.bool_)
    for band in bands:
        serving |= _serves(orbits, band)
    waiting = _in_group(orbits, ~serving)
    if not bands:
        serving = ~waiting & (np.abs(climb) < _STILL_KM_DAY)

    falling = climb < 0
    days_left = np.full(n, np.inf)
    np.divide(orbits.altitude_km - _GROUND_KM, -climb, out=days_left, where=falling)
    newcomer = _newcomer(elements, orbits, serving)
    alone = np.all(
        [np.abs(orbits.inclination_deg - b.inclination_deg) > _SAME_INCLINATION_DEG for b in bands]
        or [np.zeros(n, dtype=np.bool_)],
        axis=0,
    )
    low = orbits.altitude_km < _DRAG_KM
    # Later lines win.
    code[alone] = ServiceClass.OUTLIER
    code[climb <= _SINKS_KM_DAY] = ServiceClass.LOWERING
    code[(low & (days_left < _LEFT_DAYS)) | (orbits.altitude_km < _LOW_KM)] = ServiceClass.DECAYING
    code[waiting & newcomer & (distance_km < 0.0)] = ServiceClass.RAISING
    code[climb >= np.where(low, _LOW_CLIMBS_KM_DAY, _CLIMBS_KM_DAY)] = ServiceClass.RAISING
    code[serving] = ServiceClass.IN_SERVICE
    return ServiceClasses(code=code, bands=bands, band=nearest, orbits=orbits)


def _serves(orbits: MeanOrbits, band: Band) -> Mask:
    """Whether each satellite holds a band's altitude, or flies near it in one of its planes."""
    off_km = np.abs(orbits.altitude_km - band.altitude_km)
    tilted = np.abs(orbits.inclination_deg - band.inclination_deg) > BAND_INCLINATION_DEG
    off_trend = np.abs(orbits.climb_km_day - band.climb_km_day)
    in_plane = np.full(off_km.size, not band.plane_nodes_deg)
    for first_deg, last_deg in band.plane_nodes_deg:
        width_deg = (last_deg - first_deg) % 360.0 + 2.0 * _NEAR_PLANE_DEG
        in_plane |= (orbits.node_deg - first_deg + _NEAR_PLANE_DEG) % 360.0 <= width_deg
    holds = (off_km <= band.hold_km) & in_plane & (off_trend <= _OFF_TREND_KM_DAY)
    near = (off_km <= _NEAR_BAND_KM) & in_plane & (off_trend <= _NEAR_OFF_TREND_KM_DAY)
    return np.asarray((holds | near) & ~tilted, dtype=np.bool_)


def _nearest_band(
    orbits: MeanOrbits, bands: tuple[Band, ...]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float64]]:
    """The band nearest in altitude among those of like inclination, and the height above it.

    Without one the index is -1 and the height -inf: there is nothing below which it would not be.
    """
    n = orbits.altitude_km.size
    nearest, above_km = np.full(n, -1, dtype=np.int16), np.full(n, -np.inf)
    for index, band in enumerate(bands):
        off_km = orbits.altitude_km - band.altitude_km
        alike = np.abs(orbits.inclination_deg - band.inclination_deg) <= _SAME_INCLINATION_DEG
        closer = alike & (np.abs(off_km) < np.abs(above_km))
        nearest[closer], above_km[closer] = index, off_km[closer]
    return nearest, above_km


def _in_group(orbits: MeanOrbits, among: Mask) -> Mask:
    """Whether a satellite flies in a group along one plane, as a launch leaves them."""
    rows = np.nonzero(among)[0]
    rows = rows[np.argsort(orbits.node_deg[rows], kind="stable")]
    n = rows.size
    node, tilt, altitude = (
        np.concatenate([column[rows], column[rows] + turn])
        for column, turn in (
            (orbits.node_deg, 360.0),
            (orbits.inclination_deg, 0.0),
            (orbits.altitude_km, 0.0),
        )
    )
    company = np.ones(n, dtype=np.int64)
    for shift in range(1, n):
        ahead = slice(shift, shift + n)
        close = node[ahead] - node[:n] <= _GROUP_NODE_DEG
        if not close.any():
            break
        close &= np.abs(tilt[ahead] - tilt[:n]) <= _GROUP_INCLINATION_DEG
        close &= np.abs(altitude[ahead] - altitude[:n]) <= _GROUP_ALTITUDE_KM
        company += close
        company += np.roll(close, shift)
    grouped = np.zeros(among.size, dtype=np.bool_)
    grouped[rows] = company >= _GROUP
    return grouped


def _newcomer(elements: ElementSets, orbits: MeanOrbits, serving: Mask) -> Mask:
    """Whether a satellite was launched after three quarters of those serving at its inclination.

    Catalogue numbers are given in the order of launch.
    """
    number = elements.catalogue_number
    newcomer = np.ones(number.size, dtype=np.bool_)
    if serving.any():
        order = np.argsort(orbits.inclination_deg[serving], kind="stable")
        tilt = orbits.inclination_deg[serving][order]
        first = np.searchsorted(tilt, orbits.inclination_deg - _SAME_INCLINATION_DEG)
        stop = np.searchsorted(tilt, orbits.inclination_deg + _SAME_INCLINATION_DEG, "right")
        numbers = number[serving][order]
        for span in set(zip(first.tolist(), stop.tolist(), strict=True)):
            if span[0] < span[1]:
                these = (first == span[0]) & (stop == span[1])
                newcomer[these] = number[these] > np.quantile(numbers[slice(*span)], 0.75)
    return newcomer
