"""The HTML report of a run: where the rows went and why, in one file that opens offline."""

from cotdata.report.examples import Examples, collect_examples
from cotdata.report.html import render_report
from cotdata.report.rendered import collect_rendered

__all__ = ["Examples", "collect_examples", "collect_rendered", "render_report"]
