"""Where every satellite is at every step: SGP4 over whole constellations.

Two engines give the same positions. `sgp4` (Rhodes's packaging of Vallado's C++) is always there
and knows every orbit; `heyoka` (the extra `fast`) compiles the near-Earth half of the same theory
for the machine at hand, about nine times as fast, and agrees within 0.01 mm on fresh elements.
Both use the WGS 72 constants and the improved mode of operation, as element sets are made for.

heyoka has no deep-space half and does not say so: orbits of 225 minutes and more are therefore
always given to `sgp4`, inside the same propagator. Its status codes are not taken on trust either:
they and the positions are compared with `sgp4` at both ends of every run, and a set on which the
two differ is given to `sgp4` for good.

Axes are (time, satellite, xyz), kilometres. NaN where the status is not 0.
"""

from __future__ import annotations

import importlib.util
import threading
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from sgp4.api import WGS72, Satrec, SatrecArray

from spotbeam.errors import InputError, MissingExtra
from spotbeam.kernels.frames import gmst_rad, turn_km, turn_rows_km
from spotbeam.sky.elements import ElementSets
from spotbeam.times import julian_date

Engine = Literal["auto", "sgp4", "heyoka"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Status = npt.NDArray[np.uint8]

STATUS_TEXT = {
    0: "propagated",
    1: "mean eccentricity is outside 0 to 1",
    2: "mean motion has fallen below zero",
    3: "perturbed eccentricity is outside 0 to 1",
    4: "semi-latus rectum is below zero",
    5: "the orbit is below the ground at epoch",
    6: "the satellite has decayed",
    7: "the position is not a finite number",
}

_SGP4_EPOCH_JD = 2433281.5  # 1949-12-31T00:00Z, from which sgp4init counts days
_US_PER_MINUTE = 60e6
# Ten thousand satellites cost sgp4 some 4 ms a step and heyoka 0.4; importing heyoka and compiling
# costs 0.25 s, as much as sgp4 takes for 700,000 states.
_HEYOKA_PAYS_FROM_STATES = 700_000
# The engines differ by 0.01 mm on fresh elements and by millimetres in a satellite's last days,
# where drag magnifies every rounding. A metre is neither.
_DISAGREE_KM = 1e-3


class Propagator(Protocol):
    """Positions of all satellites of one collection of element sets."""

    def positions_teme_km(self, time_us: Ints) -> tuple[Floats, Status]:
        """Positions in SGP4's own frame.

        Args:
            time_us: instants, shape (n_time,).

        Returns:
            Shape (n_time, n_sat, 3), km, TEME, and status codes, shape (n_time, n_sat), whose
            meanings are in `STATUS_TEXT`; NaN where the code is not 0.
        """
        ...

    def positions_ecef_km(self, time_us: Ints) -> tuple[Floats, Status]:
        """The same in the frame of the turning Earth (see `spotbeam.kernels.frames`)."""
        ...


def propagator(
    elements: ElementSets,
    *,
    engine: Engine = "auto",
    window_us: tuple[int, int] | None = None,
    n_steps: int | None = None,
) -> Propagator:
    """A propagator for element sets, by the fastest engine that is worth starting.

    Args:
        elements: the satellites, in the order of the answers.
        engine: `auto` takes heyoka where it is installed and pays, else sgp4.
        window_us: first and last instant of the run, at which heyoka is checked against sgp4
            before it starts. Without it each call that reaches beyond what was checked, checks.
        n_steps: how many steps will be asked for, if known: a short run does not pay for heyoka.

    Raises:
        MissingExtra: heyoka is asked for by name and is not installed.
        InputError: no such engine.
    """
    if engine == "auto":
        few = n_steps is not None and n_steps * len(elements) < _HEYOKA_PAYS_FROM_STATES
        engine = "sgp4" if few or importlib.util.find_spec("heyoka") is None else "heyoka"
    if engine == "sgp4":
        return Sgp4Propagator(elements)
    if engine == "heyoka":
        return HeyokaPropagator(elements, window_us=window_us)
    raise InputError(f"no engine {engine!r}", hint="engines: auto, sgp4, heyoka")


class Sgp4Propagator:
    """SGP4 by the `sgp4` package: every orbit, every machine, and the oracle of the other."""

    def __init__(self, elements: ElementSets) -> None:
        self._array = SatrecArray(satrecs(elements))

    def positions_teme_km(self, time_us: Ints) -> tuple[Floats, Status]:
        return _sgp4_positions(self._array, np.asarray(time_us, dtype=np.int64))

    def positions_ecef_km(self, time_us: Ints) -> tuple[Floats, Status]:
        position_teme_km, status = self.positions_teme_km(time_us)
        angle = gmst_rad(*julian_date(time_us))
        return turn_km(position_teme_km, np.cos(angle), np.sin(angle)), status


class HeyokaPropagator:
    """SGP4 by heyoka where it is sound, by `sgp4` elsewhere. May be called from many threads.

    Args:
        elements: the satellites.
        window_us: first and last instant of the run, checked now.
        near_earth: which sets heyoka may take, shape (n_sat,), bool; by default those that SGP4
            itself treats as near-Earth (a period below 225 minutes) and starts without an error.
    """

    def __init__(
        self,
        elements: ElementSets,
        *,
        window_us: tuple[int, int] | None = None,
        near_earth: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._satrecs = satrecs(elements)
        self._epoch_us = elements.epoch_us
        self._guard = threading.Lock()
        self._checked_us: tuple[int, int] | None = None
        if near_earth is None:
            near_earth = np.array([s.method == "n" and s.error == 0 for s in self._satrecs], bool)
        self._parts = _Parts(self._satrecs, self._epoch_us, near_earth)
        if window_us is not None:
            self._check(*window_us)

    @property
    def by_sgp4(self) -> Ints:
        """Index of the satellites that `sgp4` propagates: deep-space ones, and disagreements."""
        return self._parts.rest

    def positions_teme_km(self, time_us: Ints) -> tuple[Floats, Status]:
        n_time = len(time_us)
        return self._positions(time_us, np.ones(n_time), np.zeros(n_time))

    def positions_ecef_km(self, time_us: Ints) -> tuple[Floats, Status]:
        angle = gmst_rad(*julian_date(time_us))
        return self._positions(time_us, np.cos(angle), np.sin(angle))

    def _positions(self, time_us: Ints, cos: Floats, sin: Floats) -> tuple[Floats, Status]:
        time_us = np.asarray(time_us, dtype=np.int64)
        n_sat = len(self._satrecs)
        position_km = np.empty((time_us.size, n_sat, 3))
        status = np.empty((time_us.size, n_sat), dtype=np.uint8)
        if not position_km.size:
            return position_km, status
        self._check(int(time_us.min()), int(time_us.max()))
        parts = self._parts
        # Step by step: the rows of ten thousand satellites stay in the second-level cache until
        # they are transposed; those of many steps would not.
        for step, moment_us in enumerate(time_us):
            rows = parts.rows(moment_us)
            turn_rows_km(rows, cos[step], sin[step], parts.near, position_km[step], status[step])
        if parts.rest.size:
            rest_km, rest_status = _sgp4_positions(parts.rest_array, time_us)
            position_km[:, parts.rest] = turn_km(rest_km, cos, sin)
            status[:, parts.rest] = rest_status
        return position_km, status

    def _check(self, first_us: int, last_us: int) -> None:
        """Compare with sgp4 at both ends of a span, once; give what differs to sgp4.

        What SGP4 does with drag only grows away from the epoch, so what is sound at both ends is
        sound between them. A span that grows call by call is checked to twice its length each
        time: a long run is then checked some ten times and not at every call.
        """
        with self._guard:
            checked = self._checked_us
            if checked and checked[0] <= first_us and last_us <= checked[1]:
                return
            if checked:
                length_us = max(last_us, checked[1]) - min(first_us, checked[0])
                first_us = checked[0] if first_us >= checked[0] else first_us - length_us
                last_us = checked[1] if last_us <= checked[1] else last_us + length_us
            parts = self._parts
            agreed = parts.agree(self._satrecs, np.unique([first_us, last_us]))
            if not agreed.all():
                still_near = np.zeros(len(self._satrecs), dtype=np.bool_)
                still_near[parts.near[agreed]] = True
                self._parts = _Parts(self._satrecs, self._epoch_us, still_near)
            self._checked_us = (first_us, last_us)


class _Parts:
    """Which satellites go to which engine, with heyoka's code and buffers for its share."""

    def __init__(
        self, all_satrecs: list[Satrec], epoch_us: Ints, near_earth: npt.NDArray[np.bool_]
    ) -> None:
        self.near: Ints = np.nonzero(near_earth)[0].astype(np.int64)
        self.rest: Ints = np.nonzero(~near_earth)[0].astype(np.int64)
        self.rest_array = SatrecArray([all_satrecs[i] for i in self.rest])
        self._epoch_us = epoch_us[self.near]
        self._propagate = _compiled([all_satrecs[i] for i in self.near])
        self._buffers = threading.local()

    def rows(self, moment_us: int | np.int64) -> Floats:
        """Positions, velocities and status by row, shape (7, n_near); overwritten by the next."""
        if not hasattr(self._buffers, "rows"):
            self._buffers.minutes = np.empty(self.near.size)
            self._buffers.rows = np.empty((7, self.near.size))
        minutes: Floats = self._buffers.minutes
        rows: Floats = self._buffers.rows
        if self._propagate is not None:
            # Minutes since each set's own epoch: Julian dates would take heyoka four times as long.
            np.subtract(moment_us, self._epoch_us, out=minutes, casting="unsafe")
            np.divide(minutes, _US_PER_MINUTE, out=minutes)
            self._propagate(minutes, out=rows)
        return rows

    def agree(self, all_satrecs: list[Satrec], time_us: Ints) -> npt.NDArray[np.bool_]:
        """Whether heyoka and sgp4 say the same of each near-Earth satellite, shape (n_near,)."""
        agreed = np.ones(self.near.size, dtype=np.bool_)
        if not self.near.size:
            return agreed
        array = SatrecArray([all_satrecs[i] for i in self.near])
        wanted_km, wanted_status = _sgp4_positions(array, time_us)
        for step, moment_us in enumerate(time_us):
            rows = self.rows(moment_us)
            apart_km = np.linalg.norm(rows[:3].T - wanted_km[step], axis=1)
            agreed &= (rows[6] == wanted_status[step]) & ~(apart_km > _DISAGREE_KM)
        return agreed


def _compiled(near: list[Satrec]) -> Any:
    """A propagator that heyoka compiles; its arithmetic may be reordered.

    `fast_math` is a third faster. It moves positions by 0.001 mm, and of 1.2 million states around
    decay (the verification set and real fleets, to two years from epoch) not one status code
    differed from sgp4's; what is no number is caught afterwards, in strict arithmetic.
    """
    try:
        from heyoka import model
    except ImportError:
        raise MissingExtra("fast", "the engine heyoka") from None
    return model.sgp4_propagator(near, fast_math=True) if near else None


def satrecs(elements: ElementSets) -> list[Satrec]:
    """`sgp4` satellites of element sets, WGS 72, improved mode, in their order.

    Their own numbers are left at 0: `sgp4` cannot hold nine digits. Epochs are set to the
    microsecond, which `sgp4init` alone would round.
    """
    jd, fraction = julian_date(elements.epoch_us)
    # Rounded to 40 microseconds on purpose: so the package's own reader hands it over, and the
    # phases of sun and moon for deep space, and with them the verification set, hang on it.
    days = (jd + fraction) - _SGP4_EPOCH_JD
    mean_motion_rad_min = elements.mean_motion_rev_day * (2.0 * np.pi / 1440.0)
    columns = (
        days,
        elements.bstar,
        elements.eccentricity,
        np.radians(elements.argument_of_perigee_deg),
        np.radians(elements.inclination_deg),
        np.radians(elements.mean_anomaly_deg),
        mean_motion_rad_min,
        np.radians(elements.raan_deg),
        jd,
        fraction,
    )
    made = []
    for day, bstar, ecc, perigee, incl, anomaly, motion, node, epoch, part in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        satrec = Satrec()
        # The two zeros are the mean motion's derivatives, which SGP4 does not read.
        satrec.sgp4init(
            WGS72, "i", 0, day, bstar, 0.0, 0.0, ecc, perigee, incl, anomaly, motion, node
        )
        satrec.jdsatepoch, satrec.jdsatepochF = epoch, part
        made.append(satrec)
    return made


def _sgp4_positions(array: SatrecArray, time_us: Ints) -> tuple[Floats, Status]:
    """Positions (n_time, n_sat, 3) in km, TEME, and status, by the `sgp4` package."""
    code, position_teme_km, _ = array.sgp4(*julian_date(time_us))
    positions: Floats = np.ascontiguousarray(np.swapaxes(position_teme_km, 0, 1))
    status: Status = np.ascontiguousarray(code.T)
    status[(status == 0) & ~np.isfinite(positions).all(axis=-1)] = 7
    positions[status != 0] = np.nan
    return positions, status
