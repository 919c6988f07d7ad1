"""Levenberg-Marquardt against its peers: the same problems, the same starting parameters, one process.

It is the benchmark `lm`: python -m benchmarks lm.
"""
