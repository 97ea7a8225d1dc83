# Every target sets up what it needs in .venv; a second run finds it ready.
# Another interpreter: make PYTHON=python3.12 test
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready-$(shell cat pyproject.toml constraints.txt .ci/environment.sh | cksum | cut -d ' ' -f 1)

# What is compiled is kept: tests start hundreds of processes, and each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

# By hand the tests are brief; with CI=true, and by `make test-all`, they are whole. A brief run has a
# process more than cores, as some tests wait for a clock.
ifeq ($(CI),true)
export ACETATE_TESTS := whole
else
export ACETATE_TESTS ?= brief
endif
MORE := $(if $(filter brief,$(ACETATE_TESTS)),1,0)
WORKERS = $(shell $(BIN)/python -c "import os; print(min(4, (os.cpu_count() or 1) + $(MORE)))")

.PHONY: demo test test-all test-fast check more docs lint bench soak plugins wheel page interface cluster editors clean

demo: $(READY)
	$(BIN)/python -m acetate.demo demo

# First what needs no editor, then the page in a browser, then the real GIMP and Krita, which wait for
# windows and keys. What this machine cannot run is said at the end.
test: $(READY)-dev
	MAKE="$(MAKE)" .ci/test.sh

# Every cell of every matrix, and every version of the editors, as where changes are taken.
test-all:
	ACETATE_TESTS=whole $(MAKE) test

check: $(READY)-dev
	$(BIN)/python -m tests.attempts slow \
		--ignore tests/editors/gimp --ignore tests/editors/krita --ignore tests/page --ignore tests/interface \
		--ignore tests/workers/test_ray_engine.py --ignore tests/workers/test_ray_queue.py \
		--numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 15

# What a change is likely to break, in a minute: no torch, no server, no editor.
test-fast: $(READY)-dev
	$(BIN)/python -m pytest -m "not slow" tests/test_layout.py tests/acetate_bridge/protocol \
		tests/acetate_bridge/editing tests/jobs tests/modes/test_validation.py tests/plugin_install \
		--numprocesses logical --maxprocesses 4

docs: $(READY)-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[docs]'
	$(BIN)/mkdocs build --strict --site-dir dist/docs

lint: $(READY)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: $(READY)-dev
	$(BIN)/python -m tests.benchmarks

# An hour of bad weather: kills, cut connections and damaged frames at their full figures.
soak: $(READY)-dev
	$(BIN)/python -m tests.soak

plugins: $(READY)
	$(BIN)/acetate plugins build --output dist

# What pipx, uv and pip install anywhere.
wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# The local page in a real Chromium.
page: $(READY)-dev
	tests/page/setup.sh
	$(BIN)/python -m tests.attempts slow tests/page

# Clients and fuzzers that know the description of the HTTP interface alone.
interface: $(READY)-dev
	tests/interface/setup.sh $(BIN)/python
	$(BIN)/python -m tests.attempts slow tests/interface

# Painting in a Ray cluster of two nodes on this machine.
cluster: $(READY)-more
	$(BIN)/python -m tests.attempts slow tests/workers/test_ray_engine.py tests/workers/test_ray_queue.py

editors: $(READY)-more
	tests/editors/setup.sh
	$(BIN)/python -m tests.editors.side_by_side gimp krita

# What the tests of the editors and of the cluster need beside the rest.
more: $(READY)-more

clean:
	rm -rf .venv .interface build dist demo

$(READY):
	sh .ci/environment.sh "$(PYTHON)"
	touch $@

# Painting needs none of the tools for tests.
$(READY)-dev: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,matting,metrics,parquet,train]'
	touch $@

# Krita's panel is tested in both Qts, and clusters need Ray; nothing else needs either.
$(READY)-more: $(READY)-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,matting,metrics,parquet,train,qt,ray]'
	touch $@
