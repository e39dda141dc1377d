"""Who is in service: fleets made to order, and real ones counted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from spotbeam.formats.element_files import read_elements
from spotbeam.sky.constellation import Shell, shell_elements, system, systems
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.elements.values import COLUMNS
from spotbeam.sky.in_service import ServiceClass, classify, find_bands, mean_orbits
from spotbeam.sky.in_service.bands import clumping_of, is_even, planes_of
from spotbeam.sky.propagation import Sgp4Propagator, satrecs

EPOCH_US = 1_767_225_600_000_000
SAMPLES = Path(__file__).resolve().parents[2] / "data" / "in_service"
DOCS = Path(__file__).resolve().parents[3] / "docs" / "in-service.md"
SNAPSHOTS = {
    "starlink_2021-05-10": "starlink_2021-05-10.tle",
    "starlink_2024-05-20": "starlink_2024-05-20.omm.json.xz",
    "starlink_2026-06-14": "starlink_2026-06-14.tle.xz",
    "oneweb_2026-06-14": "oneweb_2026-06-14.tle",
    "kuiper_2026-06-14": "kuiper_2026-06-14.tle",
    "iridium_2026-06-14": "iridium_2026-06-14.tle",
}


def shell(altitude_km=550.0, planes=24, slots=20, inclination_deg=53.0, **more) -> ElementSets:
    return shell_elements(
        Shell(
            name="x/1",
            altitude_km=altitude_km,
            inclination_deg=inclination_deg,
            planes=planes,
            satellites_per_plane=slots,
            **more,
        ),
        EPOCH_US,
    )


def changed(elements, **columns) -> ElementSets:
    return ElementSets(
        **{**{name: getattr(elements, name) for name in COLUMNS}, **columns},
        name=elements.name,
        international_designator=elements.international_designator,
        source="test",
    )


def joined(*parts) -> ElementSets:
    """Fleets as one, numbered in the order given: later parts were launched later."""
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    columns["catalogue_number"] = np.arange(1, len(columns["epoch_us"]) + 1)
    names = tuple(name for part in parts for name in part.name)
    return ElementSets(**columns, name=names, international_designator=names, source="test")


def climbing(elements, km_day) -> ElementSets:
    axis_km = 6378.0 + 500.0
    trend = -0.75 * km_day * elements.mean_motion_rev_day / axis_km
    return changed(elements, mean_motion_dot_rev_day2=trend)


def train(altitude_km, n, node_deg, start_deg=0.0, arc_deg=25.0, tilt_deg=53.0) -> ElementSets:
    one = shell(altitude_km, 1, n, tilt_deg)
    return changed(
        one,
        raan_deg=np.full(n, node_deg),
        mean_anomaly_deg=(start_deg + np.linspace(0.0, arc_deg, n)) % 360.0,
    )


def stray(altitude_km, node_deg, km_day=0.0, tilt_deg=53.0) -> ElementSets:
    return climbing(train(altitude_km, 1, node_deg, tilt_deg=tilt_deg), km_day)


def classes(elements) -> list[str]:
    return [ServiceClass(code).name.lower() for code in classify(elements).code]


@pytest.mark.parametrize("name", systems())
def test_filed_shells_are_all_in_service(name):
    elements = shell_elements(system(name).shells, EPOCH_US)
    found = classify(elements)
    assert found.counts() == {
        "in_service": len(elements),
        "raising": 0,
        "lowering": 0,
        "drifting": 0,
        "decaying": 0,
        "outlier": 0,
    }
    altitudes = {(s.altitude_km, s.inclination_deg) for s in system(name).shells}
    assert len(found.bands) == len(altitudes)


def test_a_fleet_with_everything_in_it():
    fleet = joined(
        shell(),  # 480 on station
        *(stray(547.0, 15.0 * k + 7.0, -0.01) for k in range(5)),  # dead, out of their planes
        *(stray(552.0, 15.0 * k) for k in range(5)),  # locked to their planes, 2 km higher
        *(stray(535.0, 15.0 * k, -1.0) for k in range(5)),
        *(stray(280.0, 15.0 * k, -3.0) for k in range(5)),
        *(stray(380.0, 15.0 * k + 3.0, -6.0) for k in range(5)),
        stray(600.0, 40.0, tilt_deg=97.6),
        climbing(train(420.0, 20, 100.0, 90.0), 5.0),
        train(350.0, 60, 10.0),
        train(350.0, 60, 130.0, 200.0),
        train(350.0, 60, 250.0, 100.0),
    )
    assert classes(fleet) == (
        ["in_service"] * 480
        + ["drifting"] * 5
        + ["in_service"] * 5
        + ["lowering"] * 5
        + ["decaying"] * 10
        + ["outlier"]
        + ["raising"] * 200
    )
    (band,) = classify(fleet).bands
    assert band.altitude_km == pytest.approx(550.0, abs=6.0)  # mean elements, not mean radius
    assert (band.satellites, band.planes, band.even_planes) == (480, 24, 24)


def test_altitude_is_not_what_decides():
    """A fleet that has moved serves from where it is."""
    for altitude_km in (340.0, 471.0, 550.0, 1200.0):
        assert set(classes(shell(altitude_km))) == {"in_service"}


def test_trains_at_one_altitude_are_no_band_however_many():
    trains = [train(350.0, 60, 45.0 * k, 70.0 * k) for k in range(7)]
    found = classify(joined(shell(planes=6), *trains))
    assert found.counts()["in_service"] == 120
    assert found.counts()["raising"] == 420
    assert len(found.bands) == 1


def test_a_train_opened_out_over_its_plane_is_still_no_band_while_it_is_on_its_way():
    """What drifts apart along its plane fills it, but holds no altitude."""
    spread = [
        changed(part, mean_motion_rev_day=part.mean_motion_rev_day + np.linspace(-0.02, 0.02, 16))
        for part in (train(450.0, 16, 60.0 * k, arc_deg=337.5) for k in range(3))
    ]
    found = classify(joined(shell(630.0, 34, 4, 51.9), *spread))
    assert found.counts()["in_service"] == 136
    assert len(found.bands) == 1


def test_two_bands_of_one_inclination_both_serve():
    """Direct-to-cell satellites far below the rest of their inclination."""
    found = classify(joined(shell(485.0, 40, 40, 43.0), shell(360.0, 26, 13, 43.0)))
    assert found.counts()["in_service"] == 1600 + 338
    assert len(found.bands) == 2


def test_a_band_with_slots_empty_or_planes_half_filled_serves():
    full = shell(475.0, 40, 30)
    toss = np.random.default_rng(7)
    holes = full.take(np.sort(toss.permutation(len(full))[:840]))
    assert set(classes(holes)) == {"in_service"}
    half = full.take(np.nonzero((full.mean_anomaly_deg - 3 * full.raan_deg) % 360.0 < 190.0)[0])
    assert set(classes(half)) == {"in_service"}


def test_planes_at_altitudes_of_their_own_serve():
    """As OneWeb flies: each plane four kilometres from the next."""
    planes = [
        changed(shell(1175.0 + 4 * k, 1, 49, 87.9), raan_deg=np.full(49, 15.2 * k))
        for k in range(12)
    ]
    spare = changed(stray(1190.8, 0.0, tilt_deg=87.9), raan_deg=np.array([15.2 * 2]))
    found = classify(joined(*planes, spare))
    assert found.counts()["in_service"] == 588
    assert found.code[-1] == ServiceClass.DRIFTING


@pytest.mark.parametrize(("planes", "slots"), [(5, 2), (1, 10), (10, 1), (2, 5)])
def test_a_constellation_of_ten(planes, slots):
    assert set(classes(shell(600.0, planes, slots, 97.6))) == {"in_service"}


def test_ten_unlike_orbits_are_in_service_where_they_hold_still():
    parts = [stray(500.0 + 17.0 * k, 36.0 * k, tilt_deg=40.0 + 5.0 * k) for k in range(9)]
    falling = stray(480.0, 300.0, -2.0)
    assert classes(joined(*parts, falling)) == ["in_service"] * 9 + ["lowering"]


def test_nothing_but_a_train_is_not_in_service():
    assert set(classes(joined(train(330.0, 22, 80.0)))) == {"raising"}


def test_one_satellite_and_none():
    assert classes(stray(550.0, 10.0)) == ["in_service"]
    assert classify(shell().take(np.arange(0))).counts()["in_service"] == 0


def test_orbits_that_cannot_be_are_classed_and_nothing_warns():
    motion = np.array([5e-324, 1e-5, 20.0, 15.0])
    odd = changed(
        joined(*(stray(550.0, 10.0 * k) for k in range(4))),
        mean_motion_rev_day=motion,
        eccentricity=np.array([0.0, 0.999999, 0.5, 0.0]),
        mean_motion_dot_rev_day2=np.array([0.0, 1e10, -1e10, 0.0]),
    )
    assert classify(odd).code.shape == (4,)


def test_the_order_of_the_sets_does_not_matter():
    fleet = joined(shell(planes=12), train(350.0, 40, 10.0), stray(547.0, 7.0), stray(535.0, 0, -1))
    code = classify(fleet).code
    other = np.random.default_rng(3).permutation(len(fleet))
    np.testing.assert_array_equal(classify(fleet.take(other)).code, code[other])


def test_why_is_a_sentence_with_the_facts():
    found = classify(joined(shell(), stray(535.0, 0.0, -1.0)))
    assert found.why(480).startswith("lowering: ")
    assert "-1.0" in found.why(480)
    assert "480 satellites in 24 planes, 24 evenly filled" in found.why(0)


def test_mean_orbits_are_sgp4s():
    """Semi-major axis against SGP4's own; node and place against positions days later."""
    start = shell(700.0, 6, 8, 63.0)
    ages_us = np.arange(len(start)) % 5 * 21_600_000_000
    elements = changed(start, epoch_us=start.epoch_us - ages_us)
    orbits = mean_orbits(elements)
    axis_km = np.array([s.a for s in satrecs(elements)]) * 6378.135
    np.testing.assert_allclose(orbits.altitude_km, axis_km - 6378.137, atol=1e-6)
    moment_us = int(np.median(elements.epoch_us))
    here, _ = Sgp4Propagator(elements).positions_teme_km(np.array([moment_us]))
    there, _ = Sgp4Propagator(elements).positions_teme_km(np.array([moment_us + 1_000_000]))
    pole = np.cross(here[0], there[0])
    node_deg = np.degrees(np.arctan2(pole[:, 0], -pole[:, 1])) % 360
    off_deg = np.abs((node_deg - orbits.node_deg + 180) % 360 - 180)
    assert off_deg.max() < 0.1
    node = np.stack([np.cos(np.radians(node_deg)), np.sin(np.radians(node_deg))], axis=1)
    pole /= np.linalg.norm(pole, axis=1, keepdims=True)
    ahead = np.cross(pole, np.pad(node, ((0, 0), (0, 1))))
    place = np.degrees(
        np.arctan2((here[0] * ahead).sum(1), (here[0][:, :2] * node).sum(1)),
    )
    assert np.abs((place - orbits.latitude_deg + 180) % 360 - 180).max() < 0.2


def test_planes_are_cut_at_gaps_and_not_at_north():
    node_deg = np.array([359.9, 10.0, 0.1, 10.3, 200.0, 9.8])
    planes = [sorted(node_deg[plane].tolist()) for plane in planes_of(node_deg)]
    assert sorted(planes) == [[0.1, 359.9], [9.8, 10.0, 10.3], [200.0]]
    assert len(planes_of(np.linspace(0, 359.5, 720))) == 1


def test_evenness_and_clumping():
    even = np.arange(0, 360, 20.0)
    assert is_even(even)
    assert is_even(np.delete(even, [3, 11]))
    assert not is_even(even[:9])
    assert is_even(np.array([10.0, 190.0]))
    assert not is_even(np.array([10.0, 100.0]))
    assert clumping_of(even) == pytest.approx(0.0, abs=1e-12)
    assert clumping_of(np.array([40.0])) == pytest.approx(1.0)
    assert clumping_of(np.linspace(0, 25, 60)) > 0.98


# --- real fleets ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def snapshots(shared_data):
    found = {}
    for name, file in SNAPSHOTS.items():
        elements, _ = read_elements(shared_data / "constellations" / file)
        found[name] = (elements, classify(elements))
    return found


def documented() -> dict[str, dict[str, int]]:
    """The table of counts in the documentation."""
    rows = [line.strip("| \n").split("|") for line in DOCS.read_text().splitlines()]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == 8]
    head = [cell.strip("`") for cell in rows[0]]
    return {
        row[0].strip("`"): {
            kind: int(cell.replace(",", "")) for kind, cell in zip(head[1:], row[1:], strict=True)
        }
        for row in rows[2:]
    }


@pytest.mark.shared
def test_counts_are_those_that_the_documentation_states(snapshots):
    counts = {
        name: {"satellites": len(elements), **found.counts()}
        for name, (elements, found) in snapshots.items()
    }
    assert documented() == counts


@pytest.mark.shared
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_every_hand_checked_satellite_is_what_it_was_judged_to_be(snapshots, name):
    elements, found = snapshots[name]
    row_of = {int(n): row for row, n in enumerate(elements.catalogue_number)}
    judged, wrong = 0, []
    with (SAMPLES / f"{name}.csv").open() as file:
        for sample in csv.DictReader(file):
            row = row_of[int(sample["catalogue_number"])]
            for column in COLUMNS[2:-1]:
                assert float(sample[column]) == getattr(elements, column)[row], sample
            judged += 1
            if ServiceClass[sample["class"].upper()] != found.code[row]:
                wrong.append((sample["name"], sample["class"], found.why(row)))
    assert not wrong
    assert judged >= 18


@pytest.mark.shared
def test_2021_counts_the_910_on_station_and_says_what_it_leaves_out(snapshots):
    """The data's own notes count 910 at 53 degrees and 550 km, to ten kilometres."""
    _, found = snapshots["starlink_2021-05-10"]
    in_bin = np.abs(found.orbits.altitude_km + 0.002 - 550.0) <= 5.0
    assert abs(int(in_bin.sum()) - 910) <= 5
    serving = found.is_in_service
    assert 890 <= serving.sum() <= 915
    assert not (serving & ~in_bin).any()
    left_out = np.nonzero(in_bin & ~serving)[0]
    kinds = {ServiceClass(code).name for code in found.code[left_out]}
    assert kinds <= {"DRIFTING", "RAISING", "LOWERING"}
    assert 450 <= found.counts()["raising"] <= 520


@pytest.mark.shared
def test_2026_serves_from_where_it_flies(snapshots):
    """Filed altitudes would keep 2,090 of 10,544; most fly at 460 to 485 km."""
    elements, found = snapshots["starlink_2026-06-14"]
    bands = {(round(b.inclination_deg), round(b.altitude_km)) for b in found.bands}
    assert {(43, 485), (53, 463), (53, 471), (53, 540), (97, 462), (97, 546)} <= bands
    assert {(43, 358), (53, 360)} <= bands, "direct to cell"
    lowered = found.is_in_service & (np.abs(found.orbits.altitude_km - 474.0) < 15.0)
    assert lowered.sum() > 6000
    filed_km = np.array([540.0, 550.0, 560.0, 570.0, 525.0, 530.0, 535.0, 340.0, 345.0, 350.0])
    near_filed = np.abs(found.orbits.altitude_km[:, None] - filed_km).min(axis=1) <= 5.0
    assert near_filed.sum() < 0.25 * len(elements)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["starlink_2021-05-10", "starlink_2026-06-14", "oneweb_2026-06-14"]
)
def test_losing_a_tenth_of_the_sets_changes_nobodys_class(snapshots, name):
    """The method leans on no single satellite: a random tenth is taken away."""
    elements, found = snapshots[name]
    kept = np.sort(np.random.default_rng(5).permutation(len(elements))[: len(elements) * 9 // 10])
    again = classify(elements.take(kept))
    assert np.mean(again.is_in_service == found.is_in_service[kept]) > 0.995
    assert find_bands(mean_orbits(elements)) == found.bands
