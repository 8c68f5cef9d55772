# `make help` lists the targets. Every target sets up what it needs in $(VENV), without root.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Tests are split over two processes where they compute,
JOBS   ?= 2
# and over one more where many of them wait for brokers and programs.
WAITING_JOBS ?= $(shell echo $$(($(JOBS) + 1)))

KERNELS := $(shell grep -rl njit --include='*.py' eew simulator)
WARM    := eew/core/__pycache__/.warm

.DEFAULT_GOAL := help
.PHONY: help demo test tests check lint unit bench lock clean setup setup-dev

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "  variables: PYTHON=$(PYTHON) (>= 3.11)  VENV=$(VENV)  JOBS=$(JOBS)"

demo: setup $(WARM) ## replay a built-in quake: detector -> MQTT -> phones and TVs
	@$(BIN)/eew replay luding-2022 --broker embedded

# numba compiles on first use and keeps the result beside the sources. Doing it before the replay,
# by a short replay without devices, shows what the wait is for and keeps it out of the figures.
$(WARM): $(KERNELS) requirements/run.txt | setup
	@echo "compiling the detector's kernels (once, some 20 s)"
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && $(BIN)/eew replay luding-2022 \
	    --broker none --phones 0 --tvs 0 --until 25 --out "$$out/run" >/dev/null
	@mkdir -p $(@D) && touch $@

# Types are checked beside the tests, which keeps both processors at work to the end.
test: setup-dev ## everything: contracts, style, types, all tests
	@$(MAKE) --no-print-directory -j 2 lint tests

# All in one run: a file stays in one process, so that neighbours find the same things computed, and
# the longest begin first (tests/conftest.py). The kernels are compiled before, or each process
# would do it for itself.
tests: setup-dev $(WARM)
	$(BIN)/python -m pytest tests -n $(WAITING_JOBS) --dist loadfile --no-loadscope-reorder

check: lint unit ## under a minute: contracts, style, types, unit and property tests (not the slow ones)

lint: setup-dev
	$(BIN)/lint-imports --no-cache
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: setup-dev
	$(BIN)/python -m pytest tests/unit tests/property -x -q -m "not slow" -n $(JOBS) --dist worksteal

bench: setup ## measure everything there is a benchmark for (an hour; most take options: benchmarks/README.md)
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

setup: ## make the environment ready to run
	@requirements/setup run $(VENV) $(PYTHON)

setup-dev: ## make the environment ready to test
	@requirements/setup dev $(VENV) $(PYTHON)

lock: ## write requirements/*.txt again (UPGRADE=1: to the newest versions)
	PYTHON=$(PYTHON) requirements/lock

clean: ## remove caches and runs; the environment stays (rm -r $(VENV))
	rm -rf runs dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find eew simulator clients tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
