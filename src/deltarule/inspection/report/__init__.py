"""The report: one HTML file with a model's card and pictures, that opens anywhere and needs no network."""

from deltarule.inspection.report.diagram import diagram
from deltarule.inspection.report.evidence import Evidence, gather
from deltarule.inspection.report.page import html_report, whole_page
from deltarule.inspection.report.predictions import Shown

__all__ = ["Evidence", "Shown", "diagram", "gather", "html_report", "whole_page"]
