"""The report: one HTML file with a model's card and pictures, that opens anywhere and needs no network."""

from deltarule.inspection.report.diagram import diagram
from deltarule.inspection.report.evidence import Evidence, collect_evidence
from deltarule.inspection.report.page import html_report, render_page
from deltarule.inspection.report.predictions import Figure

__all__ = ["Evidence", "Figure", "collect_evidence", "diagram", "html_report", "render_page"]
