"""Shells of one's own: the same pattern as a filed one, other tools' conventions, and mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from spotbeam.errors import ScenarioError
from spotbeam.sky.constellation import Shell, shell_elements
from spotbeam.sky.own_shells import OwnShell, own_shell_elements
from spotbeam.twin.scenario import parse_scenario

EPOCH_US = 1_767_225_600_000_000


def test_it_is_the_pattern_of_a_filed_shell() -> None:
    own = OwnShell(
        name="x", planes=6, satellites_per_plane=5, inclination_deg=60.0, altitude_km=800.0,
        phasing=2, pattern="star",
    )  # fmt: skip
    filed = Shell(
        name="x", planes=6, satellites_per_plane=5, inclination_deg=60.0, altitude_km=800.0,
        phasing=2, pattern="star",
    )  # fmt: skip
    one, other = own_shell_elements([own], EPOCH_US), shell_elements(filed, EPOCH_US)
    for column in ("raan_deg", "mean_anomaly_deg", "mean_motion_rev_day", "catalogue_number"):
        assert np.allclose(getattr(one, column), getattr(other, column))
    assert one.name[7] == "x 02-03"


def test_odd_planes_lead_by_half_a_slot_and_angles_are_rounded() -> None:
    shell = OwnShell(
        name="h", planes=72, satellites_per_plane=22, inclination_deg=53.0,
        mean_motion_rev_day=15.19, half_slot_in_odd_planes=True, decimals=4,
        epoch="2000-01-01T00:00:00Z",
    )  # fmt: skip
    found = own_shell_elements([shell], EPOCH_US)
    place = found.mean_anomaly_deg.reshape(72, 22)
    assert place[0, 1] == 16.3636
    assert place[1, 0] == 8.1818
    assert place[2, 0] == 0.0
    assert set(found.epoch_us.tolist()) == {946_684_800_000_000}
    assert shell.shift == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("altitude_km = 550", "unknown key 'altitude'"),
        ("", "give one of 'altitude_km' and 'mean_motion_rev_day'"),
        ("altitude_km = 550\nphasing = 3", "phasing 3 is not below 3 planes"),
        ("altitude_km = 50", "altitude_km"),
    ],
)
def test_a_mistake_is_named(line: str, message: str) -> None:
    text = (
        'name = "t"\n[[constellation.shell]]\nname = "a"\nplanes = 3\nsatellites_per_plane = 4\n'
        f"inclination_deg = 53.0\n{line}\n"
    )
    if "unknown" in message:
        text += "altitude = 5\n"
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, place="t.toml")
    assert message in str(caught.value)
