"""Measured comparisons: what deltarule's documentation claims, run again by anyone."""
