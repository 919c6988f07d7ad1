"""Run by the tests as each of several processes: train together, and in process 0 print how far from training alone.

python on_processes.py CASE;CASE... COORDINATOR PROCESSES PROCESS_ID [die | OPTIONS of `train` as JSON]

With "die" they then train once more, by the first case, and process 1 ends in its second epoch.
"""

import json
import os
import signal
import sys

import jax
from problem import apart, train

from deltarule.engine.processes import is_leader, join, own_share
from deltarule.errors import ProcessError

coordinator, processes, process_id = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
join(coordinator, processes, process_id)
dying = sys.argv[5:] == ["die"]
more = json.loads(sys.argv[5]) if len(sys.argv) > 5 and not dying else {}


def die(record):
    """End this process as the system ends one that took too much memory."""
    if process_id == 1 and record["epoch"] >= 2:
        os.kill(os.getpid(), signal.SIGKILL)


found, cases = {}, sys.argv[1].split(";")
for case in cases:
    together = train(case, own_share, devices=jax.devices(), **more)
    if is_leader():
        found[f"{case} in {processes}"] = apart(train(case, epochs=more.get("epochs", 3)), together)
if is_leader():
    print(json.dumps(found), flush=True)
if dying:
    try:
        train(cases[0], own_share, devices=jax.devices(), callbacks=[die], epochs=10**6)
    except ProcessError as error:
        print(error, flush=True)
        os._exit(3)  # an orderly exit waits for the process that is lost
