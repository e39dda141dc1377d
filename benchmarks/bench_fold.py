"""Folding a record from entry 0, beside what its signatures and its JSON cost alone.

python benchmarks/bench_fold.py [ENTRIES]
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from long_records import long_record

from spotbeam.governance import proofs
from spotbeam.governance.entries import entry_bytes, parse_entry
from spotbeam.governance.history import fold
from spotbeam.governance.snapshots import read_snapshot, write_snapshot
from spotbeam.governance.state import State
from spotbeam.governance.void import Void


def cpu_s(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main(size: int) -> None:
    entries = long_record(size)
    checked: list[tuple[Any, ...]] = []
    real = proofs.check_proof

    def noted(*arguments: Any) -> None:
        checked.append(arguments)
        real(*arguments)

    from spotbeam.governance import roster

    roster.check_proof = noted  # type: ignore[attr-defined]
    fold(entries)
    roster.check_proof = real  # type: ignore[attr-defined]

    folding_s, history = cpu_s(lambda: fold(entries))
    signatures_s, _ = cpu_s(lambda: [real(*each) for each in checked])

    def read_all() -> None:
        for data in entries:
            with contextlib.suppress(Void):
                entry_bytes(parse_entry(data).envelope)

    json_s, _ = cpu_s(read_all)
    state: State = history.now
    writing_s, data = cpu_s(lambda: write_snapshot(state))
    reading_s, _ = cpu_s(lambda: read_snapshot(data))
    n = len(entries)
    print(f"{n:,} entries, {len(checked):,} people's signatures, {len(history.anchors):,} anchors")
    print(
        f"fold, all checked        {folding_s:7.2f} CPU s   {n / folding_s:8,.0f} entries a second"
    )
    print(f"  people's signatures    {signatures_s:7.2f} CPU s   {signatures_s / folding_s:6.0%}")
    print(f"  JSON, read and written {json_s:7.2f} CPU s   {json_s / folding_s:6.0%}")
    print(f"  the same for 10^5      {folding_s / n * 1e5:7.2f} CPU s")
    print(f"snapshot: {len(data) / 1e6:.1f} MB, written in {writing_s:.2f} CPU s")
    print(
        f"snapshot read            {reading_s:7.2f} CPU s   {folding_s / reading_s:6.1f} x faster"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
