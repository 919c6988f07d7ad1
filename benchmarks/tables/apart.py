"""Run a function in a process of its own, with a limit of processor time."""

import json
import multiprocessing
import resource
import signal
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Work = Callable[[], dict[str, Any]]


def apart(work: Work, limit: float) -> dict[str, Any]:
    """What `work` returns, run in a fork of this process; "failed" with the reason where it raises or takes too long.

    Args:
        work: returns what JSON can say.
        limit: the seconds of the processor after which it is ended. The clock does not count: others may be running.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, work, int(limit)))
    child.start()
    there.close()
    try:
        text = here.recv()
        child.join()
    except EOFError:
        child.join()
        slow = child.exitcode == -signal.SIGXCPU
        text = json.dumps({"failed": f"not ready after {limit:.0f} s of the processor" if slow else "its process died"})
    return json.loads(text)


def _child(pipe: Connection, work: Work, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    warnings.simplefilter("ignore")
    try:
        found = work()
    except Exception as error:  # whatever a contestant raises is its result
        found = {"failed": f"{type(error).__name__}: {str(error).strip()[:300]}"}
    pipe.send(json.dumps(found))
