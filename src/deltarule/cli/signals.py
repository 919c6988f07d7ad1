"""A request to end, as a scheduler or a shutdown sends it, ends a training like Ctrl-C: what was learnt is saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def end_like_interrupt() -> Iterator[None]:
    """Have SIGTERM raise KeyboardInterrupt; only the main thread of a process can, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
