"""Fresh pinned processes, interleaved rounds, medians.

    round 1   A B C   A B C     one process a letter; each case has all its peers side by side
    round 2   C B A   C B A     ...

so that a slow minute of the machine hits all of them. Ratios are taken inside a round and the
median of the rounds is what is reported.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import places

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """One thing to measure: a function of bench.measures and its arguments.

    Attributes:
        measure: the module; its ``sample`` runs in the worker.
        peer: a name of peers.LOADERS, perhaps with ":tier".
        args: the other arguments of ``sample``; they must survive JSON.
        cpus: how many processors the worker may use.
        fresh_cache: give ctok an empty cache folder, as on the first use ever.
        most_rounds: a limit for what no target hangs on and what takes long.
        timeout: seconds after which the worker is ended; what it reported until then counts.
    """

    measure: str
    peer: str
    args: Mapping[str, Any] = field(default_factory=dict)
    cpus: int = 1
    fresh_cache: bool = False
    most_rounds: int | None = None
    timeout: float = 60.0

    @property
    def label(self) -> str:
        return " ".join([self.measure, self.peer, *(str(v) for v in self.args.values())])


@dataclass
class Result:
    """The samples of a job, one a round, how fast the machine was, and why there are no more."""

    job: Job
    samples: list[Sample] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    failure: str | None = None

    def record(self) -> dict[str, Any]:
        """As JSON: the medians, and the samples they are of."""
        job = self.job
        return {
            "measure": job.measure,
            "peer": job.peer,
            "args": dict(job.args) | ({"fresh_cache": True} if job.fresh_cache else {}),
            "failure": self.failure,
            "median": medians(self.samples),
            "samples": self.samples,
            "paces": self.paces,
        }


def medians(samples: Iterable[Sample]) -> dict[str, Any]:
    """Number by number; what is no number is taken from the first sample."""
    samples = list(samples)
    merged: dict[str, Any] = {}
    for sample in samples:
        for key, value in sample.items():
            if isinstance(value, int | float):
                merged[key] = statistics.median(s[key] for s in samples if key in s)
            elif isinstance(value, Mapping):
                merged[key] = medians([s[key] for s in samples if key in s])
            else:
                merged.setdefault(key, value)
    return merged


def run(jobs: Iterable[Job], rounds: int) -> list[Result]:
    """All jobs, `rounds` times, in their order and backwards in turn, so that nobody always comes
    first. A job that failed is not tried again."""
    results = [Result(job) for job in jobs]
    for number in range(1, rounds + 1):
        started = time.perf_counter()
        for result in results if number % 2 else reversed(results):
            if result.failure is None and number <= (result.job.most_rounds or rounds):
                _take(result)
        took = time.perf_counter() - started
        print(f"  round {number} of {rounds}: {took:.0f} s", flush=True)
    for result in results:
        if result.failure:
            print(f"  not measured: {result.job.label}: {result.failure}", flush=True)
    return results


def _take(result: Result) -> None:
    from .pace import pace  # not with this module: workers have it, and what they load is measured

    sample, failure = work(result.job)
    if sample:
        result.samples.append(sample)
        result.paces.append(pace())
    result.failure = failure


def work(job: Job) -> tuple[Sample | None, str | None]:
    """One worker. Returns what it measured, and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="ctok-bench-") as empty:
        environment = _environment(job, empty)
        message = json.dumps(
            {"measure": job.measure, "peer": job.peer, "cpus": job.cpus, "args": dict(job.args)}
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", message],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=places.ROOT,
            env=environment,
            text=True,
        )
        try:
            out, err = process.communicate(timeout=job.timeout)
            failure = (err.strip().splitlines() or [""])[-1] if process.returncode else None
            if process.returncode and not failure:
                failure = f"it ended with status {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            failure = f"ended after {job.timeout:g} s"
    lines = [line for line in out.splitlines() if line.startswith("{") and line.endswith("}")]
    return (json.loads(lines[-1]) if lines else None), failure


def _environment(job: Job, empty: str) -> dict[str, str]:
    tier = job.peer.partition(":")[2]
    cache = empty if job.fresh_cache else str(Path(places.WORK) / "cache")
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "",
        "CTOK_CACHE_DIR": cache,
        "TIKTOKEN_CACHE_DIR": "",
        "HF_HUB_OFFLINE": "1",
        # numpy's own threads, which nobody here needs, would turn for 100 ms after its import.
        "OPENBLAS_NUM_THREADS": "1",
        # fastokens and tokenizers have no argument for it.
        "RAYON_NUM_THREADS": str(job.args.get("threads", 1)),
        "TOKENIZERS_PARALLELISM": "true" if job.args.get("threads", 1) > 1 else "false",
    }
    environment.pop("CTOK_CPU", None)
    return environment | ({"CTOK_CPU": tier} if tier else {})
