"""When the command began, as near as a module of Python's can know; `deltarule.cli` imports it before all others."""

import time

STARTED = time.perf_counter()
