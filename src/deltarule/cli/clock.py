"""The time at which the command started, to within its first imports: `deltarule.cli` imports this module first."""

import time

STARTED = time.perf_counter()
