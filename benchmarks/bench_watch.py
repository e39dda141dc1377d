"""Ten years of history through all alert rules, beside one of them as a join of tables in pandas.

python benchmarks/bench_watch.py [ENTRIES]

The record is of `long_records`' mix with a contact and a claim to each round, some told years late;
100,000 entries hold about 10^4 contacts and claims. Folding it is `bench_fold`'s matter: here it is
read as history, and every rule is run over all of it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
from long_records import COUNTRIES, Writer

from spotbeam.chronicle.reading import Chronicle, read
from spotbeam.governance.entries.accounts import (
    Claim,
    Contact,
    Grade,
    Interest,
    Matter,
    Party,
    Source,
)
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.watch.alerts import alerts
from spotbeam.watch.decisions import decisions
from spotbeam.watch.replay import replay
from spotbeam.watch.rules import Settings
from spotbeam.watch.standing import pages, standings

PEOPLE = ("bo", "cy", "dee", "eli", "owner")
ROUND_US = 15 * HOUR_US


class Telling(Writer):
    """The long record's writer, among whose entries people tell of contacts and of each other."""

    def begin(self) -> None:
        world = self.world
        world.anchor()
        owner = Party(party="owner", name="The owner", kind="person", part_of="spotbeam-op")
        world.say(owner, "rex")
        for number, country in enumerate(COUNTRIES):
            name = f"state-{country.lower()}"
            world.say(Party(party=name, name=f"State {country}", kind="state"), "rex")
            world.say(Interest(party=name, where=(country,), kind="claimant"), "rex")
            if number % 20 == 19:
                world.anchor()

    def _round(self, number: int) -> None:
        world, draw = self.world, self.random
        for _ in range(2):
            country, late = draw.choice(COUNTRIES), draw.random()
            party = f"state-{country.lower()}"
            days = 2_000 if late < 0.02 else 40 if late < 0.3 else 1
            contact = Contact(
                person=draw.choice(PEOPLE),
                party=party,
                where=(country,),
                at_us=max(0, world.clock_us - int(days * DAY_US * draw.random())),
            )
            world.say(contact, "rex")
        if number % 4 == 0:
            month = "2026-11" if number < 100 else "2028"
            matter = Matter(title="A meeting", parties=("owner", party), date=month)
            about = world.say(matter, "rex")
            for stance in ("asserts", "denies"):
                source = Source(name=f"Paper {draw.randrange(40)}", published="2026-11-20")
                body = Claim(
                    about=about,
                    stance=stance,  # type: ignore[arg-type]
                    source=source,
                    quote="They met.",
                    names=("owner",),
                )
                claim = world.say(body, "rex")
                world.say(Grade(claim=claim, reliability="C", credibility=4), "dee")
        super()._round(number)
        world.clock_us += ROUND_US - HOUR_US


def cpu_s(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def joined(chronicle: Chronicle, at_us: int, counts_us: int) -> int:
    """A1 for contacts as a good user of pandas would: a row a person in a chain, merged and cut."""
    made = decisions(chronicle, at_us)
    chain = pd.DataFrame(
        [(each.id, person, each.at_us) for each in made for person in each.chain],
        columns=["decision", "person", "decided_us"],
    )
    told = chronicle.of(Contact)
    contacts = pd.DataFrame(
        [(each.id, each.body.person, each.body.at_us, each.witnessed_us) for each in told],
        columns=["contact", "person", "at_us", "shown_us"],
    )
    pairs = chain.merge(contacts, on="person")
    kept = pairs[
        (pairs.at_us <= pairs.decided_us)
        & (pairs.decided_us < pairs.at_us + counts_us)
        & (pairs.shown_us > pairs.decided_us)
    ]
    return len(kept)


def main(size: int) -> None:
    writer = Telling()
    writer.begin()
    for length in writer.rounds():
        if length >= size:
            break
    world = writer.world
    history, at_us = world.history(), world.clock_us
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading_s, chronicle = cpu_s(lambda: read(world.entries, history))
    rules_s, found = cpu_s(lambda: alerts(chronicle, at_us))
    replay_s, late = cpu_s(lambda: replay(chronicle, at_us))
    paging_s, shown = cpu_s(lambda: pages(standings(chronicle, found, at_us)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    years = (at_us - history.anchors[0]) / (365.25 * DAY_US)
    told = len(chronicle.of(Contact)) + len(chronicle.of(Claim))
    made = len(decisions(chronicle, at_us))
    print(
        f"{len(world.entries):,} entries in {years:.1f} years: {made:,} decisions, {told:,} "
        "contacts and claims\n"
    )
    print("| work | CPU s |\n| --- | ---: |")
    print(f"| read a folded record as history | {reading_s:.2f} |")
    print(f"| all 16 rules over all of it: {len(found):,} alerts | {rules_s:.2f} |")
    print(
        f"| replay: {len(late):,} late entries with the decisions they bear on | {replay_s:.2f} |"
    )
    print(f"| one page for each cause: {len(shown):,} | {paging_s:.2f} |")
    print(f"\nmemory beyond the fold's: {(after - before) / 1024:.0f} MiB")
    by_rule = Counter(alert.rule for alert in found)
    print("alerts: " + ", ".join(f"{rule} {by_rule[rule]:,}" for rule in sorted(by_rule)))
    counts_us = Settings().contact_counts_us
    pandas_s, pairs = cpu_s(lambda: joined(chronicle, at_us, counts_us))
    from spotbeam.watch import contacts

    ours_s, own = cpu_s(lambda: list(contacts.find(chronicle, at_us, Settings())))
    first = sum(alert.rule == "A1" for alert in own)
    print(
        f"\nA1 and A2 alone: {ours_s:.2f} CPU s for {first:,} pairs that share ground; a pandas "
        f"merge over persons and times, blind to ground: {pandas_s:.2f} CPU s for {pairs:,}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
