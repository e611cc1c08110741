# make env    the environments: .venv (server, tools, model), .venv-blender-* (Blender as a module)
# make demo   sets everything up, re-shoots real footage in real Blender, prints where it lies
# make test   everything that is tested on every machine
# make test-blender   the add-on in every Blender: 4.2, 4.5, 5.0, 5.2
# make test-install   a local server from Blender, fetched, started, used (fetches 120 MB)
# make bench  figures, as ratios in one run
# make stress   breaks the server on purpose and says what held; SECTION=kills for one of it
# make screenshots   a real Blender window, driven by clicks; its pictures in docs/images/
# make addon  the add-on's zips, for every platform, in dist/

# A Python of this version that runs: on the PATH, or one of pyenv's.
python = $(shell for each in python$(1) $(HOME)/.pyenv/versions/$(1).*/bin/python; do \
    "$$each" -c 'import venv' 2>/dev/null && { command -v "$$each"; break; }; done)
PYTHON ?= $(or $(call python,3.11),python3)
PYTHON_5.2 ?= $(call python,3.13)

BLENDERS ?= 4.2 4.5 5.0 5.2
BPY_4.2 = bpy==4.2.23 'numpy<2'
BPY_4.5 = bpy==4.5.15 'numpy<2'
BPY_5.0 = bpy==5.0.1 'numpy<2'
BPY_5.2 = bpy==5.2.3
DEMO_BLENDER = 4.5
# `make test` takes the oldest and the newest that this machine can have.
TEST_BLENDERS ?= 4.2 $(if $(PYTHON_5.2),5.2,5.0)

PIP = -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help libraries env demo test test-server test-blender test-install bench stress addon screenshots
.PHONY: lint clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

env: .venv/model $(patsubst %,.venv-blender-%/ready,$(call had,$(BLENDERS)))

.venv/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv (server and tools) …"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP) --editable '.[demo]'
	@touch $@

# PyTorch and what the model needs: the demo does without, tests and benchmarks do not.
.venv/model: .venv/ready
	@echo "Setting up .venv for the model (PyTorch, diffusers, transformers) …"
	@.venv/bin/python $(PIP) --editable '.[demo,model,test,stress]'
	@touch $@

# The Blenders of a list that this machine can have.
had = $(foreach each,$(1),$(if $(filter-out 5.2,$(each))$(PYTHON_5.2),$(each)))

# No pyzmq here: it would hide the one that the add-on bundles.
.venv-blender-%/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv-blender-$* (Blender $* as a Python module, about 1 GB) …"
	@$(or $(PYTHON_$*),$(PYTHON)) -m venv .venv-blender-$*
	@.venv-blender-$*/bin/python -c 'import sys; v = sys.version_info[:2]; \
	    sys.exit(v != ((3, 13) if "$*" == "5.2" else (3, 11)))' || { rm -rf .venv-blender-$*; \
	    echo "Blender $* needs Python 3.11: make env PYTHON=/path/to/python3.11"; exit 1; }
	@.venv-blender-$*/bin/python $(PIP) $(BPY_$*) pytest pytest-xdist
	@.venv-blender-$*/bin/python -c 'import bpy' || { \
	    echo "Blender cannot start: a system library is missing. On Debian or Ubuntu:"; \
	    echo "  sudo apt-get install --no-install-recommends $(BLENDER_LIBRARIES)"; exit 1; }
	@touch $@

BLENDER_LIBRARIES = libx11-6 libxrender1 libxxf86vm1 libxfixes3 libxi6 libxkbcommon0 libgomp1 \
    libsm6 libgl1

demo: .venv/ready .venv-blender-$(DEMO_BLENDER)/ready
	@.venv/bin/python -m demo --blender .venv-blender-$(DEMO_BLENDER)/bin/python --out out/demo

# A test file goes to the next core that is free.
PYTEST = -m pytest --numprocesses 2 --dist loadfile

# Small networks on several threads wait for each other when the machine is busy.
test test-server test-blender: export OMP_NUM_THREADS = 1

test: test-server
	@$(MAKE) --no-print-directory test-blender BLENDERS='$(TEST_BLENDERS)'

test-server: .venv/model
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/python $(PYTEST) tests/shared tests/inference_server tests/stress

# The built zip in real Blender, with a real server from .venv.
test-blender: .venv/model $(patsubst %,.venv-blender-%/ready,$(call had,$(BLENDERS)))
	@for version in $(call had,$(BLENDERS)); do \
	    echo "Blender $$version:"; \
	    RECAM_SERVER_PYTHON=$(CURDIR)/.venv/bin/python \
	        .venv-blender-$$version/bin/python $(PYTEST) tests/blender_addon tests/end_to_end \
	        || exit 1; \
	done
	@for version in $(filter-out $(call had,$(BLENDERS)),$(BLENDERS)); do \
	    echo "Blender $$version: SKIPPED, there is no Python 3.13 here" \
	        "(make test-blender PYTHON_5.2=/path/to/python3.13)"; \
	done

test-install: .venv/ready .venv-blender-$(DEMO_BLENDER)/ready
	@RECAM_TEST_INSTALL=1 RECAM_SERVER_PYTHON=$(CURDIR)/.venv/bin/python \
	    .venv-blender-$(DEMO_BLENDER)/bin/python -m pytest tests/end_to_end/test_install_for_real.py

bench: .venv/model
	.venv/bin/python -m tests.bench

# WRITE=--write puts the figures into docs/reliability.md.
stress: export OMP_NUM_THREADS = 1
stress: .venv/model
	@.venv/bin/python -m tests.stress $(SECTION) $(WRITE)

addon: .venv/ready .venv-blender-$(DEMO_BLENDER)/ready
	.venv-blender-$(DEMO_BLENDER)/bin/python blender_addon/build.py --output dist

# SID: the Debian root with Blender, made once; needs root and debootstrap, skipped aloud without.
SID ?= build/gui/sid

screenshots: .venv/ready
	.venv/bin/python -m tests.gui --root $(SID)

libraries:
	@echo $(BLENDER_LIBRARIES)

clean:
	rm -rf out build dist .venv .venv-blender-*
