"""The process of one contestant: it reads one word from each line, and answers with one line of JSON.

    python -m benchmarks.worker package.module:function '{"option": 1}'

prepare: build it; lap: one lap, timed; finish: what it reached. What a library prints goes to standard error.
"""

import gc
import importlib
import json
import os
import sys
import time
from typing import Any


def answer(word: str, contestant: Any) -> dict[str, Any]:
    """Return the answer to one word."""
    if word == "lap":
        gc.collect()
        began = time.perf_counter()
        own = contestant.lap()
        seconds = time.perf_counter() - began
        return {"seconds": seconds if own is None else own}
    return {"finish": contestant.finish()}


def main() -> None:
    """Answer until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, function = sys.argv[1].partition(":")
    contestant = None
    for line in sys.stdin:
        word = line.strip()
        try:
            if word == "prepare":
                contestant = getattr(importlib.import_module(module), function)(**json.loads(sys.argv[2]))
                said = {"units": float(getattr(contestant, "units", 1.0))}
            else:
                said = answer(word, contestant)
        except Exception as error:  # whatever a peer raises is its result
            text = str(error).strip().splitlines() or [""]
            said = {"failed": f"{type(error).__name__}: {text[0][:200]}"}
        print(json.dumps(said), file=replies, flush=True)


if __name__ == "__main__":
    main()
