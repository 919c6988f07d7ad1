"""Differential equations by deltarule and by others: error against seconds."""
