"""Predictions of one trained network: one row at a time, and a hundred thousand."""
