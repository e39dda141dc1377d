"""An edge as a whole: silence, expiry, missing openings, spoofed clocks, frozen logs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h3.api.numpy_int as h3
import msgspec
import pytest
from support.edge_records import forked, junk, publish
from support.edges import KYIV, Site, bring_in, deny, put_list
from support.governance import LICENCE, World, rule, witness_quorum

from spotbeam.edge import edge as edge_module
from spotbeam.errors import MissingRecord, Unreachable
from spotbeam.governance.entries.acts import PutRule, SetRules, SetWitnesses
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry, WindowEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Span
from spotbeam.governance.seals import commitment, sealed_value
from spotbeam.governance.state import state_digest
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.keys import encode_base64
from spotbeam.record.tile_reader import directory
from spotbeam.record.witness import origin_hash
from spotbeam.service.rules import Rule

HOUR_S = 3_600
OK = ("allow", "OK")
STALE = ("deny", "POLICY_STALE")
ORDERED = ("deny", "BLOCKED_COUNTRY")
DARK = ("deny", "NOT_AUTHORISED")
PEOPLE = (
    {"id": "plain"},
    {"id": "clinic", "protection": "medical"},
    {"id": "mayday", "distress": True},
)


@pytest.fixture
def world() -> World:
    return World()


def running(world: World, folder: Path, **how: object) -> Site:
    site = Site(world, folder)
    site.publish()
    edge = site.start(**how)
    assert edge.follow() is not None
    site.put(*PEOPLE)
    return site


class TestSilence:
    """Cut the link for t (rows 15 and 27): each rule does what people signed for silence.

    The control is the first line of each table: with the link, nothing changes in that time.
    """

    @pytest.mark.parametrize(
        ("on_stale", "after_5h", "after_7h"),
        [
            ("hold", (OK, OK, OK), (OK, OK, OK)),
            ("deny", (OK, OK, OK), (DARK, OK, OK)),  # the clinic was served already
            ("allow_protected", (OK, OK, OK), (DARK, OK, OK)),
        ],
    )
    def test_a_grant(
        self, world: World, tmp_path: Path, on_stale: str, after_5h: tuple, after_7h: tuple
    ) -> None:
        how = {} if on_stale == "hold" else {"stale_after_us": 6 * HOUR_US}
        bring_in(world, rule("ua", on_stale=on_stale, **how))
        site = running(world, tmp_path)
        site.passes(7 * HOUR_S, witnessed=True)
        assert tuple(site.verdicts().values()) == (OK, OK, OK)
        site.passes(5 * HOUR_S)
        assert tuple(site.verdicts().values()) == after_5h
        site.passes(2 * HOUR_S)
        expected = tuple(STALE if each == DARK else each for each in after_7h)
        assert tuple(site.verdicts().values()) == expected
        # Whoever appears only now was not served before.
        site.put({"id": "new-clinic", "protection": "medical"})
        assert site.verdicts()["new-clinic"] == (STALE if on_stale == "deny" else OK)
        # And when the link is back, so is service.
        site.passes(1, witnessed=True)
        assert tuple(site.verdicts().values())[:3] == (OK, OK, OK)

    @pytest.mark.parametrize(
        ("on_stale", "plain", "clinic"),
        [("hold", OK, OK), ("deny", STALE, OK), ("allow_protected", STALE, OK)],
    )
    def test_a_deny_that_did_not_match(
        self, world: World, tmp_path: Path, on_stale: str, plain: tuple, clinic: tuple
    ) -> None:
        how = {} if on_stale == "hold" else {"stale_after_us": 6 * HOUR_US}
        bring_in(
            world,
            rule("ua"),
            deny("maritime", who=WhoEntry(plan=("maritime",)), on_stale=on_stale, **how),
        )
        site = running(world, tmp_path)
        assert tuple(site.verdicts().values()) == (OK, OK, OK)
        site.passes(7 * HOUR_S)
        assert site.verdicts() == {"plain": plain, "clinic": clinic, "mayday": OK}

    def test_a_deny_that_matched_spares_the_protected_where_people_said_so(
        self, world: World, tmp_path: Path
    ) -> None:
        bring_in(
            world,
            rule("ua"),
            deny("all", on_stale="allow_protected", stale_after_us=6 * HOUR_US),
        )
        site = running(world, tmp_path)
        assert site.verdicts() == {"plain": ORDERED, "clinic": ORDERED, "mayday": OK}
        site.passes(7 * HOUR_S)
        assert site.verdicts() == {"plain": ORDERED, "clinic": OK, "mayday": OK}

    def test_a_window_opens_and_closes_while_stale(self, world: World, tmp_path: Path) -> None:
        begin = world.clock_us + 2 * HOUR_US
        window = WindowEntry(from_us=begin, until_us=begin + HOUR_US)
        bring_in(world, rule("ua"), deny("night", when=(window,)))
        site = running(world, tmp_path)
        seen = []
        for _ in range(4):
            seen.append(site.verdicts()["plain"])
            site.passes(HOUR_S)
        assert seen == [OK, OK, ORDERED, OK]

    def test_a_change_ends_by_its_own_window_while_stale(
        self, world: World, tmp_path: Path
    ) -> None:
        bring_in(world, rule("ua"))
        world.pass_change(
            PutRule(deny("for-now")), window=Span(until_us=world.clock_us + 3 * HOUR_US)
        )
        site = running(world, tmp_path)
        assert site.verdicts()["plain"] == ORDERED
        site.passes(4 * HOUR_S)
        assert site.verdicts()["plain"] == OK

    def test_an_emergency_ends_by_itself_while_stale(self, tmp_path: Path) -> None:
        world = World(quorum=QuorumRule(persons=3, factors=2))
        world.pass_change(PutRule(rule("ua")), people=("bo", "cy", "dee"))
        name = world.say(
            Emergency(
                request=world.request(verb="deactivate"),
                grounds=(LICENCE,),
                acts=(PutRule(deny("off", emergency=True)),),
                lasts_us=5 * HOUR_US,
                impact="4" * 64,
                lapses_us=world.clock_us + DAY_US,
            ),
            "ada",
        )
        world.approve(name, "bo", "cy")
        world.anchor()
        site = running(world, tmp_path)
        assert site.verdicts()["plain"] == ("deny", "EMERGENCY_ACTION")
        site.passes(4 * HOUR_S)
        assert site.verdicts()["plain"] == ("deny", "EMERGENCY_ACTION")
        site.passes(2 * HOUR_S)
        assert site.verdicts()["plain"] == OK

    def test_distress_passes_whatever_is_silent(self, world: World, tmp_path: Path) -> None:
        site = running(world, tmp_path)
        assert site.verdicts()["mayday"] == OK
        assert site.verdicts()["plain"] == DARK
        site.passes(400 * 24 * HOUR_S)
        assert site.verdicts()["mayday"] == OK

    def test_it_says_how_long_it_has_heard_nothing(self, world: World, tmp_path: Path) -> None:
        site = running(world, tmp_path)
        assert site.edge.freshness().state == "fresh"
        site.passes(HOUR_S)
        found = site.edge.freshness()
        assert (found.state, found.silent_s) == ("stale", HOUR_S)
        site.passes(1, witnessed=True)
        assert site.edge.freshness().state == "fresh"

    def test_motion_that_lasts_is_stopped_by_the_clock_alone(
        self, world: World, tmp_path: Path
    ) -> None:
        cap = deny("cap", gate="mobility", thresholds=ThresholdsEntry(over_kmh="75", for_s="30"))
        bring_in(world, rule("ua"), cap)
        site = running(world, tmp_path)
        site.put({"id": "fast", "speed_kmh": 90.0})
        assert site.verdicts()["fast"] == OK
        site.passes(29)
        assert site.verdicts()["fast"] == OK
        site.passes(2)
        assert site.verdicts()["fast"] == ("deny", "MOVING_TOO_FAST_FOR_POLICY")


class TestSpoofedTime:
    """GNSS or NTP lie to the machine (row 34): nothing changes."""

    @pytest.mark.parametrize("spoofed_days", [-400, 400])
    def test_of_a_running_edge(self, world: World, tmp_path: Path, spoofed_days: int) -> None:
        end = world.clock_us + 10 * DAY_US
        bring_in(world, rule("ua", on_stale="deny", stale_after_us=6 * HOUR_US))
        world.pass_change(PutRule(deny("later")), window=Span(from_us=end))
        site = running(world, tmp_path)
        before = site.verdicts()
        site.wall_s += spoofed_days * 86_400
        site.passes(60)
        assert site.verdicts() == before
        # What is published now is still accepted, and still counts as now.
        site.passes(60, witnessed=True)
        assert site.verdicts() == before
        assert site.edge.freshness().silent_s == 0
        # The control: the same instant by the wall's word, on a machine that believes it.
        control = Site(world, tmp_path / "control")
        control.wall_s = site.wall_s
        control.publish()
        believing = control.start()
        assert believing.clock.now_s() == site.wall_s

    @pytest.mark.parametrize("spoofed_days", [-400, 400])
    def test_of_a_process_that_restarts(
        self, world: World, tmp_path: Path, spoofed_days: int
    ) -> None:
        bring_in(world, rule("ua", on_stale="deny", stale_after_us=6 * HOUR_US))
        site = running(world, tmp_path)
        site.passes(HOUR_S)
        site.wall_s += spoofed_days * 86_400
        site.start()
        site.put(*PEOPLE)
        assert site.verdicts()["plain"] == OK
        site.passes(6 * HOUR_S)
        assert site.verdicts()["plain"] == STALE

    def test_a_wall_that_is_behind_refuses_nothing_after_a_reboot(
        self, world: World, tmp_path: Path
    ) -> None:
        bring_in(world, rule("ua"))
        site = running(world, tmp_path)
        site.passes(30 * 86_400.0)
        site.boot, site.steady.at_s = "second", 3.0
        site.wall_s -= 400 * 86_400
        site.publish()
        assert site.start().follow() is not None

    def test_a_cold_edge_takes_no_time_from_the_future(self, world: World, tmp_path: Path) -> None:
        site = Site(world, tmp_path)
        site.publish(at_us=world.clock_us + 2 * DAY_US)
        assert site.start().follow() is None
        assert site.edge.follower.standings[0].code == "quorum_not_met"


class TestRestart:
    def test_it_enforces_from_its_disk_before_it_hears_anything(
        self, world: World, tmp_path: Path
    ) -> None:
        bring_in(world, rule("ua"))
        site = running(world, tmp_path)
        shutil.rmtree(site.log)
        site.passes(60)
        site.start()
        site.put(*PEOPLE)
        assert site.verdicts()["plain"] == OK
        assert any("from its disk" in each for each in site.edge.freshness().reasons)

    def test_an_old_image_is_stale_from_what_it_really_knows(
        self, world: World, tmp_path: Path
    ) -> None:
        """Row 37. The control is the restored edge before it asks anybody."""
        bring_in(world, rule("ua", on_stale="deny", stale_after_us=6 * HOUR_US))
        site = running(world, tmp_path)
        shutil.copytree(site.store, tmp_path / "image")
        bring_in(world, deny("since-then"))
        site.passes(10 * 86_400.0, witnessed=True)
        assert site.verdicts()["plain"] == ORDERED
        shutil.rmtree(site.store)
        shutil.copytree(tmp_path / "image", site.store)
        site.boot, site.steady.at_s = "restored", 9.0
        edge = site.start()
        site.put(*PEOPLE)
        assert "rule:since-then" not in edge.follower.walked.history.now.layers
        assert site.verdicts()["plain"] == STALE
        assert edge.freshness().silent_s >= 10 * 86_400
        assert edge.freshness().state == "stale"
        edge.follow()
        assert site.verdicts()["plain"] == ORDERED
        assert edge.freshness().state == "fresh"


class TestOpenings:
    """Lists and seals that are withheld from one edge (row 35)."""

    KITS = WhoEntry(not_on_list=("kits",))

    def site(self, tmp_path: Path, on_stale: str, given: bool) -> Site:
        world = World()
        act, rows = put_list(world, "kits", 1, ["plain", "clinic"])
        how = {} if on_stale == "hold" else {"stale_after_us": 6 * HOUR_US}
        allow = deny("allow-list", gate="list", who=self.KITS, on_stale=on_stale, **how)
        bring_in(world, rule("ua"), allow, acts=[act])
        site = running(world, tmp_path)
        site.put({"id": "stranger"})
        self.rows = rows
        if given:
            assert site.edge.take_openings({"lists/kits/1": rows}.get)
        return site

    @pytest.mark.parametrize("on_stale", ["hold", "deny", "allow_protected"])
    def test_with_its_rows_the_rule_does_what_it_says(self, tmp_path: Path, on_stale: str) -> None:
        site = self.site(tmp_path, on_stale, given=True)
        assert site.verdicts() == {
            "plain": OK,
            "clinic": OK,
            "mayday": OK,
            "stranger": ("deny", "NOT_LISTED"),
        }
        assert site.edge.freshness().state == "fresh"

    @pytest.mark.parametrize(
        ("on_stale", "plain", "clinic"),
        [("hold", OK, OK), ("deny", STALE, STALE), ("allow_protected", STALE, OK)],
    )
    def test_without_them_it_fails_as_people_said(
        self, tmp_path: Path, on_stale: str, plain: tuple, clinic: tuple
    ) -> None:
        site = self.site(tmp_path, on_stale, given=False)
        found = site.verdicts()
        assert found["stranger"] == found["plain"] == plain
        # `clinic` appeared together with the rule, so it had not been served before.
        assert found["clinic"] == clinic
        assert found["mayday"] == OK
        assert site.edge.freshness().state == "stale"
        (lack,) = site.edge.status().lacks
        assert (lack.what, lack.rules) == ("list:kits", ("allow-list",))
        row = site.edge.table.terminals.row(0)
        assert site.edge.answer(row).lacks == ("list:kits",)
        assert site.edge.take_openings({"lists/kits/1": self.rows}.get)
        assert site.verdicts()["stranger"] == ("deny", "NOT_LISTED")

    @pytest.mark.parametrize(
        "forged",
        [
            b"",
            b"terminal,salt\n",
            b"terminal,salt\nplain,AAAA\n",
            b"\xff\xfe",
            b'terminal,salt\n"plain',
            b"id,salt\nplain,AAAA\n",
        ],
    )
    def test_rows_that_do_not_lead_to_the_root_are_no_opening(
        self, tmp_path: Path, forged: bytes
    ) -> None:
        site = self.site(tmp_path, "deny", given=False)
        rows = self.rows
        swapped = rows.replace(b"plain", b"plane")
        for data in (forged, swapped, rows + b"stranger,AAAAAAAAAAAAAAAAAAAAAA==\n"):
            assert not site.edge.take_openings({"lists/kits/1": data}.get)
            assert site.edge.status().openings_refused == ("lists/kits/1",)
        assert site.edge.take_openings({"lists/kits/1": rows}.get)
        assert site.edge.status().openings_refused == ()

    def test_on_hold_the_last_version_that_is_held_stands(self, tmp_path: Path) -> None:
        site = self.site(tmp_path, "hold", given=True)
        act, _ = put_list(site.world, "kits", 2, ["stranger"])
        bring_in(site.world, acts=[act])
        site.publish()
        site.edge.follow()
        assert site.verdicts()["plain"] == OK
        assert site.verdicts()["stranger"] == ("deny", "NOT_LISTED")
        assert "version 1" in site.edge.status().lacks[0].does

    def test_what_was_given_is_there_after_a_restart(self, tmp_path: Path) -> None:
        site = self.site(tmp_path, "deny", given=True)
        site.start(give={"lists/kits/1": self.rows}.get)
        site.put(*PEOPLE)
        assert site.verdicts()["plain"] == OK

    def test_a_seal_that_cannot_be_opened_changes_nothing_and_is_said(
        self, world: World, tmp_path: Path
    ) -> None:
        cell = f"h3:{int(h3.latlng_to_cell(KYIV['lat_deg'], KYIV['lon_deg'], 4)):x}"
        rules = (deny("front", gate="cell", where=(cell,), who=WhoEntry(protection=("none",))),)
        value, salt = sealed_value(rules), bytes(range(16))
        bring_in(world, rule("ua"))
        seal = Seal(
            request=world.request(verb="restrict"),
            grounds=(LICENCE,),
            commitment=commitment(world.origin, "seal-1", value, salt),
            bounds=Bounds(where=("UA",), cells=(cell,), verb="restrict", lasts_us=5 * DAY_US),
            open_by_us=world.clock_us + 3 * DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        )
        world.say(seal, "ada", "seal-1")
        world.approve("seal-1", "bo", "cy")
        world.anchor()
        assert world.status("seal-1") == "bound"
        site = running(world, tmp_path)
        site.put({"id": "lviv", "lat_deg": 49.84, "lon_deg": 24.03})
        assert site.verdicts()["plain"] == OK
        rows = {name: site.edge.table.terminals.row(n) for n, name in enumerate(site.verdicts())}
        assert site.edge.answer(rows["plain"]).lacks == ("seal:seal-1",)
        assert site.edge.answer(rows["lviv"]).lacks == ()  # outside its bounds
        opening = (
            f'{{"value":{json.dumps(value.decode())},"salt":"{encode_base64(salt)}"}}'.encode()
        )
        assert not site.edge.take_openings({"seals/seal-1": opening[:-20]}.get)
        assert site.edge.take_openings({"seals/seal-1": opening}.get)
        assert site.verdicts()["plain"] == ("deny", "CELL_IS_DISABLED")
        assert site.verdicts()["clinic"] == site.verdicts()["lviv"] == OK
        site.passes(6 * 86_400.0)
        assert site.verdicts()["plain"] == OK  # its longest time is over


class TestGroundThatIsNotThere:
    """Entries can name ground that no map here has; none of them stops an edge."""

    @pytest.mark.parametrize("name", ["x-island", "QQ", "h3:fffffffffffffff", "UA-999"])
    @pytest.mark.parametrize(
        ("on_stale", "expected"), [("hold", OK), ("deny", STALE), ("allow_protected", STALE)]
    )
    def test_a_rule_fails_as_people_said(
        self, world: World, tmp_path: Path, name: str, on_stale: str, expected: tuple
    ) -> None:
        how = {} if on_stale == "hold" else {"stale_after_us": 6 * HOUR_US}
        odd = deny(
            "odd",
            where=("UA", name),
            who=WhoEntry(plan=("maritime",)),
            on_stale=on_stale,
            **how,
        )
        world.pass_change(PutRule(rule("ua")))
        world.pass_change(PutRule(odd), request=world.request(where=("UA", name)))
        if "rule:odd" not in world.now.layers:
            pytest.skip("the record does not let it in")
        site = running(world, tmp_path)
        assert site.verdicts()["plain"] == expected
        assert site.verdicts()["mayday"] == OK
        assert f"ground:{name}" in [lack.what for lack in site.edge.status().lacks]
        bring_in(world, deny("next"))
        site.publish()
        site.edge.follow()
        assert site.verdicts()["plain"] == ORDERED  # it goes on


class TestFrozenLog:
    """What is cosigned and never published, or published no more (row 29)."""

    def rounds(self, world: World) -> World:
        """A witness policy with addresses."""
        quorum = witness_quorum()
        lines = [
            f"{line} http://{line.split()[1]}.example" if line.startswith("witness") else line
            for line in quorum.policy.splitlines()
        ]
        changed = msgspec.structs.replace(quorum, policy="".join(f"{each}\n" for each in lines))
        world.pass_change(SetWitnesses(changed))
        return world

    def test_witnesses_tell_of_more_than_the_log_shows(self, world: World, tmp_path: Path) -> None:
        self.rounds(world)
        hashed = origin_hash(world.origin)
        notes: dict[str, bytes] = {}

        def reach(url: str):
            name = url.removeprefix("http://").partition(".")[0]
            assert url.endswith(hashed)
            if name not in notes:
                raise Unreachable(url, "no server answers there")
            return lambda path: notes[name] if path == "checkpoint" else None

        site = running(world, tmp_path, reach=reach)
        edge = site.edge
        notes |= {name: world.note(by=(name,)) for name in ("w1", "w2", "w3")}
        edge.ask_witnesses()
        site.steady.passes(40)
        edge.ask_witnesses()
        assert edge.freshness().state == "fresh"
        # The log gets a change signed by all witnesses, and publishes nothing of it.
        bring_in(world, deny("secret"))
        notes |= {name: world.note(by=(name,)) for name in ("w1", "w2")}
        del notes["w3"]
        edge.follow()
        assert "rule:secret" not in edge.follower.walked.history.now.layers
        edge.ask_witnesses()
        assert edge.freshness().state == "fresh"  # a log may take a moment to publish
        site.steady.passes(40)
        edge.ask_witnesses()
        assert edge.freshness().state == "behind"
        status = edge.status()
        assert [each.size for each in status.witnesses] == [len(world.entries)] * 2 + [None]
        assert status.witnesses[2].fault
        # The control: a reader that takes a cosigned checkpoint for the record itself.
        assert parse_signed_checkpoint(world.note())[0].size > status.size
        # Once it is published the edge is not behind any more.
        site.publish()
        edge.follow()
        edge.ask_witnesses()
        assert edge.freshness().state == "fresh"

    def test_a_cosigned_checkpoint_without_its_entries_is_not_accepted(
        self, world: World, tmp_path: Path
    ) -> None:
        site = running(world, tmp_path)
        before = site.edge.status()
        bring_in(world, deny("secret"))
        note = world.note()
        log = directory(site.log)
        site.edge.follower.close()
        site.sources = [lambda path: note if path == "checkpoint" else log(path)]
        edge = site.start()
        assert edge.follow() is None
        assert edge.follower.standings[0].code == MissingRecord.code
        assert edge.status().size == before.size

    def test_another_view_at_a_witness_is_evidence(self, world: World, tmp_path: Path) -> None:
        self.rounds(world)
        other = forked(world)
        junk(other, 1)
        bring_in(world, rule("ua"))
        note = other.note(by=("w3",))

        def reach(url: str):
            return lambda path: note if "w3" in url and path == "checkpoint" else None

        site = running(world, tmp_path, reach=reach)
        site.edge.ask_witnesses()
        found = site.edge.freshness()
        assert found.split
        assert found.state == "fresh"  # a split is not staleness
        assert len(site.edge.status().evidence) == 1
        assert site.verdicts()["plain"] == OK


class TestHalted:
    def test_it_says_so_and_is_stale_from_then_on(self, world: World, tmp_path: Path) -> None:
        bring_in(world, rule("ua", on_stale="deny", stale_after_us=6 * HOUR_US))
        site = running(world, tmp_path)
        world.pass_change(SetRules(version=7))
        site.publish()
        site.edge.follow()
        found = site.edge.freshness()
        assert found.state == "halted"
        assert any("version 7" in each for each in found.reasons)
        assert site.edge.ack() is None
        site.passes(7 * HOUR_S, witnessed=True)
        assert site.verdicts()["plain"] == STALE


class TestAnswers:
    def test_void_entries_are_listed(self, world: World, tmp_path: Path) -> None:
        bring_in(world, rule("ua"))
        junk(world, 150)
        site = running(world, tmp_path)
        status = site.edge.status()
        assert status.n_findings == 150
        assert len(status.findings) == 100
        assert status.findings[-1].index == len(world.entries) - 1
        assert site.verdicts()["plain"] == OK

    def test_the_ack_is_what_the_log_works_out_for_itself(
        self, world: World, tmp_path: Path
    ) -> None:
        site = running(world, tmp_path)
        assert Site(world, tmp_path / "none").start().ack() is None
        ack = site.edge.ack()
        assert ack.size == len(world.entries)
        assert ack.state_digest == state_digest(world.now)

    def test_nobody_is_served_before_anything_is_accepted(
        self, world: World, tmp_path: Path
    ) -> None:
        site = Site(world, tmp_path)
        site.start()
        assert site.edge.follow() is None
        site.put(*PEOPLE)
        assert site.verdicts() == {"plain": DARK, "clinic": DARK, "mayday": OK}
        assert site.edge.freshness().state == "unknown"

    def test_proposed_rules_are_prepared_and_have_no_effect(
        self, world: World, tmp_path: Path
    ) -> None:
        bring_in(world, rule("ua"))
        disk = h3.grid_disk(h3.latlng_to_cell(KYIV["lat_deg"], KYIV["lon_deg"], 5), 1)
        where = tuple(f"h3:{int(cell):x}" for cell in disk)
        request = world.request(where=where)
        change = world.change(PutRule(deny("cut", where=where, gate="cell")), request=request)
        world.anchor()
        site = running(world, tmp_path)
        site.edge.prepare()
        assert set(site.edge.table.overlay.cells) == set(where)
        assert site.verdicts()["plain"] == OK
        world.approve(change, "bo", "cy")
        world.anchor()
        assert world.status(change) == "bound"
        overlay = site.edge.table.overlay
        publish(world, site.log)
        site.edge.follow()
        assert site.verdicts()["plain"] == ("deny", "CELL_IS_DISABLED")
        assert site.edge.table.overlay is overlay

    @pytest.mark.parametrize("is_limited", [True, False])
    def test_one_person_who_proposes_does_not_keep_an_edge_busy(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_limited: bool
    ) -> None:
        if not is_limited:
            monkeypatch.setattr(edge_module, "_PREPARED_WIDTHS", 1_000)
            monkeypatch.setattr(edge_module, "_PREPARED_CELLS", 100_000)
        request = world.request(where=("UA",))
        belts = [deny(f"belt-{n}", guard_km=str(n), gate="cell") for n in range(1, 41)]
        world.change(*map(PutRule, belts), request=request)
        children = h3.cell_to_children(0x831E26FFFFFFFFF, 8)
        cells = [f"h3:{int(cell):x}" for cell in children]
        for part in (cells[:2_000], cells[2_000:4_000], cells[4_000:6_000]):
            world.change(PutRule(deny("cut", where=tuple(part), gate="cell")), request=request)
        approved = world.change(
            PutRule(deny("wide", guard_km="900", gate="cell")), request=request, by="bo"
        )
        world.approve(approved, "cy")
        for n in range(3):
            world.change(PutRule(deny(f"late-{n}", guard_km=str(50 + n), gate="cell")))
        world.anchor()
        site = running(world, tmp_path)
        seen: list[Rule] = []
        monkeypatch.setattr(site.edge.table, "prepared", lambda rules: seen.extend(rules))
        monkeypatch.setattr(site.edge.table, "install", lambda prepared: None)
        site.edge.prepare()
        widths = {each.guard_km for each in seen}
        drawn = {name for each in seen for name in each.where if name.startswith("h3:")}
        assert 900.0 in widths, "what people approve is got ready before anything else"
        assert (len(widths) <= 4) == is_limited
        assert (len(drawn) <= 5_000) == is_limited
