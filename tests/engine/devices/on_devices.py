"""Run by the tests in a process of its own: train on one device and on several simulated ones, and print how far apart.

python on_devices.py CASE;CASE... DEVICES,DEVICES... [NUDGES]

With NUDGES also train so often on one device from inputs moved by one rounding unit.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"

import jax
from problem import apart, nudged, train

found = {}
for case in sys.argv[1].split(";"):
    alone = train(case)
    for devices in map(int, sys.argv[2].split(",")):
        found[f"{case} on {devices}"] = apart(alone, train(case, devices=jax.devices()[:devices]))
    for seed in range(int(sys.argv[3]) if len(sys.argv) > 3 else 0):
        found[f"{case} nudged {seed}"] = apart(alone, train(case, inputs=nudged(seed)))
print(json.dumps(found))
