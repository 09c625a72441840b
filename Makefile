# Two commands matter: `make dev` runs the whole system on this machine, `make test` proves it.
# Each sets up what it needs, and again only when something changed.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 3000
STATE  ?= .devkit
# Recipes read it from the environment, whatever is in its name.
export STATE
ARGS   ?=
# How many tests run at once; each heavy suite stays on one of them.
JOBS   ?= auto

BIN       := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SAM_VENV  ?= .venv-sam
SAM       := $(SAM_VENV)/.installed
BENCH_VENV   ?= .venv-bench
BENCH_ROUNDS ?= 15
BENCH        := $(BENCH_VENV)/.installed
BENCH_NODE   := tests/benchmarks/authorizer/node
AUDIT     := .venv-audit/.installed
CHECKOV   := .venv-checkov/.installed
# The Python that the functions run on, to build for it: a python3.13 that starts, pyenv's included.
LAMBDA_PYTHON ?= $(shell for p in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13; do "$$p" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)
RUN_SAM = PATH="$(dir $(LAMBDA_PYTHON)):$$PATH" LAMBDA_PYTHON="$(LAMBDA_PYTHON)" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam

.DEFAULT_GOAL := help
.PHONY: help dev test format lint types unit browser fuzz search audit-chain behind-http-api beside token dashboard soak validate build package cdk build-local lambda-python deploy-local local-aws sam-local sam-local-test checkov audit bench lock clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Settings: PYTHON=python3.13 VENV=folder PORT=3000 STATE=folder VERBOSE=1 JOBS=2 ARGS='-k name'"

dev: $(INSTALLED) ## Run the whole system here: gateway, functions and an embedded AWS
	@exec $(BIN)/chatgrid-dev --port $(PORT) --state "$$STATE" $(if $(VERBOSE),--verbose) $(ARGS)

test: format lint types unit ## Check format, lint and types, and run every test that needs no Docker and no AWS account

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/cfn-lint template.yaml monitoring.yaml examples/*/template.yaml

types: $(INSTALLED)
	$(BIN)/mypy

unit: $(INSTALLED) $(VENV)/.browser ## Run the tests alone: ARGS='-k name'
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadgroup $(ARGS)

browser: $(VENV)/.browser ## Drive the dashboard in this machine's Chromium
	CHATGRID_WHOLE_BROWSER=1 $(BIN)/pytest tests/browser $(ARGS)

fuzz: $(INSTALLED) ## Send the system hostile input, a minute of it guided by coverage (Linux on x86-64)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/fuzz.txt
	CHATGRID_FUZZ_SECONDS=60 CHATGRID_FUZZ_EXAMPLES=50 $(BIN)/pytest tests/hostile $(ARGS)

search: $(INSTALLED) ## Let every change of a key's secrets follow every other that died, at each of its steps
	CHATGRID_WHOLE_SEARCH=1 $(BIN)/pytest -n 0 tests/faults/test_rotation_search.py $(ARGS)

audit-chain: $(INSTALLED) ## Write 10,000 entries of the audit log from 16 processes, faults on, and verify the chains
	CHATGRID_AUDIT_ENTRIES=10000 CHATGRID_AUDIT_PROCESSES=16 $(BIN)/pytest -n 0 -s tests/races/test_audit_chain.py $(ARGS)

behind-http-api: $(INSTALLED) ## Run the end-to-end suite with its backend behind the example's HTTP API (needs Node.js)
	CHATGRID_WHOLE_HTTP_API=1 $(BIN)/pytest -n 0 tests/e2e/test_behind_http_api.py $(ARGS)

beside: $(INSTALLED) ## Run another stack's API beside `make dev`: TEMPLATE=path, ARGS='--port 3001'
	@exec $(BIN)/python -m chatgrid_devkit.beside.run $(TEMPLATE) --state "$$STATE" $(ARGS)

token: $(INSTALLED) ## Print a JWT of the local identity provider: ARGS='--alg RS256 --expires 60'
	@$(BIN)/python -m chatgrid_devkit.identity.mint --stack "$$STATE/stack.json" $(ARGS)

dashboard: ## Build Supabase's auth library for the dashboard again (needs Node.js)
	cd dashboard && npm ci && npm run build

soak: $(INSTALLED) ## Load the local system for MINUTES=… SECONDS=…, faults on, and check every promise
	@exec $(BIN)/python -m tests.soak --minutes $(or $(MINUTES),0) --seconds $(or $(SECONDS),$(if $(MINUTES),0,60)) $(ARGS)

validate: $(SAM) ## Validate the templates with the real SAM CLI
	for template in template.yaml monitoring.yaml examples/*/template.yaml; do \
	  SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam validate --lint --template $$template || exit 1; \
	done

build: lambda-python $(SAM) ## Build the functions and layers for deployment
	$(RUN_SAM) build --template template.yaml

package: build $(INSTALLED) ## Write the build as zips, a plain template and a manifest: dist/package (docs/package.md)
	rm -rf dist/package
	$(BIN)/python -m chatgrid_devkit.packaging template.yaml .aws-sam/build dist/package $(ARGS)
	$(BIN)/cfn-lint dist/package/template.json

cdk: $(INSTALLED) ## Install CDK, and test the construct by `cdk synth` (needs Node.js; minutes)
	npm ci --prefix constructs/cdk --ignore-scripts --no-audit --no-fund --loglevel=error
	$(BIN)/pytest -n 0 tests/cdk $(ARGS)

build-local: lambda-python $(SAM) $(INSTALLED) ## Build for this machine, not for Lambda's: what sam-local and deploy-local run
	$(BIN)/python -m chatgrid_devkit.stack.local_build template.yaml .aws-sam/local.json
	LAMBDA_ARCH=$(shell uname -m | sed 's/arm64/aarch64/') $(RUN_SAM) build --template .aws-sam/local.json --base-dir . --build-dir .aws-sam/local --no-cached

lambda-python:
	@test -n "$(LAMBDA_PYTHON)" || { echo "Python 3.13, which the functions run on, is needed. Name it: make $(MAKECMDGOALS) LAMBDA_PYTHON=/path/to/python3.13" >&2; exit 1; }

deploy-local: build build-local ## Test the build, and deploy it to an embedded AWS: create, call, update, delete
	PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" LAMBDA_PYTHON="$(LAMBDA_PYTHON)" $(BIN)/pytest tests/deploy $(ARGS)

local-aws: $(INSTALLED) lambda-python ## Run an embedded AWS on port 4566, to deploy into by hand (docs/deploy.md)
	@exec $(BIN)/python -m chatgrid_devkit.stack.local_aws --lambda-python "$(LAMBDA_PYTHON)"

sam-local: build-local ## Run the API under the real `sam local start-api` (needs a Docker engine)
	@PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" exec $(BIN)/python -m chatgrid_devkit.stack.sam_local --build .aws-sam/local --port $(PORT)

sam-local-test: build-local ## Test every file in events/ and the API under the real `sam local` (needs a Docker engine)
	SAM_LOCAL_TESTS=yes PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" $(BIN)/pytest tests/sam_local $(ARGS)

checkov: $(CHECKOV) ## Check the templates with checkov (.checkov.yaml says what it overlooks)
	.venv-checkov/bin/checkov --config-file .checkov.yaml

audit: $(AUDIT) $(INSTALLED) ## Look for known vulnerabilities in what the lock files name
	@$(BIN)/python -m chatgrid_devkit.audit .venv-audit/bin/pip-audit layers/http/requirements.txt layers/jwt/requirements.txt cli/requirements.txt requirements/dev.txt

bench: $(BENCH) $(VENV)/.browser ## Measure the authorizer beside what else could stand there, every function's start and warm requests, and the page on a slow phone; writes docs/benchmarks
	@if command -v npm > /dev/null; then \
	  npm ci --prefix $(BENCH_NODE) --ignore-scripts --no-audit --no-fund --loglevel=error \
	  && npm run --prefix $(BENCH_NODE) --silent bundle; \
	else echo "No Node here: its rows are left out."; fi
	PYTHONPATH=.:layers/auth:functions/authorizer $(BENCH_VENV)/bin/python -m tests.benchmarks.authorizer.run --rounds $(BENCH_ROUNDS) $(ARGS)
	PYTHONPATH=.:layers/auth $(BENCH_VENV)/bin/python -m tests.benchmarks.functions.starts --rounds $(BENCH_ROUNDS) --write
	PYTHONPATH=.:layers/auth $(BENCH_VENV)/bin/python -m tests.benchmarks.functions.warm --rounds $(BENCH_ROUNDS) --write
	$(BIN)/python -m tests.benchmarks.functions.changes --rounds $(BENCH_ROUNDS) --write
	$(BIN)/python -m tests.browser.first_paint --write

lock: $(INSTALLED) ## Choose newer versions: write every lock file again
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/dev.txt cli/requirements.in -o cli/requirements.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/sam.in -o requirements/sam.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/dev.txt requirements/bench.in -o requirements/bench.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/dev.txt requirements/browser.in -o requirements/browser.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/fuzz.in -o requirements/fuzz.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/checkov.in -o requirements/checkov.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/audit.in -o requirements/audit.txt
	for layer in http jwt; do \
	  $(BIN)/uv pip compile --upgrade --python-version 3.13 --python-platform aarch64-manylinux2014 --generate-hashes --no-emit-index-url --no-header -q -c requirements/dev.txt layers/$$layer/requirements.in -o layers/$$layer/requirements.txt || exit 1; \
	done

clean: ## Remove what was built and installed; the local system's state stays
	rm -rf $(VENV) $(SAM_VENV) .venv-audit .venv-checkov $(BENCH_VENV) $(BENCH_NODE)/node_modules constructs/cdk/node_modules .aws-sam build .mypy_cache .pytest_cache .ruff_cache .hypothesis dist *.egg-info layers/auth/*.egg-info cli/*.egg-info

$(INSTALLED): requirements/dev.txt pyproject.toml layers/auth/pyproject.toml cli/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, and '$(PYTHON)' is not that. Name one: make PYTHON=python3.13 ..." >&2; exit 1; }
	@echo "Setting up $(VENV): a minute or more, once and again when the lock file changes ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable layers/auth --editable cli --editable .
	@touch $@

$(VENV)/.browser: $(INSTALLED) requirements/browser.txt
	@echo "Setting up the browser suite in $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/browser.txt
	$(BIN)/python -m tests.browser.chromium --install
	@touch $@

$(BENCH): requirements/bench.txt
	@echo "Setting up the benchmark in $(BENCH_VENV) (once, and again when its lock file changes) ..."
	$(or $(LAMBDA_PYTHON),$(PYTHON)) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@# What it adds to every start would make the bare one slower, and us look better.
	$(BENCH_VENV)/bin/python -m pip uninstall --quiet --yes setuptools
	@touch $@

$(SAM): requirements/sam.txt
	@echo "Setting up the SAM CLI in $(SAM_VENV) (once, and again when its lock file changes) ..."
	$(PYTHON) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/sam.txt
	@touch $@

$(AUDIT) $(CHECKOV): .venv-%/.installed: requirements/%.txt
	@echo "Setting up $* in .venv-$* (once, and again when its lock file changes) ..."
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/$*.txt
	@touch $@
