# Development tasks; `make help` lists them.
#
#   PYTHON         interpreter that makes the environment (3.10 to 3.13)
#   VENV           environment to use; one that is there already is used as it is
#   HOST           host stack to install: fork or upstream
#   VENV_UPSTREAM  environment of `make test-upstream`
#   TESTS          what `make coverage` runs
#   SAMPLE         number of mutants of `make mutants`, drawn by SEED; without it all of them
#   FOLDERS        folders of mmtmix that `make mutants` changes
#   SOAK_MINUTES   time of `make soak`
#   VENV_DOCS      environment of `make docs`, which needs no PyTorch
#   COSTS_CONFIG   trained classifier of `make costs`; without it SuperMix is left out

PYTHON ?= python3
VENV ?= .venv
VENV_UPSTREAM ?= .venv-upstream
VENV_DOCS ?= .venv-docs
HOST ?= fork
# Some shells export the machine's name as HOST.
ifeq ($(origin HOST),environment)
HOST := $(or $(filter fork upstream,$(HOST)),fork)
endif

ifeq ($(HOST),fork)
STACK := requirements/mminstall.txt
RIVAL := mmengine
else ifeq ($(HOST),upstream)
STACK := requirements/mminstall-upstream.txt
RIVAL := onedl-mmengine
else
$(error HOST must be fork or upstream, not '$(HOST)')
endif

REQUIREMENTS := requirements/runtime.txt $(STACK) requirements/tests.txt
VPY := $(VENV)/bin/python
# MADE marks an environment as made here, and so as ours to delete. STAMP is written last: an
# environment of ours without it is half-made or holds the other host stack, and is made anew.
MADE := $(VENV)/.mmtmix-made
STAMP := $(VENV)/.mmtmix-$(HOST)

# two tests at a time; those of a file share what they trained
PYTEST ?= -n 2 --dist loadfile

TESTS ?= tests
SAMPLE ?=
SEED ?= 0
FOLDERS ?= functional models/losses models/mixers models/augments
SOAK_MINUTES ?= 20
COSTS_CONFIG ?= configs/simple/wrn16_fashionmnist32.py

# its authors warn of a coming MkDocs 2 at every build; requirements/docs.txt excludes that
MKDOCS := NO_MKDOCS_2_WARNING=true $(VENV_DOCS)/bin/python -m mkdocs

export PIP_DISABLE_PIP_VERSION_CHECK := 1

define CHECK_PYTHON
import sys
v = sys.version_info[:2]
if not (3, 10) <= v <= (3, 13):
    sys.exit("mmtmix needs Python 3.10 to 3.13, but %s is %d.%d. Name another: make PYTHON=python3.11" % ((sys.executable,) + v))
endef
export CHECK_PYTHON
MINOR := -c 'import sys; print("%d.%d" % sys.version_info[:2])'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv test test-upstream coverage reliability mutants soak grid lint ruff ruff-format mypy format demo \
  costs bench-short docs docs-serve docs-links clean

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

venv: $(STAMP) ## make the environment, or bring it up to date
ifneq ($(origin PYTHON),file)
	@[ "$$($(PYTHON) $(MINOR))" = "$$($(VPY) $(MINOR))" ] || { \
	  echo "$(VENV) holds Python $$($(VPY) $(MINOR)), but PYTHON=$(PYTHON) is another version:" \
	    "delete $(VENV), or name another with VENV=..." >&2; exit 1; }
endif

$(STAMP): $(REQUIREMENTS) setup.py setup.cfg
	@if [ -e $(MADE) ] && [ ! -e $@ ]; then \
	  $(PYTHON) -c "$$CHECK_PYTHON" && \
	  echo "$(VENV) is half-made or holds the other host stack: making it anew" && \
	  rm -rf "$(VENV)"; fi
	@if [ ! -x $(VPY) ]; then \
	  $(PYTHON) -c "$$CHECK_PYTHON" && \
	  mkdir -p "$(dir $(abspath $(VENV)))" && mkdir "$(VENV)" && touch $(MADE) && \
	  echo "Making $(VENV) with $$($(PYTHON) -V)" && \
	  $(PYTHON) -m venv "$(VENV)"; fi
	@$(VPY) -c "$$CHECK_PYTHON"
	@if $(VPY) -m pip show -q $(RIVAL) 2>/dev/null; then \
	  echo "$(VENV) holds $(RIVAL), of the other host stack: name another with VENV=..." >&2; \
	  exit 1; fi
	@rm -f $@
	$(VPY) -m pip install $(addprefix -r ,$(REQUIREMENTS)) -e .
# The opencv-python that the host stack asks for needs libGL and X11. Where they are missing, its
# headless build takes its place.
	@$(VPY) -c 'import cv2' 2>/dev/null || { \
	  echo "opencv-python does not load here: taking opencv-python-headless instead" && \
	  $(VPY) -m pip uninstall -q -y opencv-python opencv-python-headless && \
	  $(VPY) -m pip install opencv-python-headless && $(VPY) -c 'import cv2'; }
	@touch $@

test: lint ## lint, then run all tests
	$(VPY) -m pytest $(PYTEST)

test-upstream: ## run the tests marked `host` on upstream's distribution
	$(MAKE) venv HOST=upstream VENV=$(VENV_UPSTREAM)
	$(VENV_UPSTREAM)/bin/python -m pytest $(PYTEST) -m host

coverage: venv ## branch coverage of the package, of TESTS and what they start
	$(VPY) -m pytest $(PYTEST) --cov --cov-report=term:skip-covered --cov-report=json $(TESTS)
	$(VPY) tests/strength/coverage_table.py

reliability: venv ## faults of each kind that the tests try, and how many are survived
	$(VPY) tests/strength/reliability.py

mutants: venv ## plant small faults and count those that tests notice (hours; see SAMPLE)
	$(VPY) tests/strength/mutants.py run $(if $(SAMPLE),--sample $(SAMPLE)) --seed $(SEED) \
	  --jobs 2 --folder $(FOLDERS) --json build/mutants.json

soak: venv ## kill launches at random and search for failing batches, for SOAK_MINUTES
	HYPOTHESIS_PROFILE=soak $(VPY) -m pytest -q $(PYTEST) \
	  tests/test_functional/test_properties.py \
	  tests/test_models/test_augments/test_properties.py
	$(VPY) tests/strength/soak.py --minutes $(SOAK_MINUTES) --json build/soak.json

grid: venv ## compare a serial grid with two that run at once and are killed in between
	$(VPY) tests/strength/grid.py

docs: $(VENV_DOCS)/.mmtmix-docs ## build the site into build/site; a wrong link is an error
	$(MKDOCS) build

docs-serve: $(VENV_DOCS)/.mmtmix-docs ## show the site on this machine while you write
	$(MKDOCS) serve

docs-links: docs ## open all addresses that the built site names (needs the network)
	$(VENV_DOCS)/bin/python tools/check_links.py build/site

# The site is made from sources that are read, not imported: its environment is small.
$(VENV_DOCS)/.mmtmix-docs: requirements/docs.txt
	@$(PYTHON) -c "$$CHECK_PYTHON"
	[ -x $(VENV_DOCS)/bin/python ] || $(PYTHON) -m venv $(VENV_DOCS)
	$(VENV_DOCS)/bin/python -m pip install -r requirements/docs.txt
	@touch $@

lint: ruff ruff-format mypy ## what CI checks besides the tests

ruff: venv
	$(VPY) -m ruff check .

ruff-format: venv
	$(VPY) -m ruff format --check .

mypy: venv
	$(VPY) -m mypy

format: venv ## let ruff fix and format the code
	$(VPY) -m ruff check --fix .
	$(VPY) -m ruff format .

demo: venv ## show what mmtmix does, on a small data set
	$(VPY) tools/demo.py

costs: venv ## measure docs/costs.md anew (10 minutes); see COSTS_CONFIG
	MMTMIX_MALLOPT=0 OMP_NUM_THREADS=1 $(VPY) tools/benchmark_mixers.py --device cpu \
	  --topics blind blind224 --json results/costs/cpu_own_malloc.json
	OMP_NUM_THREADS=1 $(VPY) tools/benchmark_mixers.py --config $(COSTS_CONFIG) --device cpu \
	  --topics masks --json results/costs/masks.json
	OMP_NUM_THREADS=1 $(VPY) tools/benchmark_mixers.py --config $(COSTS_CONFIG) --device cpu \
	  --topics default --sweep --profile --json results/costs/cpu.json --page docs/costs.md

bench-short: venv ## measure main costs in a short form; fails far beyond the goals, as in CI
	OMP_NUM_THREADS=1 $(VPY) -m mmtmix benchmark --short --device cpu

clean: ## delete build products and caches, but no environment
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis \
	  .coverage .coverage.* coverage.json
	find mmtmix tests tools configs -name __pycache__ -type d -prune -exec rm -rf {} +
