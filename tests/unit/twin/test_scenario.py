"""Scenarios: read strictly, refused with one clear message."""

import pytest

from spotbeam.assembly.scenarios import load_scenario, shipped_scenarios
from spotbeam.errors import InputError, UnknownName
from spotbeam.twin.scenario import parse_scenario

GOOD = """
name = "small"
[constellation]
shells = ["iridium-next"]
[[fleet]]
id = "ships"
count = 10
where = ["UA/sea"]
draw = "area"
"""


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_are_valid(name: str) -> None:
    assert load_scenario(name)[0].name == name


def test_a_scenario_is_one_frozen_value() -> None:
    one, two = parse_scenario(GOOD, place="a.toml"), parse_scenario(GOOD, place="b.toml")
    assert one == two
    assert hash(one) == hash(two)
    assert one.digest == two.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("shells", "shels"),
            "small.toml, constellation: unknown key 'shels'\n  did you mean 'shells'?",
        ),
        (('draw = "area"', 'draw = "aria"'), "fleet[0].draw"),
        (("count = 10", "count = 0"), "fleet[0].count"),
        (("count = 10", 'count = "ten"'), "it is 'ten'"),
        (("where", "wher"), "did you mean 'where'?"),
        (('name = "small"', "name = small"), "not valid TOML"),
        (('shells = ["iridium-next"]', ""), "give either 'shells' or 'elements'"),
        (("count = 10", 'count = 10\nfile = "x.csv"'), "give one of"),
        (("[constellation]", '[time]\nduration = "1 hour"\n[constellation]'), "is not a duration"),
        (("[constellation]", '[time]\nstart = "today"\n[constellation]'), "RFC 3339"),
        (
            ("[constellation]", '[time]\nduration = "1m"\nstep = "1h"\n[constellation]'),
            "longer than",
        ),
        (("[constellation]", "[area]\nresolution = 7\n[constellation]"), "area.resolution"),
        (
            ("[constellation]", "[network]\nmax_ground_km = 0\n[constellation]"),
            "network.max_ground_km: expected `float` > 0.0 (it is 0)",
        ),
        (
            ("[constellation]", "[network]\nmax_ground_km = 0.0\n[constellation]"),
            "network.max_ground_km: expected `float` > 0.0 (it is 0.0)",
        ),
        (('draw = "area"', 'draw = ""'), "not one of the known words: ''"),
        (
            ("[constellation]", "[network]\nlanding = [{of=['MD'],at=[]}]\n[constellation]"),
            "network, landing[0]: at = [] names nothing",
        ),
        (
            (
                "[constellation]",
                "[network]\nlanding = [{of=['MD'],at=['RO'],grounds=['order:a','foo']}]\n"
                "[constellation]",
            ),
            "network, landing[0], grounds: 'foo' is not of the form kind:id\n  as 'authorisation:",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(change: tuple[str, str], told: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(InputError) as refused:
        parse_scenario(GOOD.replace(*change, 1), place="small.toml")
    assert told in str(refused.value)
    assert "small" in str(refused.value)


def test_a_misspelt_shipped_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="did you mean 'black-sea'"):
        load_scenario("blacksea")
