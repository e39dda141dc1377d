"""SGP4's own verification set, by the road that every satellite takes here.

`SGP4-VER.TLE` and `tcppver.out` (Vallado et al. 2006, AIAA 2006-6753) ship inside the `sgp4`
package; the tolerance is that of the package's own test.
"""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from spotbeam.sky.elements import ElementSets, parse_elements
from spotbeam.sky.elements.values import COLUMNS
from spotbeam.sky.propagation import HeyokaPropagator, Propagator, Sgp4Propagator, propagator

TOLERANCE_KM = 2e-7
US_PER_MINUTE = 60_000_000


def with_checksum(line: str) -> str:
    digits = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
    return f"{line[:68]}{digits % 10}"


def cases() -> list[tuple[ElementSets, tuple[float, float, float]]]:
    """Each verification satellite, with the start, stop and step of its times in minutes."""
    found = []
    first = ""
    for line in (files("sgp4") / "SGP4-VER.TLE").read_text().splitlines():
        if line.startswith("1 "):
            first = line
        elif line.startswith("2 "):
            # Sets 33333 to 33335 were made by hand and their checksums left as they were.
            text = f"{with_checksum(first)}\n{with_checksum(line)}\n"
            elements, _ = parse_elements(text, source="SGP4-VER.TLE")
            start, stop, step = (float(field) for field in line[69:].split())
            found.append((elements, (start, stop, step)))
    return found


def expected() -> list[np.ndarray]:
    """Rows of minutes and position for each satellite, in the file's order."""
    text = (files("sgp4") / "tcppver.out").read_text()
    blocks = re.split(r"^\d+ xx\s*$", text, flags=re.MULTILINE)[1:]
    return [
        np.array([[float(word) for word in row.split()[:4]] for row in block.strip().splitlines()])
        for block in blocks
    ]


CASES, EXPECTED = cases(), expected()
# What the seven failing satellites fail with, in order; as the package's own test says.
ERRORS = [1, 1, 6, 6, 4, 3, 6]


def run(engine: Propagator, elements: ElementSets, minutes: np.ndarray) -> tuple:
    times_us = elements.epoch_us[0] + np.rint(minutes * US_PER_MINUTE).astype(np.int64)
    positions_km, status = engine.positions_teme_km(times_us)
    return positions_km[:, 0], status[:, 0]


@pytest.mark.parametrize("engine", [Sgp4Propagator, HeyokaPropagator])
def test_positions_agree_with_the_verification_set(engine):
    assert len(CASES) == len(EXPECTED) == 33
    rows = 0
    for (elements, _), wanted in zip(CASES, EXPECTED, strict=True):
        if elements.catalogue_number[0] == 33334:
            continue  # fails at its epoch: the file repeats the satellite before it
        # In a satellite's last hours drag magnifies the engines' last digits to a centimetre.
        decaying = engine is HeyokaPropagator and elements.catalogue_number[0] in (28872, 29141)
        tolerance_km = 1e-5 if decaying else TOLERANCE_KM
        positions_km, status = run(engine(elements), elements, wanted[:, 0])
        assert not status.any(), elements
        np.testing.assert_allclose(positions_km, wanted[:, 1:], rtol=0, atol=tolerance_km)
        rows += len(wanted)
    assert rows == 700 - 33 - 1


@pytest.mark.parametrize("engine", ["sgp4", "heyoka"])
def test_error_codes_are_those_of_the_verification_set(engine):
    codes = []
    for elements, (start, stop, step) in CASES:
        minutes = np.unique([0.0, *np.arange(start, stop + step / 2, step).clip(max=stop), stop])
        made = propagator(elements, engine=engine)
        positions_km, status = run(made, elements, minutes)
        assert np.isnan(positions_km[status != 0]).all()
        assert np.isfinite(positions_km[status == 0]).all()
        codes.extend(status[status != 0][:1].tolist())
    assert codes == ERRORS


@pytest.mark.parametrize("engine", ["sgp4", "heyoka"])
def test_all_at_once_is_each_by_itself(engine):
    """Near-Earth and deep-space sets in one collection keep their places."""
    by_number = {int(sets.catalogue_number[0]): sets for sets, _ in CASES}
    together = concatenated(list(by_number.values()))
    times_us = np.int64(1_150_000_000_000_000) + np.arange(3) * np.int64(3_600_000_000)
    positions_km, status = propagator(together, engine=engine).positions_teme_km(times_us)
    for column, sets in enumerate(by_number.values()):
        alone_km, alone_status = Sgp4Propagator(sets).positions_teme_km(times_us)
        assert (status[:, column] == alone_status[:, 0]).all(), sets
        recent = abs(times_us[0] - sets.epoch_us[0]) < 86_400_000_000
        np.testing.assert_allclose(
            positions_km[:, column], alone_km[:, 0], rtol=0, atol=1e-7 if recent else 1e-3
        )
    if engine == "heyoka":
        by_sgp4 = HeyokaPropagator(together).by_sgp4
        deep = [i for i, n in enumerate(together.mean_motion_rev_day) if n < 6.4]
        assert by_sgp4.tolist() == deep


def concatenated(parts: list[ElementSets]) -> ElementSets:
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    names = tuple(name for part in parts for name in part.name)
    return ElementSets(**columns, name=names, international_designator=names, source="SGP4-VER.TLE")
