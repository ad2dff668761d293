# Every command a person types; `make` alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The web app; `make demo WEB=` goes without, and the plain pages answer.
WEB_DIR := services/dashboard/web
WEB := services/dashboard/rootward_dashboard/static/app/manifest.json
WEB_SOURCES := $(shell find $(WEB_DIR)/src -type f -not -name '*.gen.ts' 2>/dev/null) $(addprefix $(WEB_DIR)/,package.json package-lock.json vite.config.ts)
# Small matrices are faster on one thread, and results do not depend on the machine.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help rehearse-upgrade image-check bench-faults up-distributed demo chart test test-slow test-services test-services-slow bench-kill fuzz check format format-check lint types up bench bench-ingest bench-api bench-postgres bench-parts bench-split method bench-bandit docs demo-all web wheel web-test test-browser screenshots clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) $(WEB) ## break a small shop and watch the cause being named; ARGS="--fault latency@catalogue --exit"
	$(BIN)/rootward demo $(ARGS)

demo-all: $(STAMP) $(WEB) ## run the demo once for each kind of fault; fails unless every cause is named
	$(BIN)/rootward demo --all --exit

test: $(STAMP) $(WEB) ## all tests that need no server; ARGS="-k incident"
	$(BIN)/python -m pytest -q -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

test-slow: $(STAMP) ## the tests that take long: methods with their defaults, acceptance in full
	$(BIN)/python -m pytest -q -n 2 --dist load -m "slow and not services" --timeout 900 $(ARGS)

test-services: $(STAMP) $(WEB) ## tests with real senders and servers, which it installs where they are missing
	sh deploy/servers.sh
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "services and not slow" tests/real tests/contract tests/faults $(ARGS)

test-services-slow: $(STAMP) ## the ones left out there: every broker with every database, 50 kills, the upgrade
	sh deploy/servers.sh
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "services and slow" tests/real $(ARGS)

rehearse-upgrade: $(STAMP) ## an upgrade and its rollback on a real PostgreSQL, with the code of before the newest migration
	sh deploy/servers.sh
	$(BIN)/python -m pytest -q -m services tests/real/test_upgrade.py $(ARGS)

bench-kill: $(STAMP) ## 50 kills while a real Prometheus sends: what was accepted, what is stored
	sh deploy/servers.sh
	$(BIN)/python -m pytest -q -m "services and slow" tests/real/test_accepted.py $(ARGS) && cat out/bench/accepted/kill-50.json

bench-faults: $(STAMP) ## parts of the distributed mode are killed, paused and cut off for half an hour; ARGS="--seconds 600"
	sh deploy/servers.sh
	$(BIN)/python -W ignore -m tests.faults.run $(ARGS)

fuzz: $(STAMP) ## every decoder against mutated input, SECONDS=60 each, side by side
	$(BIN)/python -m pip install -q --disable-pip-version-check --constraint constraints.txt atheris
	$(BIN)/python -m tests.fuzz.run $(or $(SECONDS),60) $(TARGETS)

check: format-check lint types ## formatting, lint and types

format: $(STAMP) ## write the code the way ruff formats it
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

format-check: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

up: $(STAMP) $(WEB) ## everything in one process, on port 8080
	$(BIN)/rootward up

up-distributed: $(STAMP) ## every part in a process of its own: PostgreSQL, Redis, Kafka's protocol, our services
	sh deploy/servers.sh
	$(BIN)/python -m tests.real.distributed

bench: $(STAMP) ## accuracy, speed, graphs, scaling; DIR=folder with cases, GRAPHS=folder with graphs
	$(if $(DIR),$(BIN)/rootward bench $(DIR) --jobs 2 --figures out/bench/engine.json $(ARGS))
	$(BIN)/rootward bench --planted 6 --jobs 2 --figures out/bench/planted.json $(ARGS)
	$(if $(GRAPHS),$(BIN)/rootward bench-graphs $(GRAPHS) --figures out/bench/granger.json)
	$(BIN)/rootward bench-scaling --figures out/bench/engine.json

bench-ingest: $(STAMP) ## samples per CPU second over HTTP, beside Prometheus; ARGS=--quick
	sh deploy/servers.sh
	$(BIN)/python -m tests.benchmarks.bench_ingest $(ARGS)

bench-api: $(STAMP) ## time of every call of the API with 10,000 incidents and 100,000 alerts; ARGS="--databases sqlite"
	$(BIN)/python -m tests.benchmarks.bench_api $(ARGS)

bench-postgres: $(STAMP) ## samples per CPU second and bytes per sample on PostgreSQL beside SQLite
	sh deploy/servers.sh
	$(BIN)/python -m tests.benchmarks.bench_postgres $(ARGS)

bench-parts: $(STAMP) ## CPU seconds of publishing on Kafka, of reading from it, and of a detector's row
	$(BIN)/python -W ignore -m tests.benchmarks.bench_parts $(ARGS)

bench-split: $(STAMP) ## one wide fit alone and with Celery workers helping; ARGS="--series 400 --rows 360 --helpers 1"
	sh deploy/servers.sh
	$(BIN)/python -m tests.benchmarks.bench_split $(ARGS)

method: $(STAMP) ## a new method and its test with the blanks marked; family=discovery name=transfer_entropy
	$(BIN)/rootward new-method $(family) $(name) && $(BIN)/ruff format -q shared tests

bench-bandit: $(STAMP) ## causal bandit and change detection beside their peers; ARGS=--quick
	$(BIN)/python -m tests.benchmarks.bench_bandit $(ARGS)

chart: $(STAMP) ## lint, render and validate the Helm chart over a matrix of values; test its alerts
	sh deploy/servers.sh
	$(BIN)/python -m pip install -q --disable-pip-version-check --constraint constraints.txt helm-python-sdk kubernetes-validate
	$(BIN)/python -m pytest -q -m chart tests/deploy $(ARGS)
	$(BIN)/python -m tests.deploy.chart

image-check: $(STAMP) ## build the images from Debian packages without an engine, as root; start what is in them; TARGETS=ingest, ARGS go to buildah
	sh deploy/servers.sh
	command -v buildah debootstrap > /dev/null || apt-get install -qq --yes --no-install-recommends buildah debootstrap > /dev/null
	$(BIN)/python -m tests.deploy.images $(TARGETS) -- $(ARGS)

web: $(STAMP) ## build the web app into the dashboard package
	sh deploy/web.sh $(VENV)

wheel: web ## a wheel with the web app in it, in dist/
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .

web-test: web ## types and unit tests of the web app
	cd $(WEB_DIR) && mkdir -p build && { [ -d node_modules/vitest ] || npm ci --no-audit --no-fund --loglevel=error; }
	$(BIN)/python $(WEB_DIR)/openapi.py > $(WEB_DIR)/build/openapi.json
	cd $(WEB_DIR) && npm run --silent client && npm run --silent types && npm run --silent test

test-browser: web ## the web app in Chromium against a real server; installs what it needs
	sh deploy/browser.sh $(VENV)
	$(BIN)/python -m pytest -q -m browser tests/browser $(ARGS)

screenshots: web ## a picture of every page in every state, in out/screenshots; STATES="many stale"
	sh deploy/browser.sh $(VENV)
	$(BIN)/python -m tests.browser.shots $(STATES)

docs: $(STAMP) ## write docs/methods.md and docs/configuration.md again
	$(BIN)/rootward docs docs

clean: ## remove what was built here
	rm -rf $(dir $(WEB)) $(WEB_DIR)/node_modules $(WEB_DIR)/build
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(WEB): $(STAMP) $(WEB_SOURCES)
	@sh deploy/web.sh $(VENV) || echo "the web app was not built; the plain pages answer in its place" >&2

$(STAMP): pyproject.toml constraints.txt deploy/install.sh
	PYTHON=$(PYTHON) sh deploy/install.sh $(VENV)
	touch $(STAMP)
