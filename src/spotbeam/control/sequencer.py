"""The one writer to a log: it adds entries, has them witnessed, publishes and anchors them."""

from __future__ import annotations

from spotbeam.control.recording import Recorded, Recorder

__all__ = ["Recorded", "Recorder"]
