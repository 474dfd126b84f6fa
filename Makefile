# Everything a newcomer needs: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test interop fuzz soak bench bench-growth check fix lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run ## Start the sandbox with its tour
	$(BIN)/services88 sandbox --tour

# One more than there are cores: at any time some test waits, for a server that starts or for a clock.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
test: check ## Check types, style and layers, then run every test
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

interop: $(VENV)/dev ## Play the story with every SOAP client that is here
	$(BIN)/python -m pytest -rs interop --write-table

RUNS ?= 1000000
fuzz: $(VENV)/dev ## Fuzz the reading of messages; RUNS=1000000
	PYTHONPATH=. $(BIN)/python fuzz/messages.py -runs=$(RUNS)

soak: $(VENV)/dev ## Kill servers 200 times, send them a million inputs; 10 to 20 minutes
	nice $(BIN)/python -m soak --write

GROWTH ?= 100000
DATABASES ?= sqlite
bench: $(VENV)/dev ## Measure, beside peers, and write docs/performance.md
	$(BIN)/python -m bench --growth $(GROWTH)

bench-growth: $(VENV)/dev ## The same calls with a million users; takes long
	$(BIN)/python -m bench growth --growth 1000000 --databases $(DATABASES)

check: $(VENV)/dev ## Check types, style and layers only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/dev ## Format, and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/dev ## Resolve the dependencies anew
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) --group build -o requirements/build.txt
	$(BIN)/uv pip compile $(LOCK) -c requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt

# A lock names versions and hashes, and no address: where packages come from is the reader's choice.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock" --upgrade

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

clean: ## Remove what was built and installed
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
