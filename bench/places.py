"""Where things are. Imports next to nothing, so that import times can be measured beside it."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
DATA = os.environ.get("CTOK_TEST_DATA") or os.path.join(os.path.dirname(ROOT), "shared", "data")  # noqa: PTH118, PTH120
"""The shared test data: vocabularies and corpora."""
WORK = os.environ.get("CTOK_BENCH_WORK") or os.path.join(ROOT, "build", "bench")  # noqa: PTH118
"""Prepared data, compiled helpers and results; nothing of it is committed."""
