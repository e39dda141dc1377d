"""The program on the page for auditors, which uses nothing of ours, checks our records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.edge_records import junk, publish
from support.governance import World

from spotbeam.governance.anchors import genesis_digest

PAGE = Path(__file__).resolve().parents[2] / "docs/verify.md"


@pytest.fixture(scope="module")
def check() -> Any:
    (source,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert "spotbeam" not in source
    names: dict[str, Any] = {}
    exec(compile(source, str(PAGE), "exec"), names)
    return names["check"]


def test_it_accepts_a_whole_record_and_no_other(check: Any, tmp_path: Path) -> None:
    world = World()
    world.pass_change()
    junk(world, 600 - len(world.entries))
    publish(world, tmp_path)
    genesis = genesis_digest(world.entries[0])
    assert check(tmp_path, genesis) == (600, ["w1", "w2", "w3"])
    with pytest.raises(AssertionError, match="another entry 0"):
        check(tmp_path, "0" * 64)
    bundle = tmp_path / "tile/entries/001"
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b"junk", b"jank", 1))
    with pytest.raises(AssertionError, match="another root"):
        check(tmp_path, genesis)
    bundle.write_bytes(data)
    note = tmp_path / "checkpoint"
    note.write_bytes(world.note(logs=("a thief",)))
    with pytest.raises(Exception) as fault:  # noqa: PT011 (cryptography's own)
        check(tmp_path, genesis)
    assert type(fault.value).__name__ == "InvalidSignature"
    note.write_bytes(world.note(by=("w1",)))
    assert check(tmp_path, genesis) == (600, ["w1"])
