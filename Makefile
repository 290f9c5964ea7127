# The two commands of the README are `make demo` and `make test`.
VENV := .venv
PYTHON := $(VENV)/bin/python
# The lock names everything, with hashes; what is imported is compiled then, the rest never. A shell
# that forbids to keep what was compiled would have each process of a run do so anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE
PIP := --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile

.PHONY: demo dev test chaos check lock screenshots clean

demo: $(VENV)/.runtime  ## the whole job against the sandbox's last 14 days
	@$(PYTHON) -m pipeline.demo

dev: $(VENV)/.runtime  ## the Dagster UI: on your accounts if .env names them, else on the demo
	@$(PYTHON) -m pipeline.demo --ui

test: $(VENV)/.development  ## the whole test suite
	@$(PYTHON) -m pytest --numprocesses 3 --dist worksteal

RUNS := 2000
SEED := 7
chaos: $(VENV)/.development  ## strike the pipeline in every way on the list, RUNS times
	@$(PYTHON) -m tests.chaos --runs $(RUNS) --seed $(SEED) --json docs/chaos.json

check: $(VENV)/.development  ## lint, format, types, definitions
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PYTHON) -m pipeline.demo --check-definitions

lock:  ## resolve the dependencies of pyproject.toml anew; needs uv
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-emit-index-url --no-annotate --no-header --no-strip-extras --quiet -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --group dev \
	  --no-emit-index-url --no-annotate --no-header --no-strip-extras --quiet \
	  --constraint requirements.lock -o requirements-dev.lock

screenshots: $(VENV)/.development  ## the README's pictures, made anew; needs chromium
	@$(PYTHON) -m pytest tests/browser/test_morning_in_the_ui.py --screenshots docs

clean:  ## remove the environment and the demo; never the real data
	rm -rf $(VENV) data/demo

$(VENV)/.runtime: requirements.lock
	@echo "Installing the pipeline into $(VENV) (about a minute, once) ..."
	@python3 -m venv $(VENV)
	@$(PYTHON) -m pip install $(PIP) -r requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	@$(PYTHON) -m pip install $(PIP) -r requirements-dev.lock
	@touch $@
