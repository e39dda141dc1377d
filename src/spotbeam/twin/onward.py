"""The way to the internet from every cell and terminal of a run, step by step, as counts.

The delay from every satellite to the nearest point of presence is settled once a period and once
for each set of landing rules; a site then takes the least of the satellites that it can use. What
it counts is the delay planned at the beginning of the period that a step lies in.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths import UNREACHABLE_NS, GroundLinks, satellite_delays_ns
from spotbeam.kernels.paths.onward import onward_ns
from spotbeam.kernels.visibility import Sites
from spotbeam.network.ground_segment import (
    GroundSegment,
    internet_ends,
    landing_classes,
    may_land,
)
from spotbeam.network.mesh import Limits, Mesh
from spotbeam.network.routing import Plan
from spotbeam.network.settings import Network
from spotbeam.network.topology import Topology
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import Propagator
from spotbeam.twin.nets import Net, net_of, periods
from spotbeam.twin.world import World
from spotbeam.units import SPEED_OF_LIGHT_KM_S

Ints = npt.NDArray[np.int64]
Delays = npt.NDArray[np.int32]


class OnwardInputs(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """All that a block needs of the network, whatever process computes it.

    Attributes:
        rules: The sets of landing rules that bind some site, as indices.
        cell_kind: (n_cell,), which of those binds each cell.
        terminal_kind: (n_terminal,).
    """

    settings: Network
    topology: Topology
    limits: Limits
    segment: GroundSegment
    period_us: int | None
    min_elevation_deg: float
    rules: list[tuple[int, ...]]
    cell_kind: Ints
    terminal_kind: Ints


def onward_inputs(world: World) -> OnwardInputs | None:
    """The network of a world as blocks need it; None where the scenario has none."""
    if world.scenario.network is None:
        return None
    net = net_of(world, engine="sgp4")
    names = world.ground.face_territories
    terminals = world.terminals
    of_cells = [names[face] for face in world.cell_face]
    of_terminals = [
        names[face] if face >= 0 else ()
        for face in world.ground.locate(terminals.lat_deg, terminals.lon_deg)
    ]
    rules, kind = landing_classes(net.settings.landing, [*of_cells, *of_terminals])
    return OnwardInputs(
        settings=net.settings,
        topology=net.mesh.topology,
        limits=net.mesh.limits,
        segment=net.segment,
        period_us=net.period_us,
        min_elevation_deg=net.min_elevation_deg,
        rules=rules,
        cell_kind=kind[: len(of_cells)],
        terminal_kind=kind[len(of_cells) :],
    )


class OnwardTally(NamedTuple):
    """Steps with a way on, and how long it was, of n sites over some consecutive steps.

    Attributes:
        routed: (n_segment, n), steps with a way, by segment of the policy.
        total_ns: one-way planned delays, added up; whole numbers, so that no order of adding them
            changes the sum.
        least_ns, most_ns: over the steps with a way; `UNREACHABLE_NS` and 0 without any.
    """

    steps: int
    routed: npt.NDArray[np.uint32]
    total_ns: npt.NDArray[np.uint64]
    least_ns: Delays
    most_ns: Delays


def onward_tally(delay_ns: Delays, segment: Ints, n_segments: int) -> OnwardTally:
    """Count one block: delays (n_time, n), ns, and the segment of each step, (n_time,)."""
    is_routed = delay_ns < UNREACHABLE_NS
    routed = np.zeros((n_segments, delay_ns.shape[1]), dtype=np.uint32)
    for index in np.unique(segment):
        routed[index] = is_routed[segment == index].sum(axis=0)
    return OnwardTally(
        steps=len(delay_ns),
        routed=routed,
        total_ns=np.where(is_routed, delay_ns, 0).sum(axis=0, dtype=np.uint64),
        least_ns=delay_ns.min(axis=0),
        most_ns=np.where(is_routed, delay_ns, 0).max(axis=0).astype(np.int32),
    )


def merge_onward(earlier: OnwardTally, later: OnwardTally) -> OnwardTally:
    """The tally of two blocks."""
    return OnwardTally(
        steps=earlier.steps + later.steps,
        routed=earlier.routed + later.routed,
        total_ns=earlier.total_ns + later.total_ns,
        least_ns=np.minimum(earlier.least_ns, later.least_ns),
        most_ns=np.maximum(earlier.most_ns, later.most_ns),
    )


class OnwardWorker:
    """Finds the ways of blocks; one lives in each process."""

    def __init__(self, inputs: OnwardInputs, elements: ElementSets, propagator: Propagator) -> None:
        self._inputs = inputs
        self._net = Net(
            settings=inputs.settings,
            elements=elements,
            mesh=Mesh(inputs.topology, propagator, inputs.limits),
            segment=inputs.segment,
            period_us=inputs.period_us,
            min_elevation_deg=inputs.min_elevation_deg,
        )
        self._allowed = [
            may_land(inputs.segment, inputs.settings.landing, rules) for rules in inputs.rules
        ]

    def delays_ns(self, times_us: Ints, cells: Sites, terminals: Sites) -> tuple[Delays, Delays]:
        """Planned one-way delays to the internet: (n_time, n_cell) and (n_time, n_terminal)."""
        found = (
            np.full((len(times_us), len(cells.up_ecef)), UNREACHABLE_NS, dtype=np.int32),
            np.full((len(times_us), len(terminals.up_ecef)), UNREACHABLE_NS, dtype=np.int32),
        )
        kinds = (self._inputs.cell_kind, self._inputs.terminal_kind)
        for period, group, _ in periods(self._net, times_us):
            onward = self._onward(period)
            for sites, kind, out in zip((cells, terminals), kinds, found, strict=True):
                out[group] = onward_ns(
                    sites,
                    kind,
                    period.now.position_ecef_km,
                    period.until.position_ecef_km,
                    onward,
                    self._inputs.min_elevation_deg,
                    self._inputs.limits.max_ground_km,
                    1e9 / SPEED_OF_LIGHT_KM_S,
                )
        return found

    def _onward(self, period: Plan) -> Delays:
        """Delay from every satellite to the internet, for each set of rules: (n_kind, n_sat)."""
        net = self._net
        reach = net.mesh.reach(net.segment.gateways, period.now, period.until)
        offset, satellite, delay = [0], [], []
        for allowed in self._allowed:
            links = internet_ends(net.segment, reach, allowed).links
            satellite.append(links.satellite)
            delay.append(links.delay_ns)
            offset.append(offset[-1] + len(links.satellite))
        ends = GroundLinks(
            np.array(offset, dtype=np.int64), np.concatenate(satellite), np.concatenate(delay)
        )
        return np.ascontiguousarray(satellite_delays_ns(period.links, ends).T)


def round_trip_ms(one_way_ns: npt.ArrayLike, settings: Network) -> npt.NDArray[np.float64]:
    """Round trips of planned one-way delays, with what the terminal waits and the first satellite.

    The plan counts a satellite for each link between two, which leaves one.
    """
    latency = settings.latency
    across_ms = np.asarray(one_way_ns, dtype=np.float64) / 1e6 + latency.satellite_ms
    return np.asarray(2.0 * across_ms + latency.terminal_round_trip_ms)
