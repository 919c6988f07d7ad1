"""The report on a model: one HTML file with text and figures, which loads nothing else."""

from deltarule.inspection.report.diagram import diagram
from deltarule.inspection.report.evidence import Evidence, collect_evidence
from deltarule.inspection.report.page import html_report, render_page, verdict_cards
from deltarule.inspection.report.predictions import Figure

__all__ = ["Evidence", "Figure", "collect_evidence", "diagram", "html_report", "render_page", "verdict_cards"]
