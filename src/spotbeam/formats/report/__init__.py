"""The report of a forecast: a page that holds everything, and a fragment for notebooks."""

from spotbeam.formats.report.fragment import forecast_repr_html
from spotbeam.formats.report.page import report_html

__all__ = ["forecast_repr_html", "report_html"]
