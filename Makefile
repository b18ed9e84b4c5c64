# The one entry: `make` lists the targets; CI calls the same ones.
PYTHON ?= python3
PRESET ?= debug
JOBS ?= 2
BENCH ?=
BENCH_PYTHON ?= build/bench-venv/bin/python
# The linters of the lint extra, whatever else is on the PATH: another version of clang-format would
# format differently. Its package has no -m; cython-lint looks for pycodestyle on the PATH.
CLANG_FORMAT = $(PYTHON) -c "from clang_format import clang_format; clang_format()"
SCRIPTS = $(shell $(PYTHON) -c "import sysconfig; print(sysconfig.get_path('scripts'))")
C_FILES = $(shell git ls-files 'csrc/*.c' 'csrc/*.h' 'tests/*.c' 'tests/*.h' 'pkg/*.c' 'pkg/*.h' 'bench/*.c')

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

dev: ## install in place with everything tests and linters need
	$(PYTHON) -m pip install -e '.[test,lint,cli]'

test: ## the Python suite, without the slow and peer marks
	$(PYTHON) -m pytest -n $(JOBS) -m "not slow and not peer"

test-all: ## the Python suite, everything
	$(PYTHON) -m pytest -n $(JOBS)

test-c: ## the C tests; PRESET=asan|ubsan|tsan|debug|release, emulated arm64|i686|s390x
	cmake --preset $(PRESET)
	cmake --build --preset $(PRESET) -j $(JOBS)
	ctest --preset $(PRESET) -j $(JOBS)

lint: ## ruff, mypy, clang-format, cython-lint
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)
	PATH="$(SCRIPTS):$$PATH" cython-lint --max-line-length 100 pkg

format: ## let ruff and clang-format write
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
	$(CLANG_FORMAT) -i $(C_FILES)

bench-peers: ## the peers, pinned, and ctok into build/bench-venv
	$(PYTHON) -m venv build/bench-venv
	$(BENCH_PYTHON) -m bench.install
	$(BENCH_PYTHON) -m pip install -q -C build-dir=build/bench/wheel .

bench: ## equality, then timing against the peers; BENCH="--quick" for a look
	$(BENCH_PYTHON) -m pip install -q --no-deps -C build-dir=build/bench/wheel .
	$(BENCH_PYTHON) -m bench.run $(BENCH)
	$(BENCH_PYTHON) -m bench.report

bench-instructions: ## instruction counts against the record; BENCH=--accept replaces it
	$(PYTHON) -m bench.instructions $(or $(BENCH),--check)

.PHONY: help dev test test-all test-c lint format bench-peers bench bench-instructions
