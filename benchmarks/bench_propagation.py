"""Propagation: heyoka behind our propagator against the `sgp4` package's own array call.

Ours does more than theirs: it answers (time, satellite, xyz) in one contiguous array, blanks what
failed, and, in the last rows, turns it with the Earth. Theirs also computes velocities.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from sgp4.api import SatrecArray
from side_by_side import compare

from spotbeam.formats.element_files import read_elements
from spotbeam.sky.constellation import shell_elements, shells_named
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import HeyokaPropagator, satrecs
from spotbeam.times import julian_date

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "constellations"
STEP_US = 15_000_000


def satellites() -> tuple[ElementSets, str]:
    file = SHARED / "starlink_2026-06-14.tle.xz"
    if file.exists():
        return read_elements(file)[0], "real element sets of 2026-06-14"
    shells = [*shells_named("starlink-gen1"), *shells_named("starlink-gen2/5")]
    return shell_elements(shells, 1_767_225_600_000_000), "filed shells"


def main() -> None:
    elements, which = satellites()
    start_us = int(np.median(elements.epoch_us))
    began = time.process_time()
    array = SatrecArray(satrecs(elements))
    print(f"sgp4: building {len(elements):,} satellites took {time.process_time() - began:.2f} s")
    for label in ("first", "again in the same process"):
        began = time.process_time()
        ours = HeyokaPropagator(elements, window_us=(start_us, start_us + 86_400_000_000))
        print(f"heyoka, {label}: {time.process_time() - began:.2f} s CPU, checked at both ends")
    for n_time in (1, 40):
        times_us = start_us + np.arange(n_time, dtype=np.int64) * STEP_US
        jd, fraction = julian_date(times_us)
        position_km, status = ours.positions_teme_km(times_us)
        code, wanted_km, _ = array.sgp4(jd, fraction)
        apart_km = np.linalg.norm(position_km - np.swapaxes(wanted_km, 0, 1), axis=-1)
        assert (status == code.T).all()
        print(f"\nlargest distance between the two: {np.nanmax(apart_km) * 1e6:.4f} mm")
        # A step alone is too short to time well: forty calls of one.
        calls = range(40 // n_time)

        def sgp4_array(jd=jd, fraction=fraction, calls=calls) -> None:
            for _ in calls:
                array.sgp4(jd, fraction)

        def teme(times_us=times_us, calls=calls) -> None:
            for _ in calls:
                ours.positions_teme_km(times_us)

        def ecef(times_us=times_us, calls=calls) -> None:
            for _ in calls:
                ours.positions_ecef_km(times_us)

        compare(
            {"Spotbeam, TEME": teme, "Spotbeam, ECEF": ecef, "sgp4 SatrecArray": sgp4_array},
            repeats=9,
            items=(40 * len(elements), "states"),
            title=f"{len(elements):,} satellites ({which}), {n_time} steps a call",
        )


if __name__ == "__main__":
    main()
