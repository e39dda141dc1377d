"""From an edge's receipt of a change to every live verdict changed; and verdicts a second.

    python benchmarks/bench_edge.py [--terminals 100000] [--rules 60]

A record with people, approvals and anchors is written and published here; the edge follows it from
its files. What is timed begins when the edge asks for the new entries and ends when the last live
verdict follows the new policy: reading, hashing, folding with every signature, the witness quorum,
the disk, compiling, deciding. 47 CFR 25.228 asks a terminal's network control to be obeyed in
100 ms. Beside each time stands what the same change takes an edge that cuts its ground anew, as
`land.territories.ground` does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.edge_records import publish
from support.edges import Site, deny, put_list
from support.governance import World, rule

from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry
from spotbeam.land.territories import ground
from spotbeam.service.compiled import bind, compile_policy, verdicts
from spotbeam.service.terminals import Terminals

COUNTRIES = ("UA", "RO", "MD", "PL", "SK", "HU", "BG", "TR", "GE", "BY")
ROUNDS = 5


def standing_rules(count):
    """Grants, and speed caps and orders that mostly ask about nobody here."""
    rules = [rule(f"{name.lower()}-ok", where=(name,)) for name in COUNTRIES]
    rules += [
        deny(
            f"{name.lower()}-cap",
            gate="mobility",
            where=(name,),
            who=WhoEntry(verified=False),
            thresholds=ThresholdsEntry(over_kmh="75", clear_below_kmh="65", for_s="10"),
        )
        for name in COUNTRIES
    ]
    rules += [
        deny(f"order-{number}", where=(COUNTRIES[number % 10],), who=WhoEntry(plan=("maritime",)))
        for number in range(count - len(rules))
    ]
    return rules


def terminals_of(n):
    source = np.random.default_rng(11)
    return Terminals.from_columns(
        {
            "id": np.char.add("kit-", np.arange(n).astype(str)),
            "lat_deg": source.uniform(43.0, 53.0, n),
            "lon_deg": source.uniform(20.0, 42.0, n),
            "position_error_m": source.choice([0.0, 20.0, 100.0], n),
            "speed_kmh": source.choice([0.0, 0.0, 50.0, 90.0], n),
            "verified": source.random(n) < 0.5,
            "protection": source.choice(["none", "none", "none", "medical"], n),
        }
    )


def cells(lat_deg, lon_deg):
    disk = h3.grid_disk(h3.latlng_to_cell(lat_deg, lon_deg, 5), 7)
    return tuple(f"h3:{int(cell):x}" for cell in disk)


class Bench:
    """A record that grows, and an edge that follows it."""

    def __init__(self, folder, n, n_rules):
        self.world = World()
        rules = standing_rules(n_rules)
        for at in range(0, len(rules), 40):
            self.world.pass_change(
                *(PutRule(each) for each in rules[at : at + 40]),
                request=self.world.request(where=COUNTRIES),
            )
        self.site = Site(self.world, folder)
        self.site.publish()
        self.edge = self.site.start()
        self.edge.follow()
        self.edge.put(terminals_of(n))
        self.lat = 44.5

    def propose(self, *acts, where=COUNTRIES):
        request = self.world.request(where=where)
        self.name = self.world.change(*acts, request=request)
        self.world.anchor()

    def bind(self):
        self.world.approve(self.name, "bo", "cy")
        self.world.anchor()
        assert self.world.status(self.name) == "bound", self.world.now.changes[self.name]

    def receive(self):
        """One receipt: how long, and how many verdicts it changed."""
        before = self.edge.table.columns.outcome.copy()
        publish(self.world, self.site.log)
        begin = time.perf_counter()
        assert self.edge.follow() is not None
        seconds = time.perf_counter() - begin
        return seconds, int((self.edge.table.columns.outcome != before).sum())

    def rule_change(self, number):
        if number % 2:
            self.propose(DropRule("cut-ua"), where=("UA",))
        else:
            self.propose(PutRule(deny("cut-ua", where=("UA",))), where=("UA",))
        self.bind()
        return self.receive()

    def cell_change(self, number, prepared=False, **how):
        self.lat += 0.8
        where = cells(self.lat if self.lat < 50 else 46.1 + self.lat % 1, 33.0)
        # The rule's earlier ground moves too, so the request names none: it is about everywhere.
        self.propose(PutRule(deny("cut-cells", gate="cell", where=where, **how)), where=())
        if prepared:
            publish(self.world, self.site.log)
            self.edge.follow()
            self.edge.prepare()
        self.bind()
        return self.receive()

    def list_change(self, number):
        ids = self.edge.table.terminals.id.to_pylist()[number::2]
        act, rows = put_list(self.world, "kits", number + 1, ids)
        listed = deny("listed", gate="list", who=WhoEntry(on_list=("kits",)))
        acts = [act] if number else [act, PutRule(listed)]
        self.propose(*acts)
        self.bind()
        publish(self.world, self.site.log)
        self.edge.follow()
        before = self.edge.table.columns.outcome.copy()
        begin = time.perf_counter()
        assert self.edge.take_openings({f"lists/kits/{number + 1}": rows}.get)
        seconds = time.perf_counter() - begin
        return seconds, int((self.edge.table.columns.outcome != before).sum())


def shown(what, runs):
    times = sorted(seconds for seconds, _ in runs)
    changed = statistics.median(count for _, count in runs)
    print(
        f"{what:<58} {1e3 * statistics.median(times):8.1f} ms"
        f"   ({1e3 * times[0]:.1f} to {1e3 * times[-1]:.1f}; {changed:,.0f} verdicts changed)"
    )


def the_slow_way(bench):
    """The last policy on a ground that is cut anew for its cells."""
    policy, terminals = bench.edge.table.policy, bench.edge.table.terminals
    named = {n for each in policy.rules for n in (*each.where, *each.except_)}
    begin = time.perf_counter()
    over = ground("un", cells=sorted(name for name in named if name.startswith("h3:")))
    compiled = compile_policy(policy, over)
    found = verdicts(compiled, bind(compiled, terminals), bench.edge.clock.now_us())
    seconds = time.perf_counter() - begin
    print(f"{'  the same cells, ground cut anew':<58} {1e3 * seconds:8.1f} ms")
    return found


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--terminals", type=int, default=100_000)
    asked.add_argument("--rules", type=int, default=60)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.terminals, options.rules)
        print(
            f"{options.terminals:,} live terminals, {options.rules} rules; receipt to all changed"
        )
        bench.rule_change(0), bench.rule_change(1)
        shown("a rule over a country", [bench.rule_change(n) for n in range(ROUNDS + 1)])
        bench.cell_change(0)
        shown("a rule over 169 new cells", [bench.cell_change(n) for n in range(ROUNDS)])
        the_slow_way(bench)
        runs = [bench.cell_change(n, prepared=True) for n in range(ROUNDS)]
        shown("  prepared while it was proposed", runs)
        runs = [bench.cell_change(n, guard_km="20") for n in range(ROUNDS)]
        shown("169 new cells with a guard band of 20 km", runs)
        runs = [bench.cell_change(n, prepared=True, guard_km="20") for n in range(ROUNDS)]
        shown("  prepared while it was proposed", runs)
        shown(
            f"a list of {options.terminals // 2:,}, from its file to all changed",
            [bench.list_change(n) for n in range(3)],
        )
        one_by_one(bench)


def one_by_one(bench):
    """Verdicts on one terminal at a time, as a request asks for them, without the HTTP."""
    rows = [bench.edge.table.terminals.row(n) for n in range(500)]
    bench.edge.answer(rows[0])
    begin = time.perf_counter()
    for row in rows:
        bench.edge.answer(row)
    each = (time.perf_counter() - begin) / len(rows)
    print(
        f"{'one verdict, with its reasons':<58} {1e3 * each:8.2f} ms   ({1 / each:,.0f} a second)"
    )


if __name__ == "__main__":
    main()
