# `make` explains itself; CI runs these same targets (.ci/run).

PYTHON ?=
VENV   := .venv
BIN    := $(VENV)/bin
# One process more than two cores, as tests of crashes wait more than they work; a module's tests stay together, so that
# its engine and databases are started once. The long modules come first (tests/conftest.py), or one process would end
# minutes after the others.
WORKERS ?= 3
PYTEST  := $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder
# Tests start hundreds of processes; without bytecode on the disk each of them would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-systems branches test-days test-real test-postgres test-crash auditors-week coverage lint format bench soak docs openapi docs-check compose-check lock clean

help: ## This list
	@echo "Dealwright. Start with:  make setup && make demo"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-15s %s\n", $$1, $$2 }'
	@echo
	@echo "Variables: PYTHON=path, for a new .venv   DATA=folder and KEEP=1 for demo   WORKERS=3 for the tests   ARGS=... for up, bench, soak, pytest"

setup: $(VENV)/.develops ## What working on it needs, too, from the hashed lock into .venv (done once)

INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install

$(VENV)/.runs: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Dealwright runs on into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@touch $@
	@echo "Ready: $(BIN)/dealwright"

$(VENV)/.develops: requirements-dev.txt $(VENV)/.runs
	@echo "Installing what its developers need into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@python=$$(.ci/find-python "$(PYTHON)") && { "$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }

demo: $(VENV)/.runs ## Drive sample deals through 200 virtual days; DATA=folder keeps the data, KEEP=1 leaves the system running
	@$(BIN)/dealwright demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

up: $(VENV)/.runs ## Start the embedded system (server, worker, API) until Ctrl-C
	@$(BIN)/dealwright up $(ARGS)

test: setup ## The suite, on a real engine and real databases, with what it covers; six minutes
	@$(PYTEST) --cov --cov-report= --durations=30 $(ARGS)

test-systems: setup ## Whole installations: README's first look, the demo, the auditor's week, imports, kill -9; seven minutes
	@COVERAGE_FILE=.systems-coverage $(PYTEST) -m systems --cov --cov-report= --durations=30 $(ARGS)

branches: setup ## After both: every shipped package keeps its floor of covered branches (pyproject.toml); ARGS=--all shows each
	@$(BIN)/python .ci/branch_coverage.py $(ARGS)

test-real: setup ## A whole day of real orders and 1,181 real invoices on the engine, up to half an hour; needs ../shared/data
	@$(BIN)/pytest -m soak $(ARGS)

test-crash: setup ## kill -9 of server, worker and API in the midst of a hundred deals, and a death at every step; two minutes
	@$(PYTEST) -m systems tests/crash $(ARGS)

test-days: setup ## What can know a day, at each weekday, the ends of things, holidays and far ahead; half an hour
	@$(BIN)/python -m tests.days -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

auditors-week: setup ## Follow docs/auditors-week.md command by command, on a demo of its own
	@$(BIN)/pytest -q -m systems tests/cli/test_demo.py -k auditors_week $(ARGS)

test-postgres: setup ## Every test whose tables may be on either database, with them on PostgreSQL instead of SQLite
	@DEALWRIGHT_TEST_DATABASE=postgres $(PYTEST) --chosen-database-only $(ARGS)

coverage: setup ## The suite with a browsable coverage report in htmlcov/
	@$(PYTEST) --cov --cov-report=html --cov-report=term-missing $(ARGS)

lint: setup ## Style, formatting, types and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## Format the code and sort its imports
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: setup ## Speed against the engine's floor on this machine, as ratios
	@$(BIN)/python -m benchmarks $(ARGS)

soak: setup ## Memory and store growth over 20,000 moves
	@$(BIN)/python -m benchmarks.soak $(ARGS)

docs: setup ## Write the generated pages of docs/ anew
	@$(BIN)/python -m docs.build

openapi: setup ## Write the snapshot of the API's contract anew, after a change that is meant
	@$(BIN)/python -m tests.api.test_openapi

docs-check: setup ## Fail if a generated page of docs/ is stale
	@$(BIN)/python -m docs.build --check

compose-check: setup ## Validate docker-compose.yml against the Compose schema, offline
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

# The lock names no package registry; whichever one pip is set up with must serve the files that the hashes name.
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-strip-extras --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
# With 3.11, which needs packages that later ones do without.
lock: setup ## Resolve requirements*.in into the hashed locks; ARGS=--upgrade takes newer transitive versions
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "make lock: the locks are made with Python 3.11")'
	@$(COMPILE) $(ARGS) --output-file requirements.txt requirements.in requirements-embedded.in requirements-setup.in
	@$(COMPILE) --constraint requirements.txt --output-file requirements-cluster.txt requirements.in
	@$(COMPILE) $(ARGS) --output-file requirements-dev.txt requirements-dev.in

clean: ## Remove everything generated, .venv included
	rm -rf $(VENV) build htmlcov .coverage .coverage.* .systems-coverage* coverage.json *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
