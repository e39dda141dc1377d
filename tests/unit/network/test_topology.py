"""Who is linked with whom: order, seams, shifts, failures, and planes of real catalogues."""

from __future__ import annotations

import numpy as np
import pytest

from spotbeam.errors import InputError
from spotbeam.formats.element_files import read_elements
from spotbeam.network.mesh import Limits, link_lengths_km
from spotbeam.network.planes import _neighbours, sort_into_planes
from spotbeam.network.topology import (
    AHEAD,
    BEHIND,
    NEXT,
    PREVIOUS,
    GridShape,
    plus_grid,
    plus_grid_of_planes,
    with_failures,
    without_links,
)
from spotbeam.sky.constellation import shell_elements, shells_named
from spotbeam.sky.in_service import classify, mean_orbits
from spotbeam.sky.propagation import Sgp4Propagator

EPOCH_US = 1_767_225_600_000_000


def links_are_mutual(neighbour: np.ndarray) -> bool:
    rows = np.arange(len(neighbour))
    for column, back in ((AHEAD, BEHIND), (NEXT, PREVIOUS)):
        for one, other in ((column, back), (back, column)):
            linked = neighbour[:, one] >= 0
            if not (neighbour[neighbour[linked, one], other] == rows[linked]).all():
                return False
    return True


def test_rows_are_plane_by_plane_in_the_order_of_flight() -> None:
    (shell,) = shells_named("starlink-gen1/1")
    elements = shell_elements(shell, EPOCH_US)
    topology = plus_grid([GridShape(72, 22, shell.phasing)])
    assert topology.n_links == 2 * 1584
    assert links_are_mutual(topology.neighbour)
    node, place = elements.raan_deg, elements.mean_anomaly_deg
    ahead, beside = topology.neighbour[:, AHEAD], topology.neighbour[:, NEXT]
    assert np.allclose((place[ahead] - place) % 360.0, 360.0 / 22)
    assert (node[ahead] == node).all()
    assert np.allclose((node[beside] - node) % 360.0, 5.0)
    # Phasing counts, over the seam too: each leads its neighbour by F slots of 360 / T.
    assert np.allclose((place[beside] - place) % 360.0, 360.0 / 1584)


def test_a_transposed_shell_is_another_network() -> None:
    one, other = plus_grid([GridShape(72, 22, 1)]), plus_grid([GridShape(22, 72, 1)])
    assert not np.array_equal(one.neighbour, other.neighbour)
    elements = shell_elements(shells_named("starlink-gen1/1"), EPOCH_US)
    position = Sgp4Propagator(elements).positions_ecef_km(np.array([EPOCH_US]))[0][0]
    right, wrong = (link_lengths_km(each, position, Limits()) for each in (one, other))
    assert np.nanmax(right) < 2200.0  # neighbours in a plane are 1,970 km apart
    assert not np.isnan(right).any()
    assert np.isnan(wrong).mean() > 0.2  # behind the Earth


def test_a_star_has_a_seam_and_failures_take_both_ends() -> None:
    topology = plus_grid([GridShape(4, 5, None), GridShape(3, 3, 2)])
    assert (topology.neighbour[15:20, NEXT] == -1).all()
    assert (topology.neighbour[:5, PREVIOUS] == -1).all()
    assert links_are_mutual(topology.neighbour)
    numbers = np.arange(100, 129)
    failed = with_failures(topology, numbers, [107], [(100, 101)])
    assert not failed.is_up[7]
    assert (failed.neighbour != 7).all()
    assert (failed.neighbour[7] == -1).all()
    assert failed.neighbour[0, AHEAD] == failed.neighbour[1, BEHIND] == -1
    assert links_are_mutual(failed.neighbour)
    with pytest.raises(InputError, match="catalogue number 5"):
        with_failures(topology, numbers, [5])
    with pytest.raises(InputError, match="are not linked"):
        with_failures(topology, numbers, links=[(100, 102)])


def test_links_keep_their_range_and_pass_no_lower_than_the_floor() -> None:
    topology = plus_grid([GridShape(2, 3, None)])
    r = 6378.137 + 550.0
    angle = np.radians([0.0, 30.0, 60.0])
    ring = r * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(3)])
    position = np.vstack([ring, ring + np.array([0, 0, 100.0])])
    lengths = link_lengths_km(topology, position, Limits())
    lowest_km = r * np.cos(np.radians(15.0)) - 6378.137
    assert lengths[0, AHEAD] == pytest.approx(2 * r * np.sin(np.radians(15.0)))
    assert np.isnan(lengths[2, AHEAD])  # 60 degrees apart: the Earth stands between
    assert lengths[0, NEXT] == pytest.approx(100.0)
    high = link_lengths_km(topology, position, Limits(link_floor_km=lowest_km + 1.0))
    assert np.isnan(high[0, AHEAD])
    short = link_lengths_km(topology, position, Limits(max_link_km=99.0))
    assert np.isnan(short).all()
    assert np.isnan(link_lengths_km(without_links(6), position, Limits())).all()


@pytest.mark.shared
def test_real_catalogues_fall_into_their_planes(shared_data) -> None:
    folder = shared_data / "constellations"
    iridium, _ = read_elements(folder / "iridium_2026-06-14.tle")
    serving = iridium.take(classify(iridium).is_in_service)
    (band,) = sort_into_planes(serving)
    assert len(band.rings) == 6
    assert sorted(map(len, band.rings)) == [11, 11, 11, 11, 11, 12]
    assert len(band.pairs) == 5  # a star: no links over the seam

    starlink, _ = read_elements(folder / "starlink_2026-06-14.tle.xz")
    serving = starlink.take(classify(starlink).is_in_service)
    planes = sort_into_planes(serving)
    topology = plus_grid_of_planes(len(serving), planes)
    assert sum(len(ring) for each in planes for ring in each.rings) == len(serving)
    assert links_are_mutual(topology.neighbour)
    degree = (topology.neighbour >= 0).sum(axis=1)
    assert degree.max() <= 4
    assert np.mean(degree >= 2) > 0.99
    altitude_km = mean_orbits(serving).altitude_km
    row, place = np.nonzero(topology.neighbour >= 0)
    apart_km = np.abs(altitude_km[row] - altitude_km[topology.neighbour[row, place]])
    assert np.mean(apart_km > 3.5) < 0.002  # bands at 471 and 475.5 km do not mix
    noon_us = int(np.median(serving.epoch_us))
    position = Sgp4Propagator(serving).positions_ecef_km(np.array([noon_us]))[0][0]
    for each in planes:
        for ring in each.rings:
            if len(ring) > 15:  # one plane: its satellites lie in it to 1.5 degrees
                normal = np.linalg.svd(position[ring])[2][2]
                off_deg = np.degrees(np.arcsin(position[ring] @ normal / 6850.0))
                assert np.abs(off_deg).max() < 2.5


def test_two_planes_are_neighbours_wherever_the_nodes_begin_to_count() -> None:
    for nodes in ([10.0, 70.0], [20.0, 340.0], [84.2, 115.8], [15.8, 344.2]):
        assert _neighbours(np.array(nodes)) == ((0, 1),)
    assert _neighbours(np.array([0.0, 180.0])) == ()
