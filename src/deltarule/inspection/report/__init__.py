"""The report: one HTML file with a model's card and pictures, that opens anywhere and needs no network."""

from deltarule.inspection.report.evidence import Evidence, gather
from deltarule.inspection.report.page import Shown, html_report, whole_page

__all__ = ["Evidence", "Shown", "gather", "html_report", "whole_page"]
