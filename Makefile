# The two commands of the README are `make demo` and `make test`.
VENV := .venv
# What makes the environment; another by `make demo PYTHON3=python3.13`.
PYTHON3 := python3
PYTHON := $(VENV)/bin/python
# What is imported is compiled then, the rest never. A shell that forbids to keep what was compiled
# would have each process of a run do so anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test chaos check lock screenshots clean

demo: $(VENV)/.runtime  ## the whole job against the sandbox's last 14 days
	@$(PYTHON) -m pipeline.demo

dev: $(VENV)/.runtime  ## the Dagster UI: on your accounts if .env names them, else on the demo
	@$(PYTHON) -m pipeline.demo --ui

test: $(VENV)/.development  ## the whole test suite
	@$(PYTHON) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

RUNS := 2000
SEED := 7
chaos: $(VENV)/.development  ## strike the pipeline in every way on the list, RUNS times
	@$(PYTHON) -m tests.chaos --runs $(RUNS) --seed $(SEED) --json docs/chaos.json

check: $(VENV)/.development  ## lint, format, types, definitions
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PYTHON) -m pipeline.demo --check-definitions

RESOLVE := $(VENV)/bin/uv pip compile pyproject.toml - --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
lock: $(VENV)/.runtime  ## resolve the dependencies of pyproject.toml, and uv, anew
	echo uv | $(RESOLVE) --upgrade -o requirements.lock
	echo uv | $(RESOLVE) --group dev --constraint requirements.lock -o requirements-dev.lock

screenshots: $(VENV)/.development  ## the README's pictures, made anew; needs chromium
	@$(PYTHON) -m pytest tests/browser/test_dagster_dev.py -k "not power_cut" --screenshots docs

clean:  ## remove the environment and the demo; never the real data
	rm -rf $(VENV) data/demo

# The lock names everything, with hashes, also uv, which takes a tenth of pip's time; where it cannot
# install, such as from an index of which only pip was told, pip does. Only wheels are taken: what a
# package is built from source with comes from the index as it is, without a hash.
FROM_LOCK := --quiet --require-hashes --no-deps --only-binary :all:
PIP := $(PYTHON) -m pip install $(FROM_LOCK) --disable-pip-version-check --no-compile
# For other Pythons the lock's packages have no wheels: watchdog on macOS, DuckDB 1.5 anywhere.
define environment
	@$(PYTHON3) -c 'import sys; last = (3, 13 if sys.platform == "darwin" else 14); \
	  (3, 11) <= sys.version_info[:2] <= last or sys.exit("This needs Python 3.11 to %d.%d, and " \
	  "$(PYTHON3) is %d.%d: name another, as in `make demo PYTHON3=python3.13`" \
	  % (last + sys.version_info[:2]))'
	@$(PYTHON3) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' $(1) | $(PIP) -r /dev/stdin \
	  && $(VENV)/bin/uv pip install --python $(PYTHON) $(FROM_LOCK) -r $(1) \
	  || $(PIP) -r $(1)
endef

$(VENV)/.runtime: requirements.lock
	@echo "Installing the pipeline into $(VENV) (once) ..."
	$(call environment,requirements.lock)
	@touch $@

# The second lock holds the first, so that tests alone install once.
$(VENV)/.development: requirements-dev.lock requirements.lock
	@echo "Installing the pipeline and what its tests need into $(VENV) (once) ..."
	$(call environment,requirements-dev.lock)
	@touch $(VENV)/.runtime $@
