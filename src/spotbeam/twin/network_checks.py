"""What a scenario's table `[network]` cannot mean, though each of its values is well formed."""

from __future__ import annotations

from spotbeam.errors import ScenarioError
from spotbeam.network.settings import Landing, Network
from spotbeam.service.rules.sanity import GROUND_HINT, is_ground
from spotbeam.times import parse_duration


def refuse_contradictions_of_the_network(network: Network, place: str) -> None:
    """Refuse a network that cannot mean anything.

    Raises:
        InputError: a period that is none.
        ScenarioError: a landing rule that names nothing, or grounds not of the form `kind:id`.
    """
    if network.reconfigure != "always":
        parse_duration(network.reconfigure, place=f"{place}, reconfigure")
    for index, rule in enumerate(network.landing):
        _refuse_landing(rule, f"{place}, landing[{index}]")


def _refuse_landing(rule: Landing, place: str) -> None:
    for field, named in (("of", rule.of), ("at", rule.at)):
        if not named:
            raise ScenarioError(f"{field} = [] names nothing", place=place)
    for ground in rule.grounds:
        if not is_ground(ground):
            raise ScenarioError(
                f"{ground!r} is not of the form kind:id",
                place=f"{place}, grounds",
                hint=GROUND_HINT,
            )
