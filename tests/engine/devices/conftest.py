"""Processes beside the tests: JAX knows its devices and processes once for all, so each number needs fresh ones."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# One thread for each computation: many devices and processes share the cores of one machine.
SURROUNDINGS = os.environ | {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def on_devices():
    """Cases of `on_devices.py`, each on each number of devices and nudged: how far its result is from one device's."""

    def run(cases, devices, nudges=0):
        words = [sys.executable, str(HERE / "on_devices.py"), ";".join(cases), ",".join(map(str, devices))]
        words += [str(nudges)]
        done = subprocess.run(words, env=SURROUNDINGS, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def in_processes():
    """Run a command in several processes, each with COORDINATOR PROCESSES PROCESS_ID: (exit code, out, err) of each."""

    def run(processes, *words, after=(), options=("{address}", "{processes}", "{i}")):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{listening.getsockname()[1]}"
        told = [[word.format(address=address, processes=processes, i=i) for word in options] for i in range(processes)]
        running = [
            subprocess.Popen(
                [sys.executable, *words, *mine, *after],
                env=SURROUNDINGS,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for mine in told
        ]
        try:
            spoken = [process.communicate(timeout=400) for process in running]
        finally:
            for process in running:
                process.kill()
        return [(process.returncode, *words) for process, words in zip(running, spoken, strict=True)]

    return run
