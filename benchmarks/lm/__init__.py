"""Levenberg-Marquardt against its peers: the same problems, the same starting parameters, one process.

Run it with ``python -m benchmarks.lm``; see ``python -m benchmarks.lm --help``.
"""
