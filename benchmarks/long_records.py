"""A long record of a realistic mix, for the benchmarks of the fold.

A round has a few requests, refusals and contacts, some changes with two approvals each, and an
anchor that three witnesses signed. The rules are those of some 150 countries, their oblasts and
single cells, worded anew over the years; lists get version after version.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.governance import LICENCE, World, rule

from spotbeam.governance.anchors import root_of
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import Act, PutList, PutRule
from spotbeam.governance.entries.asking import Arrival, Refusal
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.proposing import latest_version

COUNTRIES = [f"{a}{b}" for a, b in product("ABCDEFGHIJKLM", "ABCDEFGHIJKL")]
LISTS = [f"list-{number}" for number in range(20)]


@dataclass
class Mix:
    """How many of each in a round."""

    requests: int = 5
    refusals: int = 2
    changes: int = 3


class Writer:
    """Writes a record as its people would; `world.entries` grows."""

    def __init__(self, seed: int = 1, mix: Mix | None = None) -> None:
        self.world = World()
        self.random = random.Random(seed)
        self.mix = Mix() if mix is None else mix

    def rounds(self) -> Iterator[int]:
        """Rounds without end; the number of entries so far."""
        for number in count():
            self._round(number)
            yield len(self.world.entries)

    def _round(self, number: int) -> None:
        world, mix, draw = self.world, self.mix, self.random
        country = draw.choice(COUNTRIES)
        asked = []
        for _ in range(mix.requests):
            if draw.random() < 0.3:
                world.log_says(Arrival(digest="1" * 64, channel="letter"))
            asked.append(world.request(where=(country,)))
        for request in asked[: mix.refusals]:
            quote = "The licence does not cover this district. " * 4
            world.say(Refusal(request=request, grounds=(LICENCE,), quote=quote), "dee")
        for place, request in enumerate(asked[-mix.changes :]):
            act = self._act(country, place)
            change = world.change(act, request=request)
            if change in world.now.changes and draw.random() < 0.9:
                world.approve(change, "bo", "cy")
        if draw.random() < 0.2:
            contact = Contact(person="eli", party="xx", where=(country,), at_us=world.clock_us)
            world.say(contact, "eli")
        if draw.random() < 0.02:
            world.add(b"not an entry")
        world.anchor(after_us=HOUR_US, root=root_of(world.now.frontier))
        if number % 200 == 199:
            world.clock_us += 40 * DAY_US

    def _act(self, country: str, place: int) -> Act:
        draw = self.random
        drawn = draw.random()
        if place == 0 and drawn < 0.3:
            name = draw.choice(LISTS)
            return PutList(
                list=name,
                version=latest_version(self.world.now, name) + 1,
                count=draw.randrange(10_000),
                root=f"{draw.getrandbits(256):064x}",
            )
        where: tuple[str, ...] = (f"{country}-{10 * place + draw.randrange(9)}",)
        name = f"{where[0]}-{draw.choice(('licence', 'cap'))}".lower()
        if drawn > 0.9:
            cells = draw.sample(range(7**3), 40)
            where = tuple(f"h3:85{0x1E2 << 40 | cell << 36 | (1 << 30) - 1:013x}" for cell in cells)
            name = f"cells-{country}-{place}".lower()
        who = WhoEntry(protection=("none",), mobility=("land",))
        return PutRule(rule(name, effect="grant", where=where, who=who))


def long_record(size: int, seed: int = 1) -> list[bytes]:
    """The entries of a record of at least `size`."""
    writer = Writer(seed)
    for length in writer.rounds():
        if length >= size:
            break
    return writer.world.entries
