"""One fresh process: python -m bench.worker '{"measure": ..., "peer": ..., ...}'

Prints what ``sample`` of the measure yields, one JSON object a line; each line has all that is
known so far, and the last one counts.
"""

import gc
import json
import os
import sys
from importlib import import_module


def main(message: str) -> None:
    job = json.loads(message)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-job["cpus"] :])
    measure = import_module(f"bench.measures.{job['measure']}")
    gc.disable()
    for sample in measure.sample(job["peer"], **job["args"]):
        print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
