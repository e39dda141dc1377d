"""`spotbeam forecast`: files, resume, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xarray as xr

from spotbeam.cli.forecast import main_reason


def test_the_files_agree_with_each_other(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]], small: Path, tmp_path: Path
) -> None:
    done = spotbeam("forecast", small, "--out", "out", "--workers", 1, "--json")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    summary = json.loads(done.stdout)
    assert summary == json.loads((out / "summary.json").read_text())
    names = {"summary.json", "cells.parquet", "terminals.parquet", "forecast.zarr"}
    assert {path.name for path in out.iterdir()} == names | {"report.html", "map.png"}

    cells = pq.read_table(out / "cells.parquet").to_pandas()
    fields = xr.open_zarr(out / "forecast.zarr").load()
    assert len(cells) == summary["area"]["cells"] == fields.sizes["cell"]
    assert fields.sizes["time"] == 40
    in_view = fields["satellites_in_view"].to_numpy()
    assert (cells["satellites_min"] == in_view.min(axis=0)).all()
    assert (cells["satellites_max"] == in_view.max(axis=0)).all()
    assert cells["satellites_mean"].to_numpy() == pytest.approx(in_view.mean(axis=0))
    assert cells["available_fraction"].to_numpy() == pytest.approx((in_view > 0).mean(axis=0))
    best = fields["best_satellite"].to_numpy()
    assert ((best == 0) == (in_view == 0)).all()
    assert best[best > 0].min() >= 900000001
    highest = fields["elevation_max_deg"].to_numpy()
    assert (highest[in_view > 0] >= 30 - 0.01).all()
    served = cells["status"] == "available"
    assert (cells["reason"].isna() == served).all()

    # Rules decide as they say: nothing outside the licence, lorries capped, clinics exempt.
    licensed = cells["territories"].map(
        lambda ids: bool({"UA", "UA/sea"} & set(ids)) and not {"UA-43", "UA-40"} & set(ids)
    )
    assert (cells.loc[~licensed, "status"] == "not_offered").all()
    fleets = {fleet["id"]: fleet["states"] for fleet in summary["fleets"]}
    assert fleets["clinics"]["denied"] < 10  # Crimea, where the licence does not reach
    assert fleets["lorries"] == {
        "served": 0,
        "limited": 0,
        "no_satellite": 0,
        "no_route": 0,
        "denied": 40,
    }


def test_workers_and_resume_do_not_change_a_byte(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]], small: Path, tmp_path: Path
) -> None:
    one = spotbeam("forecast", small, "--out", "one", "--workers", 1)
    two = spotbeam("forecast", small, "--out", "two", "--workers", 2)
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    for name in ("summary.json", "cells.parquet", "terminals.parquet", "report.html", "map.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_goes_on(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]],
    small: Path,
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    arguments = ["forecast", str(small), "--resolution", "4", "--duration", "5h", "--workers", "1"]
    started = subprocess.Popen(
        [sys.executable, "-m", "spotbeam", *arguments, "--out", "cut"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background ignores Ctrl-C, and so do its children: undo that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    progress = tmp_path / "cut" / ".progress"
    deadline = time.monotonic() + 120
    while len(list(progress.glob("*.npz"))) < 2 and started.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    started.send_signal(how)
    _, complaint = started.communicate(timeout=120)
    assert started.returncode == (130 if how is signal.SIGINT else -9), complaint
    assert "Traceback" not in complaint
    assert not (tmp_path / "cut" / "summary.json").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in progress.glob("0*.npz")}
    assert kept

    other = spotbeam("forecast", small, "--out", "cut")
    assert other.returncode == 2
    assert "holds another scenario's forecast" in other.stderr
    assert {path.name for path in progress.glob("0*.npz")} == set(kept)

    again = spotbeam(*arguments, "--out", "cut")
    whole = spotbeam(*arguments, "--out", "whole")
    assert (again.returncode, whole.returncode) == (0, 0), again.stderr
    for name in ("summary.json", "cells.parquet", "terminals.parquet"):
        same = [(tmp_path / folder / name).read_bytes() for folder in ("cut", "whole")]
        assert same[0] == same[1], name
    cut, full = (xr.open_zarr(tmp_path / name / "forecast.zarr") for name in ("cut", "whole"))
    assert cut.load().identical(full.load())
    assert not progress.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--resolution", 9], "resolution 9 is not within 0..6"),
        (["--duration", "soon"], "'soon' is not a duration"),
        (["--start", "yesterday"], "'yesterday' is not a time"),
        (["--elements", "absent.tle"], "there is no file"),
        (["--view", "marsian"], "unknown"),
        (["--workers", 0], "--workers"),
    ],
)
def test_wrong_options_are_one_message_and_no_files(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]],
    small: Path,
    tmp_path: Path,
    arguments: list[object],
    told: str,
) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = spotbeam("forecast", small, "--out", "out", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_something_else_is_left_alone(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]], small: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("ten years")
    done = spotbeam("forecast", small, "--out", "out")
    assert done.returncode == 2
    assert "files that are no forecast's" in done.stderr
    forced = spotbeam("forecast", small, "--out", "out", "--force")
    assert forced.returncode == 0, forced.stderr
    assert (tmp_path / "out" / "thesis.txt").read_text() == "ten years"


def _fleet(*groups: tuple[str, str | None, str | None, int]) -> dict[str, list[dict[str, object]]]:
    names = ("state", "reason", "rule", "terminals")
    return {"reasons": [dict(zip(names, group, strict=True)) for group in groups]}


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([("served", None, "licence", 9)], None),
        ([("served", None, None, 9), ("denied", "IN_OCEAN", "sea", 1)], "IN_OCEAN by sea"),
        ([("limited", "SLOW", "cap", 9), ("denied", "IN_OCEAN", None, 1)], "IN_OCEAN"),
        ([("served", None, None, 9), ("limited", "SLOW", "cap", 2)], "SLOW by cap"),
        ([("no_satellite", None, None, 2), ("denied", "X", None, 1)], "no_satellite"),
        (  # two without a way, for two reasons, outweigh one that is denied
            [
                ("denied", "NOT_AUTHORISED", None, 1),
                ("no_route", "no_gateway_in_reach", None, 1),
                ("no_route", "no_satellite_there", None, 1),
            ],
            "no_gateway_in_reach",
        ),
        (  # one reason by two rules
            [
                ("no_route", "no_gateway_in_reach", None, 3),
                ("denied", "SLOW", "a", 2),
                ("denied", "SLOW", "b", 2),
            ],
            "SLOW",
        ),
    ],
)
def test_the_main_reason_is_that_of_most_terminals_without_service(
    groups: list[tuple[str, str | None, str | None, int]], told: str | None
) -> None:
    assert main_reason(_fleet(*groups)) == told


def test_satellites_in_view_and_a_status_are_told_apart(
    spotbeam: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "ocean.toml").write_text(
        """
name = "ocean"
[time]
duration = "1m"
step = "60s"
[constellation]
shells = ["starlink-gen1"]
[area]
resolution = 2
bounds = [-45.0, -130.0, -35.0, -115.0]
[network]
mode = "bent_pipe"
[[rule]]
id = "licence"
gate = "territory"
effect = "grant"
where = ["XZ"]
grounds = ["authorisation:a"]
"""
    )
    shown = spotbeam("forecast", "ocean.toml", "--out", "out", "--workers", 1).stdout
    header = next(line for line in shown.splitlines() if line.startswith("territory"))
    row = next(line for line in shown.splitlines() if line.startswith("XZ"))
    for name in ("in view", "way on", "ms", "status: reason"):
        assert name in header
    assert re.search(r"100\.0 % +0\.0 % +– +out_of_view: no_gateway_in_reach", row)
