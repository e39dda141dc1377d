"""A record goes on in another log: closed by its people, left by them, or filled again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.processes import Server, until
from support.switch import ORIGIN, RULES, Finished, Town, done, free_ports, run

from spotbeam.assembly.reading import read_record
from spotbeam.governance.history import intended
from spotbeam.http.client import fetch_from, get, post
from spotbeam.record.note import parse_note
from spotbeam.record.tiles import CHECKPOINT_PATH
from spotbeam.record.witness import origin_hash

NEXT = "log.example/strait-2"


VALLETTA = {"lat_deg": 35.9, "lon_deg": 14.5, "speed_kmh": 100, "verified": False}


class Story(Town):
    """A switch with a rule in force, and what its people do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "rules.toml").write_text(RULES)
        (folder / "drop.toml").write_text('drop_rule = ["mt-speed-cap"]\n')
        self.mirror = f"http://127.0.0.1:{self.ports['w3']}/mirror/{origin_hash(ORIGIN)}"
        (self.next_port,) = free_ports(1)
        self.next_url = f"http://127.0.0.1:{self.next_port}"
        assert "bound since" in self.passed("rules.toml", "chg-1")

    @property
    def keeper(self) -> Server:
        """The server of the first log."""
        assert self.log is not None
        return self.log

    def passed(self, draft: str | Path, name: str) -> str:
        """Propose a draft and have two factors approve it; what the last approver was told."""
        done(
            self.join("rex"), "request", "new", "--verb", "activate", "--where", "MT", "--asker",
            "harbour-office", "--channel", "letter", "--verified", "call-back",
            "--answer-by", "30d", "--ground",
            "authorisation:mt-1", "--ground", "order:mt-2", "--as", "rex", "--id", f"ask-{name}",
            "--wait",
        )  # fmt: skip
        done(self.join("ada"), "change", "propose", self.folder / draft, "--request",
             f"ask-{name}", "--as", "ada", "--id", name, "--yes", "--wait")  # fmt: skip
        done(self.join("bo"), "change", "approve", name, "--as", "bo", "--yes", "--wait")
        return done(self.join("cy"), "change", "approve", name, "--as", "cy", "--yes", "--wait")

    def next(self, after: Path) -> tuple[Path, str]:
        """The next log's workspace and key, which every witness is told."""
        folder = self.folder / "next"
        told = json.loads(
            done(self.folder, "init", folder, "--after", after, "--origin", NEXT, "--json")
        )
        for name in self.ports:
            done(self.folder, "witness", name, "--prepare", "--log", told["log_key"])
        return folder, told["log_key"]

    def goes_on(self, folder: Path, source: str) -> None:
        """Start the next log; everybody follows it, and a change that they pass there acts."""
        edge = self._started(
            "edge", source, self.next_url, "--genesis", self.genesis, "--store",
            self.folder / "store", "--port", 0, "--every", "50ms",
        )  # fmt: skip
        until(lambda: status(edge)["size"], "the edge follows the log that is left")
        assert verdict(edge) == "MOVING_TOO_FAST_FOR_POLICY"
        before = status(edge)
        assert before["origin"] == ORIGIN
        following = self._started("log", "--workspace", folder, "--port", self.next_port)
        until(lambda: get(f"{following.url}/checkpoint").status == 200, "it is published")
        self.everybody_reads(source, self.next_url, log=self.next_url)
        assert "bound since" in self.passed("drop.toml", "chg-3")
        until(lambda: verdict(edge) == "OK", "the change acts at the edge")
        after = status(edge)
        assert (after["origin"], after["n_findings"]) == (NEXT, before["n_findings"])
        now = read_record(source, self.next_url, genesis=self.genesis).history.now
        assert {each.rule.id for each in intended(now, now.witnessed_us).rules} == {"mt-authorised"}
        assert [each.origin for each in now.earlier] == [ORIGIN]
        assert not now.findings
        done(folder, "roster", "show")
        both = (source, self.next_url, "--genesis", self.genesis)
        assert NEXT in done(self.folder, "record", "verify", *both)
        mirror = self.mirror.replace(origin_hash(ORIGIN), origin_hash(NEXT))
        until(lambda: signers(mirror) >= signers(self.next_url), "the mirror has all signatures")
        # The next log is filled again from its mirror as the first is.
        assert following.stop() == 0
        (folder / "private" / "log.sqlite").unlink()
        told = json.loads(done(folder, "record", "restore", mirror, "--json"))
        assert told["size"] == told["shown"] == after["size"]
        again = self._started("log", "--workspace", folder, "--port", self.next_port)
        until(lambda: status(again)["log"]["standing"] == "witnessed", "it goes on")

    def everybody_reads(self, *record: str, log: str) -> None:
        """What people write into their own settings."""
        for name in ("ada", "bo", "cy", "rex"):
            settings = self.join(name) / "spotbeam.toml"
            lines = [
                line
                for line in settings.read_text().splitlines()
                if not line.startswith(("record", "log"))
            ]
            lines += [f"record = {json.dumps(record)}", f"log = {json.dumps(log)}"]
            settings.write_text("\n".join(lines) + "\n")


def status(server: Server) -> dict:
    return json.loads(get(f"{server.url}/status").body)


def signers(source: str) -> set[tuple[str, bytes]]:
    """Who has signed the checkpoint that a source shows, and what."""
    note = get(f"{source}/checkpoint").body
    return {(each.name, note.partition(b"\n\n")[0]) for each in parse_note(note).signatures}


def verdict(edge: Server) -> str:
    answer = post(f"{edge.url}/verdict", json.dumps({"id": "v", **VALLETTA}).encode())
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["verdict"]["reason"]


def complains(finished: Finished, code: int, *words: str) -> None:
    """One message, without a traceback, that says what is wrong and what to do."""
    assert finished.returncode == code, finished
    assert finished.stdout == ""
    assert finished.stderr.count("spotbeam: ") - finished.stderr.count("spotbeam: warning") == 1
    assert "Traceback" not in finished.stderr
    for word in words:
        assert word in finished.stderr


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_closed_log_is_followed_by_the_next_and_everybody_goes_along(story: Story) -> None:
    rows = Path("private") / "openings" / "lists" / "kits" / "1.csv"
    (story.operator / rows).parent.mkdir(parents=True)
    (story.operator / rows).write_text("terminal,salt\n")
    folder, key = story.next(story.operator)
    for name in (rows, "private/edge.token"):
        assert (folder / name).read_bytes() == (story.operator / name).read_bytes()
    draft, ada = folder / "close-log.toml", story.join("ada")
    # Before it is closed there is no next log.
    complains(run(folder, "log", "--port", 0), 2, "is not closed", "succession")
    # Drafts that name no next log.
    wrong = story.folder / "wrong.toml"
    for text, words in (
        ('key = "nonsense"', ("close_log, key", "init NEXT --after")),
        (f'key = "{story.log_key}"', ("already", "a name and a key of its own")),
        (f'key = "{key}"\nurl = "ftp://x"', ("close_log, url", "https://")),
        (f'key = "{key}"\n[close_log.witnesses]\nquorum = 1\nlog_key = "x"', ("take it out",)),
        (f'keys = "{key}"', ("keys",)),
    ):
        wrong.write_text(f"[close_log]\n{text}\n")
        found = run(ada, "change", "propose", wrong, "--request", "ask-chg-1", "--as", "ada",
                    "--yes")  # fmt: skip
        complains(found, 2, "wrong.toml", *words)
    assert "bound since" in story.passed(draft, "chg-2")
    shown = done(story.join("cy"), "change", "show", "chg-2")
    assert "closes this log as soon as it binds" in shown
    assert key in shown
    until(lambda: status(story.keeper)["log"]["standing"] == "closed", "the log is closed")
    late = run(story.join("rex"), "request", "withdraw", "ask-chg-1", "--as", "rex")
    assert late.returncode == 1
    story.goes_on(folder, story.url)


def test_a_log_that_lost_entries_is_filled_again_from_a_mirror(story: Story) -> None:
    operator = story.operator
    database = operator / "private" / "log.sqlite"
    complains(run(operator, "record", "restore", story.mirror), 2, "in use", "spotbeam.toml")
    assert story.keeper.stop() == 0
    backup = database.read_bytes()
    story.start_log()
    story.everybody_reads(story.url, log=story.url)
    assert "bound since" in story.passed("drop.toml", "chg-2")
    whole = get(f"{story.mirror}/checkpoint").body
    assert story.keeper.stop() == 0

    # The published files know that something is missing; without them the witnesses do.
    database.write_bytes(backup)
    complains(run(operator, "log", "--port", 0), 1, "were signed, but only", "record restore")
    shutil.rmtree(operator / "record")
    (operator / "record").mkdir()
    stopped = story._started("log", "--workspace", operator, "--port", 0)
    until(lambda: status(stopped)["log"]["standing"] == "stopped", "it stops")
    assert "spotbeam record restore" in status(stopped)["log"]["why"]
    stopped.close()
    told = json.loads(done(operator, "record", "restore", story.mirror, "--json"))
    assert 0 < told["before"] < told["size"] == told["shown"]

    # All of it is lost.
    database.unlink()
    complains(run(operator, "log", "--port", 0), 2, "no log here", "record restore")
    complains(run(operator, "record", "restore", "nowhere"), 2, "no such folder")
    assert not database.exists()
    told = json.loads(done(operator, "record", "restore", story.mirror, "--json"))
    assert (told["before"], told["size"]) == (0, told["shown"])
    story.start_log()
    story.everybody_reads(story.url, log=story.url)
    assert "bound since" in story.passed("rules.toml", "chg-4")
    note = fetch_from(story.url)(CHECKPOINT_PATH)
    kept = story.folder / "kept.checkpoint"
    kept.write_bytes(whole)
    assert note is not None
    done(operator, "record", "verify", "record", "--held", kept, "--genesis", story.genesis)


def test_a_log_whose_key_is_lost_is_left_by_its_people(story: Story) -> None:
    story.everybody_reads(story.mirror, log=story.next_url)
    ada, bo, cy, rex = (story.join(name) for name in ("ada", "bo", "cy", "rex"))
    assert story.keeper.stop() == 0
    (story.operator / "private" / "log.key").unlink()
    complains(run(story.operator, "record", "restore", "record"), 2, "log.key", "succession")
    for words in (
        ("--after", ada, "--origin", ORIGIN),
        ("--after", ada),
        ("--origin", NEXT),
        ("--after", ada, "--origin", NEXT, "--scenario", "black-sea"),
        ("--after", story.folder, "--origin", NEXT),
        ("--after", ada, "--origin", "a b"),
    ):
        complains(run(story.folder, "init", "next", *words), 2)
        assert not (story.folder / "next").exists()
    folder, _ = story.next(ada)
    statement = story.folder / "succession.json"
    why = ("--words", "The key was lost in a fire.")
    write = ("succession", "write")
    complains(run(ada, *write, story.folder / "rules.toml", *why), 2, "names no next log")
    complains(run(ada, *write, folder / "close-log.toml", *why, "--begin-by",
                  "2020-01-01T00:00:00Z"), 2, "is past")  # fmt: skip
    assert "fire" in done(ada, *write, folder / "close-log.toml", *why, "--out", statement)
    other = ada / "other.json"
    done(ada, *write, folder / "close-log.toml", "--words", "Another reason.", "--out", other)

    sign = ("succession", "sign", statement)
    complains(run(rex, *sign, "--as", "rex", "--yes"), 1, "does not decide")
    complains(run(cy, "succession", "sign", "spotbeam.toml", "--as", "cy", "--yes"), 2, "is none")
    complains(run(cy, *sign, "--as", "cy"), 2, "nothing is signed")
    moved = json.loads(statement.read_text())
    moved["previous"]["size"] -= 1
    (cy / "moved.json").write_text(json.dumps(moved))
    complains(run(cy, "succession", "sign", "moved.json", "--as", "cy", "--yes"), 2,
              "this machine follows", "sign nothing")  # fmt: skip
    assert not (cy / "private" / "signed.jsonl").read_text().count("succession")
    for name, place in (("ada", ada), ("bo", bo), ("cy", cy)):
        done(place, *sign, "--as", name, "--yes")
    done(cy, "succession", "sign", other, "--as", "cy", "--yes", "--out", "other.signature.json")
    a, b, c = (story.join(name) / f"{name}.signature.json" for name in ("ada", "bo", "cy"))
    begin = ("succession", "begin", statement)
    complains(run(folder, *begin, a), 1)
    complains(run(folder, *begin, a, b), 1, "the full quorum has not signed it")
    complains(run(folder, *begin, a, a, c), 1, "twice")
    complains(run(folder, *begin, a, cy / "other.signature.json"), 2, "over another statement")
    done(folder, *begin, a, c)
    complains(run(folder, *begin, a, c), 2, "has begun already")
    story.goes_on(folder, story.mirror)
    found = json.loads(done(cy, "change", "show", "chg-3", "--json"))["own_signatures"]
    # The signature over the other statement is in no record; the one that counted is.
    assert [each["type"] for each in found["missing"]] == ["succession"]
    assert found["foreign"] == []
