# Needs only make and Python 3.11 or later: every target makes .venv first, from the hash-locked requirements.
#   make demo ARGS="--duration 120 --report report.json --no-browser"

PYTHON ?= python3
ARGS   ?=
SEED   ?= 1
MINUTES ?= 10
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

PACKAGES   := schemas ingest streams storage dashboards simulators notify fenhe
KAFKA_POM  := tests/kafka/pom.xml
KAFKA_LIBS := .cache/kafka/libs
SECRETS    := FENHE_DB_SUPERUSER_PASSWORD FENHE_DB_OWNER_PASSWORD FENHE_DB_WRITER_PASSWORD FENHE_DB_READER_PASSWORD \
              FENHE_DB_OPERATOR_PASSWORD FENHE_DB_NOTIFIER_PASSWORD FENHE_MQTT_COLLECTOR_PASSWORD FENHE_MQTT_SIMULATOR_PASSWORD FENHE_MQTT_GROUP GRAFANA_ADMIN_PASSWORD GRAFANA_SECRET_KEY

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test chaos check format-check lint types layers dependencies format bench race score lock env kafka clean

help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv from requirements.lock and install the project in it

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fenhe needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python could not make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing the locked packages into $(VENV): a minute or two"
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Bring up everything with simulated plants and batteries, and open the page (ARGS="…")
	@$(BIN)/fenhe demo $(ARGS)

test: $(READY) ## Run the tests, two files at a time (ARGS="-n0 tests/unit -k …"; FENHE_TEST_SERVICES=auto|real|embedded)
	$(BIN)/python -m pytest -n2 --dist=loadfile --no-loadscope-reorder -m "not alone" $(ARGS)
	$(BIN)/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]  # 5: none of them was asked for

chaos: $(READY) ## Break everything at random for some minutes and look for what is lost (SEED=1 MINUTES=10 ARGS="--keep FOLDER")
	$(BIN)/python -m tests.chaos.hunter --seed $(SEED) --minutes $(MINUTES) $(ARGS)

check: format-check lint types layers dependencies ## Formatting, lint, types, layers and dependencies, as CI checks them

format-check: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

dependencies: $(READY)
	$(BIN)/python -m pip check --disable-pip-version-check

format: $(READY) ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure the whole way on this machine, into bench/results/latest.json (ARGS="…")
	$(BIN)/python -m bench $(ARGS)

race: $(READY) ## The same load on fenhe and on Mosquitto, a paho consumer and COPY: what a reading costs on each (ARGS="…")
	$(BIN)/python -m bench.race $(ARGS)

score: $(READY) ## Hold what the pipeline says against simulated truth, into bench/results/score.json (ARGS="…")
	$(BIN)/python bench/score.py $(ARGS)

lock: $(READY) ## Compile requirements.lock again (ARGS="--upgrade" for newer versions)
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	  $(ARGS) --output-file requirements.lock pyproject.toml

env: ## Write .env with random secrets for docker compose; adds what an older one lacks and touches nothing else
	@umask 077; touch .env; test -z "$$(tail -c 1 .env)" || echo >> .env; \
	for name in $(SECRETS); do grep -q "^$$name=" .env || { \
	  echo "$$name=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(24))')" >> .env; \
	  echo "added $$name to .env"; }; done

kafka: $(KAFKA_LIBS)/.ready ## Fetch Apache Kafka's jars by Maven, for the tests on real services

$(KAFKA_LIBS)/.ready: $(KAFKA_POM)
	rm -rf $(KAFKA_LIBS)
	mvn --quiet --batch-mode --file $(KAFKA_POM) dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$(KAFKA_LIBS)
	@touch $@

clean: ## Remove .venv, jars and caches (data of the local stack stays)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
