"""The picture of a route: its key fits on the sheet, and no scale is made up."""

from __future__ import annotations

import pytest

from spotbeam.land.gateways import GroundSite
from spotbeam.network.routing import Path
from spotbeam.report.map.map_canvas import WIDTH_IN, Sheet, text_width_in
from spotbeam.report.route_picture import chart, key_rows
from spotbeam.twin.routes import NO_ROUTE, Route, RouteStep

PATH = Path(
    satellites=(1,),
    length_km=1500.0,
    propagation_ms=5.0,
    fibre_ms=1.0,
    one_way_ms=15.0,
    round_trip_ms=30.0,
)


def route_of(*steps: Path | str) -> Route:
    return Route(
        origin=GroundSite(name="A", lat_deg=0.0, lon_deg=0.0),
        end=None,
        steps=tuple(
            RouteStep(time_us=15_000_000 * n, path=None, reason=each)
            if isinstance(each, str)
            else RouteStep(time_us=15_000_000 * n, path=each, reason=None)
            for n, each in enumerate(steps)
        ),
    )


@pytest.mark.parametrize("width_in", [3.0, 5.0, 8.0])
def test_the_key_fits_and_names_every_reason(width_in: float) -> None:
    rows = key_rows(route_of(PATH, *NO_ROUTE), width_in)
    for row in rows:
        ends = [x_in + text_width_in(text, 8.0) for x_in, text, _ in row]
        assert ends[-1] <= width_in
        assert all(end < x_in for end, (x_in, _, _) in zip(ends, row[1:], strict=False))
    shown = " ".join(text for row in rows for _, text, _ in row)
    for words in ("all of the model", *NO_ROUTE.values()):
        assert words in shown


def test_without_any_path_there_is_no_scale() -> None:
    sheet = Sheet(4.0)
    chart(sheet, route_of("no_gateway_in_reach"), 0.5, 0.5, WIDTH_IN - 1.0)
    (axes,) = sheet.figure.axes
    assert not len(axes.get_yticks())
    assert [text.get_text() for text in axes.texts] == ["no path"]
    assert len(key_rows(route_of("no_gateway_in_reach"), 8.0)) == 1

    sheet = Sheet(4.0)
    chart(sheet, route_of(PATH, "no_gateway_in_reach"), 0.5, 0.5, WIDTH_IN - 1.0)
    (axes,) = sheet.figure.axes
    assert max(axes.get_yticks()) >= 30.0
    assert not axes.texts
