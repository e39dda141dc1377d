"""The report of a forecast: a page that holds everything, and a fragment for notebooks."""

from spotbeam.report.page.document import report_html
from spotbeam.report.page.fragment import forecast_repr_html

__all__ = ["forecast_repr_html", "report_html"]
