"""Attacks on an edge beside the same edge with one check taken out, on which they succeed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.edges import Site, bring_in, deny, put_list
from support.governance import World, rule

from spotbeam.edge import enforcing
from spotbeam.edge.clock import Clock
from spotbeam.governance.entries import envelope
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.entries.words import HOUR_US, Span
from spotbeam.governance.void import Void
from spotbeam.service import conditions
from spotbeam.service.compiled import tables

HOUR_S = 3_600
Patch = pytest.MonkeyPatch
DENIED = ("deny", "BLOCKED_COUNTRY")
STALE = ("deny", "POLICY_STALE")
OK = ("allow", "OK")


def running(world: World, folder: Path) -> Site:
    site = Site(world, folder)
    site.publish()
    assert site.start().follow() is not None
    site.put({"id": "one"})
    return site


class TestFreeze:
    """A server that is silent for seven hours (rows 15 and 27)."""

    def outlived(self, tmp_path: Path) -> tuple[str, str]:
        """A grant that people let stand for six hours of silence."""
        world = World()
        bring_in(world, rule("ua", on_stale="deny", stale_after_us=6 * HOUR_US))
        site = running(world, tmp_path)
        site.passes(7 * HOUR_S)
        return site.verdicts()["one"]

    def lasting(self, tmp_path: Path) -> tuple[str, str]:
        """A switch-off that was signed for five hours, and whose end the server keeps back."""
        world = World()
        bring_in(world, rule("ua"))
        until = world.clock_us + 5 * HOUR_US
        name = world.change(
            PutRule(deny("off")), request=world.request(), window=Span(until_us=until)
        )
        world.approve(name, "bo", "cy")
        world.anchor()
        site = running(world, tmp_path)
        site.passes(7 * HOUR_S)
        return site.verdicts()["one"]

    def test_a_grant_does_not_outlive_what_was_signed(self, tmp_path: Path) -> None:
        assert self.outlived(tmp_path) == STALE

    def test_on_an_edge_that_never_takes_silence_for_silence_it_does(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        for module in (tables, conditions):
            monkeypatch.setattr(module, "is_stale", lambda *_: False)
        assert self.outlived(tmp_path) == OK

    def test_a_switch_off_ends_when_people_said(self, tmp_path: Path) -> None:
        assert self.lasting(tmp_path) == OK

    def test_on_an_edge_that_knows_no_time_but_the_logs_it_does_not(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        monkeypatch.setattr(Clock, "now_s", lambda clock: clock._time_s)
        assert self.lasting(tmp_path) == DENIED


class TestWithheld:
    """Whoever hands lists out keeps one from one edge (row 35)."""

    def banned(self, tmp_path: Path) -> tuple[str, str]:
        world = World()
        act, _ = put_list(world, "banned", 1, ["one"])
        who = WhoEntry(on_list=("banned",))
        off = deny("off", gate="list", who=who, on_stale="deny", stale_after_us=6 * HOUR_US)
        bring_in(world, rule("ua"), off, acts=[act])
        return running(world, tmp_path).verdicts()["one"]

    def test_nobody_is_let_in_by_a_list_that_is_kept_back(self, tmp_path: Path) -> None:
        assert self.banned(tmp_path) == STALE

    def test_on_an_edge_that_takes_it_for_empty_they_are(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        monkeypatch.setattr(
            enforcing, "_lists", lambda found, _: ({a.list: frozenset() for a in found.lists}, {})
        )
        assert self.banned(tmp_path) == OK


class TestTwoParsers:
    """An approval that can be read in two ways (row 32)."""

    def bound(self) -> bool:
        """Somebody writes genuine words with a space between them: the signature covers both."""
        world = World()
        change = world.change()
        world.approve(change, "bo")
        genuine = world.write(world.approval(change), "cy")
        world.add(genuine.replace(b'{"actor"', b'{ "actor"', 1))
        world.anchor()
        return world.status(change) == "bound"

    def test_it_is_void_to_every_reader(self) -> None:
        assert not self.bound()

    def test_to_a_reader_with_an_ordinary_parser_it_counts(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(envelope, "parse_canonical_object", _ordinary)
        assert self.bound()


def _ordinary(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise Void("not_canonical", "not JSON") from None
