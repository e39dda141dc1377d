"""`spotbeam demo` as a newcomer runs it: the whole story, with real processes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import spotbeam


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spotbeam", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_story_ends_as_it_must_and_leaves_a_record_that_holds(tmp_path: Path) -> None:
    done = run("demo", "--no-browser", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    parts = [
        "A fresh record grants nothing",
        "network-director signs",
        "licence-officer signs",
        "→ clinic-kherson       allow  OK",
        "refuses it, in entry",
        "Nobody answered",
        "→ ambulance-mykolaiv   deny   MOVING_TOO_FAST_FOR_POLICY",
        "→ ambulance-mykolaiv   allow  OK",
        "3 witnesses sign the checkpoint",
        "the signature does not verify (bad_signature)",
        "clinic-simferopol    deny   NOT_AUTHORISED",
        "the log has signed two views",
        "Over Crimea every verdict is as before",
        "spotbeam record verify demo/server/record --genesis",
    ]
    place = 0
    for part in parts:
        found = said.find(part, place)
        assert found >= 0, (part, said[place:])
        place = found
    assert (tmp_path / "demo" / "forecast" / "report.html").exists()
    genesis = re.search(r"--genesis ([0-9a-f]{64})", said)
    assert genesis is not None
    checked = run(
        *("record", "verify", "demo/server/record", "--genesis", genesis[1]), folder=tmp_path
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("bad_signature") == 8
    folded = spotbeam.fold(tmp_path / "demo" / "server" / "record")
    statuses = sorted(
        "lapsed" if asked.has_lapsed(folded.now.witnessed_us) else asked.status
        for asked in folded.now.requests.values()
    )
    assert statuses == ["granted", "granted", "lapsed", "refused"]

    history = run(*("history", "UA-43", "--source", "demo/server/record"), folder=tmp_path)
    assert history.returncode == 0, history.stderr
    assert "never on here" in history.stdout
    assert "Turning it on was refused" in history.stdout

    again = run("demo", "--no-browser", "--out", "demo/server", folder=tmp_path)
    assert again.returncode == 2, "a folder that is not a demo's is not removed"
    assert (tmp_path / "demo" / "server" / "record").exists()
