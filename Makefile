# `make serve` and `make test` need Python 3.11 or 3.12, make and git; everything else is installed here.

PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
HOST ?= 127.0.0.1
PORT ?= 8080
DATA_DIR ?= ./data
PYTEST_ARGS ?=
BENCH_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip
# node and npm come from a wheel in .venv, whatever the machine has.
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
PB_TYPES := .cache/pocketbase/types.d.ts
PARALLEL := --numprocesses=logical --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder
COVERAGE_TESTS := tests/unit tests/contract tests/integration
HOOKS_TESTS := tests/contract tests/integration
HOOKS_COPY := $(CURDIR)/.cache/hooks/copy
HOOKS_RAN := $(CURDIR)/.cache/hooks/ran
HOOKS_FLOOR := 70
FLOORS := .cache/floors
FLOORS_TESTS := $(addprefix tests/unit/test_,settings.py cli.py server_files.py server_process.py words.py) \
  $(addprefix tests/integration/test_,client.py cli.py)
PRETTIER_FILES := "assets/**/*.js" "tools/*.d.ts" "tools/**/*.mjs" eslint.config.mjs \
  package.json tsconfig.json .prettierrc.json

# Stamps: what they name is installed, and nothing is done again until a file they depend on changes.
RUN_ENV := .venv/.installed-run
DEV_ENV := .venv/.installed-dev
JS_ENV := node_modules/.installed
REQUIREMENTS := pyproject.toml requirements/open-webui.txt $(if $(wildcard $(BIN)/openwebui-pocketbase),,uninstalled)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
# The checks run in the order they are written in, fast ones first.
.NOTPARALLEL:

.PHONY: help
help: ## Print the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' Makefile

.PHONY: serve
serve: $(RUN_ENV) ## Run Open WebUI on PocketBase (HOST, PORT, DATA_DIR)
	exec $(BIN)/openwebui-pocketbase serve --host "$(HOST)" --port "$(PORT)" --data-dir "$(DATA_DIR)"

.PHONY: test
test: lint js types docs ## Run all checks and all tests (PYTEST_ARGS)
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-fast
test-fast: $(DEV_ENV) ## Run the unit tests (PYTEST_ARGS)
	$(BIN)/python -m pytest tests/unit $(PYTEST_ARGS)

.PHONY: coverage
coverage: $(DEV_ENV) ## Measure lines and branches that the tests run (PYTEST_ARGS=tests/host adds those)
	rm -rf .cache/coverage
	$(BIN)/python -m coverage run -m pytest $(PARALLEL) $(COVERAGE_TESTS) $(PYTEST_ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# Of a copy, as the hooks write down themselves what ran. Tests that look at their text fail there, which does not matter.
.PHONY: coverage-hooks
coverage-hooks: $(DEV_ENV) $(JS_ENV) ## Measure statements and branches of the hooks that the tests run (PYTEST_ARGS)
	rm -rf $(HOOKS_COPY) $(HOOKS_RAN)
	mkdir -p $(HOOKS_COPY)
	git ls-files -z | tar --null --files-from=- --create --file=- | tar --extract --file=- --directory=$(HOOKS_COPY)
	$(NODE) node tools/hooks_coverage.mjs mark $(HOOKS_COPY)/assets/pb_hooks $(HOOKS_RAN)
	-cd $(HOOKS_COPY) && PYTHONPATH=$(HOOKS_COPY)/src $(CURDIR)/$(BIN)/python -m pytest $(PARALLEL) \
	  $(HOOKS_TESTS) $(PYTEST_ARGS)
	$(NODE) node tools/hooks_coverage.mjs report $(HOOKS_RAN) $(HOOKS_FLOOR)

# Not the texts of --help: each version of typer prints them in its own way. Open WebUI comes without its
# dependencies, which have pins of their own: the commands only look at its files.
.PHONY: floors
floors: ## Test with the lowest versions that pyproject.toml allows (PYTEST_ARGS)
	rm -rf $(FLOORS)
	$(PYTHON) -m venv $(FLOORS)
	$(FLOORS)/bin/python -m pip install --quiet uv
	$(FLOORS)/bin/uv pip install --quiet --python $(FLOORS) --resolution lowest-direct --editable '.[server]'
	$(FLOORS)/bin/uv pip freeze --quiet --python $(FLOORS) --exclude-editable > $(FLOORS)/constraints.txt
	$(FLOORS)/bin/uv pip install --quiet --python $(FLOORS) --constraint $(FLOORS)/constraints.txt --group test
	grep '^open-webui==' requirements/open-webui.txt | \
	  $(FLOORS)/bin/uv pip install --quiet --python $(FLOORS) --no-deps --requirement -
	$(FLOORS)/bin/python -m pytest $(FLOORS_TESTS) -k 'not help_is_in_the_documentation' $(PYTEST_ARGS)

.PHONY: lint
lint: $(DEV_ENV) ## Check style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: format
format: $(DEV_ENV) $(JS_ENV) ## Format Python and JavaScript
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(NODE) node_modules/.bin/prettier --write $(PRETTIER_FILES)

.PHONY: js
js: $(JS_ENV) $(PB_TYPES) ## Check formatting, types and rules of the PocketBase hooks
	$(NODE) node_modules/.bin/prettier --check $(PRETTIER_FILES)
	$(NODE) node_modules/.bin/tsc --noEmit
	$(NODE) node_modules/.bin/eslint --max-warnings 0 assets tools eslint.config.mjs

.PHONY: types
types: $(DEV_ENV) ## Check the types of the package, its tests, benchmarks and tools
	$(BIN)/mypy

# Not --quiet: mkdocs then counts no warnings, and --strict finds nothing.
.PHONY: docs
docs: $(DEV_ENV) ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: bench
bench: $(DEV_ENV) ## Run the benchmarks (BENCH_ARGS)
	$(BIN)/python -m bench $(BENCH_ARGS)

# The same sources give the same bytes. All times in the archives are that of the last commit; those in an unpacked
# source distribution, and in an archive of a commit, are the same.
.PHONY: build
build: $(DEV_ENV) ## Build the wheel and the source distribution into dist/
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(date -r PKG-INFO +%s 2>/dev/null || \
	  git log -1 --format=%ct 2>/dev/null || date -r pyproject.toml +%s)} $(BIN)/python -m build --no-isolation

.PHONY: clean
clean: ## Remove build results and caches; .venv, node_modules and data stay
	rm -rf build dist site .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find assets bench src tests tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
	  { echo "Open WebUI 0.12 needs Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --upgrade pip

# Somebody has uninstalled the package: its stamp does not count.
.PHONY: uninstalled

# One resolution for everything that shares the environment: pip keeps the host's pins only while it sees them.
$(RUN_ENV): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing Open WebUI and this package into .venv; the first time takes minutes and gigabytes."
	$(PIP) install --quiet --requirement requirements/open-webui.txt --editable '.[server]'
	touch $@

$(DEV_ENV): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing Open WebUI, this package and its tools into .venv; the first time takes minutes and gigabytes."
	$(PIP) install --quiet --requirement requirements/open-webui.txt --editable '.[server]' --group dev
	touch $@ $(RUN_ENV)

$(JS_ENV): package.json package-lock.json | $(DEV_ENV)
	$(NODE) npm ci --no-audit --no-fund
	touch $@

$(PB_TYPES): tools/pocketbase_types.py $(DEV_ENV)
	$(BIN)/python tools/pocketbase_types.py $@
