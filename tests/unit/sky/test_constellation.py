"""Filed shells: what flies is what was filed. Everything is measured on propagated positions."""

from __future__ import annotations

import csv

import msgspec
import numpy as np
import pytest

from spotbeam.errors import InputError, UnknownName
from spotbeam.sky.constellation import (
    FIRST_CATALOGUE_NUMBER,
    Shell,
    default_min_elevation_deg,
    mean_motion_rev_day,
    shell_elements,
    shells_named,
    system,
    systems,
)
from spotbeam.sky.propagation import Sgp4Propagator

EPOCH_US = 1_767_225_600_000_000  # 2026-01-01
EQUATORIAL_RADIUS_KM = 6378.137
ALL_SHELLS = [shell for name in systems() for shell in system(name).shells]
PATTERNED = [shell for shell in ALL_SHELLS if shell.satellites <= 1800]


def test_every_filed_shell_is_there_with_its_source():
    assert len(ALL_SHELLS) == 34
    for shell in ALL_SHELLS:
        assert shell.source, shell.name
        assert shell.status, shell.name
        assert shell.phasing_source, shell.name
        assert shell.confidence in ("high", "medium", "low"), shell.name
    for name in systems():
        assert system(name).min_elevation_source, name
    totals = {name: sum(s.satellites for s in system(name).shells) for name in systems()}
    assert totals == {
        "guowang-gw-2": 6912,
        "guowang-gw-a59": 6080,
        "iridium-next": 66,
        "kuiper": 3236,
        "oneweb-phase1": 588,
        "oneweb-phase1-licence": 720,
        "oneweb-phase2": 6372,
        "starlink-gen1": 4408,
        "starlink-gen2": 29988,
        "telesat-1671": 1671,
        "telesat-lightspeed-298": 298,
    }


@pytest.mark.shared
def test_the_catalogue_is_the_collected_filings(shared_data):
    with (shared_data / "constellations" / "shells.csv").open() as file:
        filed = {
            (row["system"], row["shell"]): (
                float(row["altitude_km"]),
                float(row["inclination_deg"]),
                int(row["planes"]),
                int(row["sats_per_plane"]),
                row["confidence"],
            )
            for row in csv.DictReader(file)
        }
    ours = {
        tuple(shell.name.split("/")): (
            shell.altitude_km,
            shell.inclination_deg,
            shell.planes,
            shell.satellites_per_plane,
            shell.confidence,
        )
        for shell in ALL_SHELLS
    }
    assert ours == filed


@pytest.mark.parametrize("shell", ALL_SHELLS, ids=lambda shell: shell.name)
def test_altitude_means_altitude(shell):
    """The mean distance of propagated satellites over an orbit is what was filed."""
    elements = shell_elements(shell, EPOCH_US)
    few = elements.take(np.linspace(0, len(elements) - 1, 5).astype(int))
    orbit_us = int(86_400e6 / few.mean_motion_rev_day[0])
    times_us = EPOCH_US + np.arange(200, dtype=np.int64) * orbit_us // 200
    position_km, status = Sgp4Propagator(few).positions_teme_km(times_us)
    assert not status.any()
    altitude_km = np.linalg.norm(position_km, axis=-1).mean(axis=0) - EQUATORIAL_RADIUS_KM
    assert np.abs(altitude_km - shell.altitude_km).max() < 0.05


def test_the_often_quoted_mean_motion_is_not_550_km():
    """15.19 revolutions a day fly some forty kilometres lower."""
    assert mean_motion_rev_day(550.0, 53.0) == pytest.approx(15.0545, abs=5e-4)
    assert mean_motion_rev_day(509.0, 53.0) == pytest.approx(15.19, abs=0.01)


def geometry(elements, n_planes):
    """Node and argument of latitude of each satellite, (n_planes, n_slots), from positions.

    Positions a second apart span the plane of the orbit; averaging over an orbit takes out what
    the flattened Earth adds within one.
    """
    period_us = 86_400e6 / elements.mean_motion_rev_day[0]
    starts_us = EPOCH_US + (np.arange(24) * period_us / 24).astype(np.int64)
    engine = Sgp4Propagator(elements)
    here, _ = engine.positions_teme_km(starts_us)
    there, _ = engine.positions_teme_km(starts_us + 1_000_000)
    pole = np.cross(here, there)
    pole /= np.linalg.norm(pole, axis=-1, keepdims=True)
    node_direction = np.stack([-pole[..., 1], pole[..., 0], np.zeros(pole.shape[:-1])], axis=-1)
    node_direction /= np.linalg.norm(node_direction, axis=-1, keepdims=True)
    node = np.arctan2(node_direction[..., 1], node_direction[..., 0])
    along = np.cross(pole, node_direction)
    latitude = np.arctan2((here * along).sum(-1), (here * node_direction).sum(-1))
    latitude -= (2 * np.pi * np.arange(24) / 24)[:, np.newaxis]

    def mean_deg(angle):
        mean = np.degrees(np.angle(np.exp(1j * angle).mean(axis=0))) % 360
        return mean.reshape(n_planes, -1)

    return mean_deg(node), mean_deg(latitude)


def apart_deg(a, b):
    return np.abs((a - b + 180) % 360 - 180)


def off_pattern_deg(elements, shell):
    """How far the worst satellite stands from the Walker pattern of the shell, degrees.

    The pattern is written here once more, from Walker's definition, and not taken from the code.
    """
    node, latitude = geometry(elements, shell.planes)
    plane = np.arange(shell.planes)[:, np.newaxis]
    slot = np.arange(shell.satellites_per_plane)
    spread = {"delta": 360.0, "star": 180.0}[shell.pattern]
    total = shell.planes * shell.satellites_per_plane
    node_wanted = node[0, 0] + plane * spread / shell.planes
    latitude_wanted = (
        latitude[0, 0]
        + slot * 360.0 / shell.satellites_per_plane
        + plane * 360.0 * shell.phasing / total
    )
    return max(apart_deg(node, node_wanted).max(), apart_deg(latitude, latitude_wanted).max())


@pytest.mark.parametrize("shell", PATTERNED, ids=lambda shell: shell.name)
def test_planes_slots_and_phasing_fly_as_filed(shell):
    assert off_pattern_deg(shell_elements(shell, EPOCH_US), shell) < 0.05


STARLINK_1 = system("starlink-gen1").shells[0]


def test_the_pattern_test_can_fail():
    """Transposed, unphased, and star-for-delta shells are told from the real one."""
    elements = shell_elements(STARLINK_1, EPOCH_US)
    transposed = msgspec.structs.replace(STARLINK_1, planes=22, satellites_per_plane=72)
    unphased = msgspec.structs.replace(STARLINK_1, phasing=0)
    star = msgspec.structs.replace(STARLINK_1, pattern="star")
    for wrong in (transposed, unphased, star):
        assert off_pattern_deg(elements, wrong) > 1.0, wrong
        assert off_pattern_deg(shell_elements(wrong, EPOCH_US), STARLINK_1) > 1.0, wrong


def test_starlink_has_72_planes_of_22():
    node, latitude = geometry(shell_elements(STARLINK_1, EPOCH_US), 72)
    assert node.shape == (72, 22)
    np.testing.assert_allclose(apart_deg(node[1:, 0], node[:-1, 0]), 360 / 72, atol=0.01)
    np.testing.assert_allclose(apart_deg(latitude[0, 1:], latitude[0, :-1]), 360 / 22, atol=0.05)
    # F = 1: a plane leads the one before it by 360/1584 degrees; over 36 planes by half a slot.
    assert apart_deg(latitude[36, 0], latitude[0, 0]) == pytest.approx(36 * 360 / 1584, abs=0.05)


def test_polar_planes_of_a_star_fill_half_a_turn():
    node, _ = geometry(shell_elements(system("oneweb"), EPOCH_US), 12)
    np.testing.assert_allclose(apart_deg(node[1:, 0], node[:-1, 0]), 15.0, atol=0.01)
    assert apart_deg(node[-1, 0], node[0, 0]) == pytest.approx(165.0, abs=0.01)


def test_numbers_run_plane_by_plane_and_shell_by_shell():
    both = shells_named("starlink-gen1")[3:]
    elements = shell_elements(both, EPOCH_US)
    assert FIRST_CATALOGUE_NUMBER == 900_000_001
    assert elements.catalogue_number.tolist() == list(range(900_000_001, 900_000_001 + 348 + 172))
    assert np.unique(elements.raan_deg[:58]).size == 1
    assert elements.raan_deg[58] != elements.raan_deg[57]
    assert elements.name[348] == "starlink-gen1/5 01-01"
    assert elements.source == "catalogue:starlink-gen1"
    assert (elements.epoch_us == EPOCH_US).all()


def test_names_of_systems_and_shells():
    assert system("oneweb").id == "oneweb-phase1"
    assert [shell.name for shell in shells_named("kuiper/2")] == ["kuiper/2"]
    assert [s.name[-1] for s in shells_named("starlink-gen2")] == ["5", "6", "7"]
    assert len(shells_named("starlink-gen2/*")) == 9
    with pytest.raises(UnknownName, match="did you mean 'kuiper'"):
        system("kuipr")
    with pytest.raises(UnknownName, match="kuiper/9"):
        shells_named("kuiper/9")


def test_the_2017_licence_of_oneweb_is_taken_only_by_its_name():
    for alias in ("oneweb", "oneweb-phase1"):
        assert sum(shell.satellites for shell in shells_named(alias)) == 588
    assert sum(shell.satellites for shell in shells_named("oneweb-phase1-licence")) == 720


def test_the_mask_is_the_strictest_of_the_systems():
    assert default_min_elevation_deg(["starlink-gen1"]) == 25.0
    assert default_min_elevation_deg(["starlink-gen1/1", "kuiper"]) == 35.0
    assert default_min_elevation_deg() == 25.0


@pytest.mark.parametrize(
    "broken",
    [
        {"planes": 0},
        {"phasing": 6},
        {"altitude_km": 550_000.0},
        {"inclination_deg": 181.0},
    ],
)
def test_shells_that_cannot_be(broken):
    plain = {"name": "x", "altitude_km": 550.0, "inclination_deg": 53.0, "planes": 6}
    Shell(**plain, satellites_per_plane=4)
    with pytest.raises(ValueError, match=next(iter(broken)).partition("_")[0].rstrip("s")):
        Shell(**{**plain, **broken}, satellites_per_plane=4)


def test_no_shells_is_an_error():
    with pytest.raises(InputError, match="no shells"):
        shell_elements([], EPOCH_US)
