"""Contestants for the tests of the measuring core: they do nothing, and say how long it took."""

import os
import time


class Steady:
    """Laps of the lengths it is given, one after the other; it writes down whose turn it was."""

    def __init__(self, seconds: list[float], name: str = "", log: str = "", units: float = 1.0):
        self.seconds, self.name, self.log, self.units, self.at = seconds, name, log, units, 0

    def lap(self) -> float:
        if self.log:
            with open(self.log, "a") as file:
                file.write(self.name)
        self.at += 1
        return self.seconds[(self.at - 1) % len(self.seconds)]

    def finish(self) -> dict[str, float]:
        print("libraries print; this must not disturb the conversation")
        return {"laps": self.at}


class Faulty:
    """Raises, dies or hangs in its second lap."""

    units = 1.0

    def __init__(self, how: str):
        self.how, self.at = how, 0

    def lap(self) -> None:
        self.at += 1
        if self.at == 2:
            if self.how == "raises":
                raise ValueError("the second lap is too much")
            if self.how == "dies":
                os._exit(3)
            time.sleep(60)

    def finish(self) -> dict[str, float]:
        return {}
