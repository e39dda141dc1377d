"""Writes the picture of a route."""

from __future__ import annotations

from pathlib import Path

from spotbeam.assembly.route import RouteAnswer
from spotbeam.errors import OutputError
from spotbeam.formats.atomic import write_bytes
from spotbeam.report.route_picture import draw_route


def write_route_picture(path: Path, answer: RouteAnswer) -> None:
    """Draw a route over time and on a map, as a PNG file.

    Raises:
        OutputError: the file cannot be written there, or is not to be a PNG.
    """
    if path.suffix.lower() != ".png":
        raise OutputError("is not the name of a PNG file", place=str(path), hint="as route.png")
    image = draw_route(answer.world, answer.net, answer.route)
    try:
        write_bytes(path, image)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}", place=str(path), hint="choose another folder"
        ) from None
