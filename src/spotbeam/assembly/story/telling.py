"""Plays the story from the first key to the insider, and says what happens as it happens."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast

import msgspec

from spotbeam.assembly.hands import signing
from spotbeam.assembly.previews import Seen, see
from spotbeam.assembly.proposals import prepare_change, propose
from spotbeam.assembly.sending import Desk, at_desk
from spotbeam.assembly.story.cast import (
    EXEMPTION,
    EXEMPTION_ID,
    LOOKED_AT,
    REFUSED_ON,
    REFUSED_WORDS,
    WITNESSES,
)
from spotbeam.assembly.story.setting import Setting, set_up, start_log
from spotbeam.assembly.story.stage import Stage
from spotbeam.assembly.workspace import follow
from spotbeam.control import approving, asking
from spotbeam.control.drafts import Draft, parse_draft
from spotbeam.control.writing import lapse_id
from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.words import DAY_US, SECOND_US, Ground, GroundKind, Verb
from spotbeam.http.client import get, post
from spotbeam.twin.impact.effects import EVERYWHERE

T = TypeVar("T")
Kind: TypeAlias = Literal["act", "line", "quote", "verdict", "warning"]
Say: TypeAlias = Callable[[Kind, str], object]
"""How each line is told: a heading, what happens, somebody's words, an answer of the edge."""

ANSWER_S = 10
"""How long the request that nobody answers waits: a real one waits for weeks."""
_PATIENCE_S = 30.0
_AMBULANCE = "ambulance-mykolaiv"
_WORDS = {"gained": "service begins", "lost": "service ends"}
_CRIMEA = ("UA-43", "UA-43/sea", "UA-40", "UA-40/sea")


class Ending(NamedTuple):
    """What is left when the story is over.

    Attributes:
        held: Whether every verdict over Crimea was the same before and after the insider.
    """

    setting: Setting
    size: int
    held: bool


def tell(folder: Path, say: Say) -> Ending:
    """Play the whole story in a new folder.

    Raises:
        SpotbeamError: A process did not start, or something did not happen that had to.
    """
    with Stage(folder / "logs") as stage:
        return _Telling(set_up(folder, stage), stage, say).all()


class _Telling:
    """The story under way."""

    def __init__(self, setting: Setting, stage: Stage, say: Say) -> None:
        self.setting = setting
        self.stage = stage
        self.say = say
        self.seen: dict[str, tuple[str, str]] = {}

    def all(self) -> Ending:
        self._introduce()
        self._bring_rules_in()
        silent = self._ask_in_vain()
        self._refuse()
        exemption = self._ask_to_exempt()  # worked out while the answer time of the first runs
        self._lapse(silent)
        self._exempt_ambulances(exemption)
        held = self._insider()
        return Ending(self.setting, self._edge_status()["size"], held)

    def _introduce(self) -> None:
        self.say("act", "The parties")
        self.setting.log.await_ready()
        self._await(self._is_witnessed, "three witnesses have signed")
        names = ", ".join(witness.organisation for witness in WITNESSES)
        self.say(
            "line",
            f"A log, {len(WITNESSES)} witnesses ({names}; the last keeps a copy) and an edge run "
            "as processes of their own. Five people hold keys of their own.",
        )
        self.say("line", f"The edge was told one thing by hand: entry 0 is {self.setting.genesis}.")

    def _await_edge(self) -> None:
        self.setting.edge.await_ready()
        post(
            f"{self.setting.edge.url}/terminals",
            msgspec.json.encode(LOOKED_AT),
            {"Content-Type": "application/json"},
        )
        words = "A fresh record grants nothing, and nor does a proposal: the edge serves nobody:"
        self._show(words)

    def _bring_rules_in(self) -> None:
        self.say("act", "The first rules")
        text = (self.setting.server.folder / "first-rules.toml").read_text(encoding="utf-8")
        draft = parse_draft(text, "first-rules.toml")
        draft = msgspec.structs.replace(
            draft, rules=tuple(rule for rule in draft.rules if rule.id != EXEMPTION_ID)
        )
        grounds = tuple(dict.fromkeys(each for rule in draft.rules for each in rule.grounds))
        where = tuple(dict.fromkeys(name for rule in draft.rules for name in rule.where))
        request = self._request(
            "registrar", "activate", where, "licensing-authority", grounds, 30 * DAY_US
        )
        change = self._propose(request, draft)
        self._await_edge()  # it compiles its kernels while the first impact is worked out
        self._sign(change, ("network-director", "licence-officer"))
        self._show("Two people of two parties have signed, witnesses have seen it:")

    def _ask_in_vain(self) -> str:
        self.say("act", "Three requests")
        silent = self._request(
            "registrar",
            "restrict",
            ("RO/sea",),
            "harbour-authority",
            ("order:harbour-letter",),
            ANSWER_S * SECOND_US,
        )
        self.say("line", f"{silent}: restrict ships off Romania; answer wanted in {ANSWER_S} s.")
        return silent

    def _ask_to_exempt(self) -> str:
        request = self._request(
            "registrar", "extend", ("UA",), "relief-consortium", ("contract:relief-2022",), DAY_US
        )
        self.say("line", f"{request}: the relief consortium asks to exempt medical terminals.")
        return self._propose(request, parse_draft(EXEMPTION, "exemption.toml"))

    def _exempt_ambulances(self, change: str) -> None:
        self._await(
            lambda: self._verdicts()[_AMBULANCE][0] == "deny" or None, "the speed cap bites"
        )
        self._show("Ten seconds above 75 km/h, and the speed cap bites, for the ambulance too:")
        self._sign(change, ("licence-officer", "network-director"))
        self._show("The ambulance still drives at 95 km/h, and is served; the other is not:")

    def _refuse(self) -> None:
        request = self._request(
            "registrar",
            "activate",
            _CRIMEA,
            "a-ministry",
            ("authorisation:ministry-letter",),
            DAY_US,
        )
        self.say("line", f"{request}: a ministry asks for service over Crimea.")
        with self._desk("licence-officer") as desk:
            entry = asking.refusal(
                desk.state,
                request,
                (_ground(REFUSED_ON),),
                REFUSED_WORDS,
                desk.signing.hand,
                id=desk.new_id("ref"),
                now_us=desk.now_us,
            )
            recorded = desk.send(entry, wait=True)
        self.say(
            "line", f"The licence officer refuses it, in entry {recorded.index}, on {REFUSED_ON}:"
        )
        self.say("quote", REFUSED_WORDS)

    def _lapse(self, silent: str) -> None:
        status = self._await(lambda: self._lapsed(silent), "the lapse is on record")
        self.say("line", f"Nobody answered {silent}: its lapse is on record, in entry {status}.")

    def _insider(self) -> bool:
        self.say("act", "An insider")
        self.say(
            "line",
            "Somebody holds every file of the server: the log's key, its database, what it "
            "publishes. They want Crimea on, or off.",
        )
        before = self._verdicts()
        size = self._edge_status()["size"]
        self.stage.end(self.setting.log)
        self._attack("append", str(self.setting.server.folder))
        log = start_log(self.stage, self.setting.server, self.setting.log_port)
        log.await_ready()
        status = self._await(
            lambda: _if(self._edge_status(), lambda found: found["findings"]),
            "the edge reads what the insider wrote",
        )
        self.say("line", "The edge reads the forged entries, and each is void. The last two:")
        for finding in status["findings"][-2:]:
            self.say("quote", f"entry {finding['index']}: {finding['reason']} ({finding['code']})")
        self._show("Nothing has changed over Crimea, neither on nor off:", only="clinic-simferopol")
        self.stage.end(log)
        self.say("line", "They try again: another history under the log's own key, in its place.")
        insider = self.stage.start(
            "insider",
            *("rewrite", self.setting.server.folder),
            *("--port", str(self.setting.log_port), "--keep", str(size - 4)),
            module="spotbeam.assembly.story.insider",
        )
        insider.await_ready()
        status = self._await(
            lambda: _if(self._edge_status(), _fault), "the edge sees the other history"
        )
        self.say("line", "The edge keeps what it has, and says why:")
        self.say("quote", _fault(status) or "")
        self._show("Nothing has changed over Crimea, neither on nor off:", only="clinic-simferopol")
        self.stage.end(insider)
        after = self._verdicts()
        start_log(self.stage, self.setting.server, self.setting.log_port).await_ready()
        self.say("line", "The real log is back; the edge goes on with it.")
        return before == after

    # -- what people do

    def _desk(self, person: str) -> Any:
        place = self.setting.people[person]
        return at_desk(place, signing(place, person, None, browser=False))

    def _request(
        self,
        by: str,
        verb: Verb,
        where: Sequence[str],
        asker: str,
        grounds: Sequence[str],
        answer_us: int,
    ) -> str:
        with self._desk(by) as desk:
            body = Request(
                verb=verb,
                where=tuple(where),
                asker=asker,
                channel="letter",
                verified=None if asker == by else "call-back",
                grounds=tuple(_ground(each) for each in grounds),
                answer_by_us=desk.now_us + answer_us,
            )
            name: str = desk.new_id("req")
            desk.send(
                asking.request(desk.state, body, desk.signing.hand, id=name, now_us=desk.now_us),
                wait=True,
            )
        return name

    def _propose(self, request: str, draft: Draft) -> str:
        """Propose, and show the impact; the change's id."""
        with self._desk("duty-officer") as desk:
            name: str = desk.new_id("chg")
            prepared = prepare_change(
                desk.state,
                draft,
                self.setting.folder,
                request,
                id=name,
                now_us=desk.now_us,
                place="the draft",
            )
            seen = self._impact(desk, prepared.body, name)
            self.say("line", "The preview, which each of them works out and signs:")
            for words in _previewed(seen):
                self.say("quote", words)
            propose(desk, prepared, seen.digest, wait=True)
        return name

    def _sign(self, name: str, people: Sequence[str]) -> None:
        """Have a proposal signed by each on their own machine, which works its impact out too."""
        for person in people:
            with self._desk(person) as desk:
                mine = self._impact(desk, desk.state.changes[name].proposal, name).digest
                entry = approving.approval(
                    desk.state,
                    name,
                    mine,
                    desk.signing.hand,
                    id=desk.new_id("apr"),
                    expires_us=desk.now_us + approving.USUAL_US,
                    now_us=desk.now_us,
                )
                recorded = desk.send(entry, wait=True)
                self.say("line", f"{person} signs, in entry {recorded.index}.")
        self._await(
            lambda: self._edge_status()["size"] > recorded.index + 1 or None, "the edge follows"
        )

    def _impact(self, desk: Desk, body: Any, name: str) -> Seen:
        return see(desk.workspace, desk.state, body, name, now_us=desk.now_us)

    # -- what the edge and the record say

    def _edge_status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(get(f"{self.setting.edge.url}/status").body)
        return status

    def _is_witnessed(self) -> bool | None:
        status = json.loads(get(f"http://127.0.0.1:{self.setting.log_port}/status").body)
        return status["log"]["standing"] == "witnessed" or None

    def _verdicts(self) -> dict[str, tuple[str, str]]:
        rows = json.loads(get(f"{self.setting.edge.url}/verdicts").body)["verdicts"]
        return {row["id"]: (row["outcome"], row["reason"]) for row in rows}

    def _show(self, words: str, only: str | None = None) -> None:
        """What the edge answers for the terminals that one looks at; changes are marked."""
        self.say("line", words)
        found = self._verdicts()
        for name, (outcome, reason) in found.items():
            if only is None or name == only:
                mark = "→" if name in self.seen and self.seen[name] != found[name] else " "
                self.say("verdict", f"{mark} {name:<20} {outcome:<6} {reason}")
        self.seen = found

    def _lapsed(self, request: str) -> int | None:
        place = self.setting.people["registrar"]
        state = follow(place).now
        return state.seen.get(lapse_id(request))

    def _await(self, ask: Callable[[], T | None], what: str) -> T:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            found = ask()
            if found is not None:
                return found
            time.sleep(0.1)
        raise SpotbeamError(f"it took too long until {what}", hint="run the demo again")

    def _attack(self, *words: str) -> None:
        """Run the insider's program to its end, and say what it came to."""
        done = subprocess.run(
            [sys.executable, "-m", "spotbeam.assembly.story.insider", *words],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode:
            raise SpotbeamError(f"the insider's program failed: {done.stderr.strip()[-300:]}")
        steps = [json.loads(line) for line in done.stdout.splitlines()]
        forged = next(step["entries"] for step in steps if step["step"] == "forged")
        signed = sum(step["step"] == "cosigned" for step in steps)
        self.say(
            "line",
            f"They write {forged} entries into the log, with approvals in the names of others, and "
            f"{signed} witnesses sign the checkpoint: a witness sees hashes, and the log grew.",
        )


def _previewed(seen: Seen) -> Iterator[str]:
    """What a change does, in a few lines: by kind of terminal, where the most people live."""
    effects = [
        each
        for view in seen.impact.public.seen
        for phase in view.phases
        for each in phase.effects
        if each.territory == EVERYWHERE and each.kind in _WORDS
    ]
    for each in sorted(effects, key=lambda each: (-each.people, each.reference))[:3]:
        yield (
            f"{each.reference}: {_WORDS[each.kind]} in {each.cells:,} cells, "
            f"where {each.people:,} people live"
        )
    for terminals in seen.impact.terminals:
        count = sum(terminals.kinds.get(kind, 0) for kind in _WORDS)
        yield f"{count:,} of the operator's {terminals.terminals:,} terminals, by its own claim"


def _ground(text: str) -> Ground:
    kind, _, name = text.partition(":")
    return Ground(kind=cast("GroundKind", kind), id=name)


def _fault(status: Mapping[str, Any]) -> str | None:
    """What the source that the edge reads has shown wrongly; that it is silent is not that."""
    shown = (each for each in status["sources"] if each["code"] not in (None, "unreachable"))
    return next((each["fault"] for each in shown), None)


def _if(value: T, holds: Callable[[T], object]) -> T | None:
    return value if holds(value) else None
