"""Tracks that come with Spotbeam, of invented vessels."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from spotbeam.errors import UnknownName

_TRACKS = resources.files("spotbeam.twin") / "tracks"


def shipped_tracks() -> list[str]:
    """Their names."""
    names = (each.name for each in _TRACKS.iterdir())
    return sorted(name.removesuffix(".csv") for name in names if name.endswith(".csv"))


def track_path(given: str | Path) -> Path:
    """The file of a track, by its path or by the name of a shipped one.

    Raises:
        UnknownName: There is no such file, and none is shipped under this name.
    """
    if str(given) in shipped_tracks():
        return Path(str(_TRACKS / f"{given}.csv"))
    path = Path(given)
    if not path.exists() and not path.suffix:
        raise UnknownName("track", str(given), shipped_tracks(), place="TRACK")
    return path
