# Two commands: `make demo` runs the main job, `make test` the checks. Each sets up what it needs.
#
# Variables, on the command line or in the environment:
#   PRESET=tiny|demo|full       size of the demo
#   DATA=kuairand:PATH          run the demo on real logs instead of the synthetic world
#   FIND_LINKS=DIR...           directories or pages of wheels (default: UV_/PIP_FIND_LINKS)
#   INDEX_URL=URL               package index (default: UV_/PIP_INDEX_URL)
#   EXTRA_INDEX_URL=URL...      further indexes (default: UV_/PIP_EXTRA_INDEX_URL)
#   TORCH_BACKEND=cpu           build of torch as uv names it: cpu, auto, cu130 ...; empty: the index's
#   PYTEST_FLAGS=...            passed on to pytest
#   PREFIX=shortlist, TAG=...   images are PREFIX/ROLE:TAG (default: version and revision)
#   ROLES=...                   the images to build: training ranker transformer; for e2e: object-store
#   BUILDER=docker              or podman, buildah, or a command that takes docker build's arguments
#   BUILD_FLAGS=...             more arguments for it

PRESET ?=
DATA ?=
TORCH_BACKEND ?= cpu
PYTEST_FLAGS ?=
PREFIX ?= shortlist
TAG ?=
ROLES ?= training ranker transformer
BUILDER ?=
BUILD_FLAGS ?=
comma := ,
FIND_LINKS ?= $(subst $(comma), ,$(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS)))
INDEX_URL ?= $(or $(UV_DEFAULT_INDEX),$(UV_INDEX_URL),$(PIP_INDEX_URL))
EXTRA_INDEX_URL ?= $(or $(UV_INDEX),$(UV_EXTRA_INDEX_URL),$(PIP_EXTRA_INDEX_URL))
# uv stops at a directory of wheels that does not exist, pip only warns: drop such places here.
unexport UV_FIND_LINKS
# The tests and the demo start many processes: let them keep the bytecode of what they import.
unexport PYTHONDONTWRITEBYTECODE
override LINKS := $(foreach place,$(FIND_LINKS),$(if $(findstring ://,$(place)),$(place),$(wildcard $(place))))

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),.cache/uv/bin/uv)
PYTHON := .venv/bin/python
STAMP := .venv/.installed
INDEXES := $(if $(INDEX_URL),--default-index $(INDEX_URL)) \
    $(if $(EXTRA_INDEX_URL),--index-strategy unsafe-best-match) \
    $(foreach url,$(EXTRA_INDEX_URL),--index $(url)) \
    $(foreach place,$(LINKS),--find-links $(place))
INSTALL = $(UV) pip install --python $(PYTHON) $(INDEXES) --constraint constraints.txt --compile-bytecode --editable '.[dev]'
# A CPU wheel at hand is preferred by its version; pytorch's own index is not asked then.
CPU_WHEEL := $(firstword $(foreach place,$(LINKS),$(wildcard $(place)/torch-*+cpu*.whl)))

IN_PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: help demo test unit e2e lint venv settings-page chart manifests kind constraints images clean
.DEFAULT_GOAL := help

help:
	@echo "make demo         the recommender: trained, judged, published, served [PRESET=..., DATA=...]"
	@echo "make test         lint, types, import contracts, all tests with coverage"
	@echo "make unit         the quick tests alone"
	@echo "make e2e          the tests on the cluster of KUBECONFIG, with its images of TAG=..."
	@echo "make lint         lint, types, import contracts"
	@echo "make chart        what is written from the chart's values: its README, its schema"
	@echo "make manifests    the chart rendered for Kustomize"
	@echo "make kind         a kind cluster with KServe, and the images in it"
	@echo "make images       container images of all roles [PREFIX=..., TAG=..., BUILDER=...]"
	@echo "make constraints  pin the newest versions that pyproject.toml allows"
	@echo "make clean        remove the environment and caches; results in work/ stay"

CHOSEN = $(if $(PRESET),--preset '$(PRESET)') $(if $(DATA),--set 'datasets.source=$(DATA)')

demo: $(STAMP)
	.venv/bin/shortlist demo $(CHOSEN)
	.venv/bin/shortlist up --try $(CHOSEN)

test: lint
	$(PYTHON) -m pytest $(IN_PARALLEL) --cov --cov-report=term:skip-covered $(PYTEST_FLAGS)

unit: $(STAMP)
	$(PYTHON) -m pytest tests/unit src $(IN_PARALLEL) $(PYTEST_FLAGS)

e2e: $(STAMP)
	@test -n '$(TAG)' || { echo 'say which images the cluster has: make e2e TAG=...' >&2; exit 2; }
	SHORTLIST_E2E_TAG='$(TAG)' $(PYTHON) -m pytest tests/e2e tests/unit/chart/test_manifests.py \
	    $(PYTEST_FLAGS)

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt | $(UV)
	@test -x $(PYTHON) || $(UV) venv --clear --python 3.11 .venv
ifneq ($(and $(TORCH_BACKEND),$(if $(CPU_WHEEL),,ask)),)
	@$(INSTALL) --torch-backend $(TORCH_BACKEND) || { \
	    echo "pytorch's own index did not serve the $(TORCH_BACKEND) build: taking the package index's,"; \
	    echo "on Linux the CUDA build of several GB (FIND_LINKS=DIR names a directory of wheels)"; \
	    $(INSTALL); }
else
	@$(INSTALL)
endif
	@touch $@

.cache/uv/bin/uv:
	python3 -m pip install --quiet --disable-pip-version-check --target .cache/uv \
	    $(if $(INDEX_URL),--index-url $(INDEX_URL)) uv==$(UV_VERSION)

settings-page: $(STAMP)
	.venv/bin/shortlist settings --reference > docs/settings.md

chart: $(STAMP)
	$(PYTHON) helm/values_pages.py

manifests: chart
	$(PYTHON) manifests/render.py

kind:
	manifests/kind/up.sh

constraints: | $(UV)
	{ sed '/^[^#]/,$$d' constraints.txt; \
	  $(UV) pip compile pyproject.toml --extra dev --python-version 3.11 --upgrade --quiet $(INDEXES) \
	    --no-annotate --no-header --no-emit-index-url --no-emit-find-links | sed 's/+cpu$$//'; \
	} > constraints.new
	mv constraints.new constraints.txt

images:
	@INDEX_URL='$(INDEX_URL)' EXTRA_INDEX_URL='$(EXTRA_INDEX_URL)' FIND_LINKS='$(LINKS)' \
	    TORCH_BACKEND='$(TORCH_BACKEND)' BUILDER='$(BUILDER)' BUILD_FLAGS='$(BUILD_FLAGS)' \
	    images/build '$(PREFIX)' '$(TAG)' $(ROLES)

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	    .coverage* htmlcov build dist
