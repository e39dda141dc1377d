"""Worlds for tests of routes: one shell, little ground, and the network that a test wants."""

from __future__ import annotations

from pathlib import Path

from spotbeam.assembly.build import build
from spotbeam.twin.nets import Net, net_of
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.world import World

SCENARIO = """
name = "routes"
view = "un"
[time]
start = "2026-01-01T00:00:00Z"
duration = "5m"
step = "15s"
[constellation]
shells = ["{shells}"]
[area]
resolution = 1
[network]
{network}
[[rule]]
id = "everywhere"
gate = "territory"
effect = "grant"
grounds = ["assumption:no-policy"]
"""


def world_with(network: str = "", shells: str = "starlink-gen1/1") -> World:
    """A world of one shell; `network` stands under `[network]`."""
    text = SCENARIO.format(network=network, shells=shells)
    return build(parse_scenario(text, place="routes"), Path.cwd(), with_terminals=False)


def net_with(network: str = "", shells: str = "starlink-gen1/1") -> Net:
    """Its network, propagated by sgp4."""
    return net_of(world_with(network, shells), engine="sgp4")
