"""Export a classifier of sensor signals as C99 for a micro-controller (engine.c), and compare it with Python.

Four features of a vibration signal distinguish three states of a machine. The file contains the scaling, so raw
features go in and probabilities come out. It uses no heap, and no library but <math.h>.
"""

import ctypes
import shutil
import subprocess

import numpy as np
from sklearn.model_selection import train_test_split

import deltarule as dr

random = np.random.default_rng(0)


def features(state):
    """RMS, crest factor, kurtosis and main frequency of 256 samples of an accelerometer at 1 kHz."""
    t = np.arange(256) / 1000
    signal = np.sin(2 * np.pi * random.uniform(45, 55) * t) + 0.3 * random.normal(size=256)
    if state == "unbalanced":
        signal *= random.uniform(1.2, 2.0)
    if state == "worn bearing":
        signal[:: random.integers(30, 50)] += random.uniform(2, 4)
    rms = np.sqrt(np.mean(signal**2))
    spectrum = np.abs(np.fft.rfft(signal))
    return rms, np.abs(signal).max() / rms, np.mean(signal**4) / rms**4, np.fft.rfftfreq(256, 1e-3)[spectrum.argmax()]


states = np.repeat(["healthy", "unbalanced", "worn bearing"], 150)
X, Xt, y, yt = train_test_split(np.array([features(s) for s in states]), states, test_size=0.3, random_state=0)
model = dr.NetworkClassifier(hidden=(8,), random_state=0).fit(X, y)
print(f"{model.score(Xt, yt):.1%} of the held-out signals are right")

source = dr.export_model(model, "engine.c", precision="float")
print(f"{source}: {source.stat().st_size:,} bytes")
if shutil.which("gcc"):
    subprocess.run(
        [
            "gcc",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-O2",
            "-shared",
            "-fPIC",
            "engine.c",
            "-o",
            "engine.so",
            "-lm",
        ],
        check=True,
    )
    row, out = Xt[0].astype(np.float32), np.empty(3, np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    ctypes.CDLL("./engine.so").engine_predict(row.ctypes.data_as(pointer), out.ctypes.data_as(pointer))
    difference = np.abs(out - model.predict_proba(Xt[:1])[0]).max()
    print(f"C and Python differ by {difference:.0e}")
