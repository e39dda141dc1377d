"""A log that runs: its own database, three signers, and every batch published as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.keys import Signer
from spotbeam.record.log import Log, create_log
from spotbeam.record.note import add_signatures
from spotbeam.record.policy import WitnessPolicy, parse_policy


class RunningLog:
    """Entries go in, signed and cosigned tiles come out, at `path / "tiles"`."""

    def __init__(self, path: Path, signer: Signer, witnesses: Sequence[Signer], now_s: int) -> None:
        self.tiles = path / "tiles"
        self.signer, self.witnesses, self.now_s = signer, witnesses, now_s
        create_log(path / "log.sqlite", signer.key.name)
        self.log = Log(path / "log.sqlite", self.tiles, signer)
        self.log.confirm(dict.fromkeys(self.names), self.policy)

    @property
    def names(self) -> list[str]:
        return [f"W{number}" for number in range(len(self.witnesses))]

    @property
    def policy_text(self) -> str:
        pairs = zip(self.names, self.witnesses, strict=True)
        lines = [f"log {self.signer.key}", *(f"witness {n} {each.key}" for n, each in pairs)]
        return "\n".join([*lines, f"group G all {' '.join(self.names)}", "quorum G"]) + "\n"

    @property
    def policy(self) -> WitnessPolicy:
        return parse_policy(self.policy_text.encode())

    def publish(self, entries: Sequence[bytes]) -> bytes:
        """Append a batch and publish it; the checkpoint."""
        self.log.append(entries)
        note = self.log.sign()
        point = parse_signed_checkpoint(note)[0]
        note = add_signatures(note, [cosign(point, each, self.now_s) for each in self.witnesses])
        self.log.publish(note, self.policy, now_s=self.now_s)
        return note

    def close(self) -> None:
        self.log.close()
