# Every target sets up what it needs in .venv; a second run finds it ready.
# Another interpreter: make PYTHON=python3.12 test
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready-$(shell cat pyproject.toml constraints.txt .ci/environment.sh | cksum | cut -d ' ' -f 1)

.PHONY: demo test check lint bench plugins wheel page interface cluster editors clean

demo: $(READY)
	$(BIN)/python -m acetate.demo demo

# Everything: first what needs no editor, then the tests inside the real GIMP and Krita, which
# wait for windows and keys and so have the machine to themselves.
test: check
	$(MAKE) page
	$(MAKE) interface
	$(MAKE) cluster
	$(MAKE) editors

check: $(READY)-dev
	$(BIN)/python -m pytest --ignore tests/editors/gimp --ignore tests/editors/krita --ignore tests/page \
		--ignore tests/interface \
		--ignore tests/workers/test_ray_engine.py \
		--numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder \
		--durations 15

lint: $(READY)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: $(READY)-dev
	$(BIN)/python -m tests.benchmarks

plugins: $(READY)
	$(BIN)/acetate plugins build --output dist

# What pipx, uv and pip install anywhere.
wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# The local page in a real Chromium.
page: $(READY)-dev
	tests/page/setup.sh
	$(BIN)/python -m pytest tests/page

# Clients and fuzzers that know the description of the HTTP interface alone.
interface: $(READY)-dev
	tests/interface/setup.sh $(BIN)/python
	$(BIN)/python -m pytest tests/interface

# Painting in a Ray cluster of two nodes on this machine.
cluster: $(READY)-more
	$(BIN)/python -m pytest tests/workers/test_ray_engine.py

editors: $(READY)-more
	tests/editors/setup.sh
	$(BIN)/python -m pytest tests/editors/gimp
	$(BIN)/python -m pytest tests/editors/krita

clean:
	rm -rf .venv .interface build dist demo

$(READY):
	sh .ci/environment.sh "$(PYTHON)"
	touch $@

# Painting needs none of the tools for tests.
$(READY)-dev: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,metrics,train]'
	touch $@

# Krita's panel is tested in both Qts, and clusters need Ray; nothing else needs either.
$(READY)-more: $(READY)-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,metrics,train,qt,ray]'
	touch $@
