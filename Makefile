# make env    the environments: .venv (server, tools, model), .venv-blender-* (Blender as a module)
# make demo   sets everything up, re-shoots real footage in real Blender, prints where it lies
# make test   everything that is tested on every machine
# make bench  figures, as ratios in one run
# make addon  the add-on's zips, for every platform, in dist/

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BLENDERS ?= 4.5 5.0
BPY_4.5 = bpy==4.5.15
BPY_5.0 = bpy==5.0.1
DEMO_BLENDER = 4.5

PIP = -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help libraries env demo test test-server test-blender bench addon lint clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

env: .venv/model $(BLENDERS:%=.venv-blender-%/ready)

.venv/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv (server and tools) …"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP) --editable '.[demo]'
	@touch $@

# PyTorch and what the model needs: the demo does without, tests and benchmarks do not.
.venv/model: .venv/ready
	@echo "Setting up .venv for the model (PyTorch, diffusers, transformers) …"
	@.venv/bin/python $(PIP) --editable '.[demo,model,test]'
	@touch $@

# No pyzmq here: it would hide the one that the add-on bundles.
.venv-blender-%/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv-blender-$* (Blender $* as a Python module, about 1 GB) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "Blender $* needs Python 3.11: make env PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv-blender-$*
	@.venv-blender-$*/bin/python $(PIP) '$(BPY_$*)' 'numpy<2' pytest
	@.venv-blender-$*/bin/python -c 'import bpy' || { \
	    echo "Blender cannot start: a system library is missing. On Debian or Ubuntu:"; \
	    echo "  sudo apt-get install --no-install-recommends $(BLENDER_LIBRARIES)"; exit 1; }
	@touch $@

BLENDER_LIBRARIES = libx11-6 libxrender1 libxxf86vm1 libxfixes3 libxi6 libxkbcommon0 libgomp1 \
    libsm6 libgl1

demo: .venv/ready .venv-blender-$(DEMO_BLENDER)/ready
	@.venv/bin/python -m demo --blender .venv-blender-$(DEMO_BLENDER)/bin/python --out out/demo

# Small networks on several threads wait for each other when the machine is busy.
test test-server test-blender: export OMP_NUM_THREADS = 1

test: test-server test-blender

test-server: .venv/model
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/python -m pytest tests/shared tests/inference_server

# The built zip in real Blender, with a real server from .venv.
test-blender: .venv/model $(BLENDERS:%=.venv-blender-%/ready)
	@for version in $(BLENDERS); do \
	    echo "Blender $$version:"; \
	    RECAM_SERVER_PYTHON=$(CURDIR)/.venv/bin/python \
	        .venv-blender-$$version/bin/python -m pytest tests/blender_addon tests/end_to_end \
	        || exit 1; \
	done

bench: .venv/model
	.venv/bin/python -m tests.bench

addon: .venv/ready .venv-blender-$(DEMO_BLENDER)/ready
	.venv-blender-$(DEMO_BLENDER)/bin/python blender_addon/build.py --output dist

libraries:
	@echo $(BLENDER_LIBRARIES)

clean:
	rm -rf out build dist .venv .venv-blender-*
