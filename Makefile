# Every target sets up what it needs in .venv; a second run finds it ready.
# Another interpreter: make PYTHON=python3.12 test
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready-$(shell cat pyproject.toml constraints.txt .ci/environment.sh | cksum | cut -d ' ' -f 1)

.PHONY: demo test lint bench plugins editors clean

demo: $(READY)
	$(BIN)/python -m acetate.demo demo

# All but the tests inside the real editors, which `make editors` sets up and runs.
test: $(READY)
	$(BIN)/python -m pytest --ignore tests/editors/gimp --ignore tests/editors/krita

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

plugins: $(READY)
	$(BIN)/acetate plugins build --output dist

editors: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,metrics,train,qt]'
	tests/editors/setup.sh
	$(BIN)/python -m pytest tests/editors

clean:
	rm -rf .venv build dist demo

$(READY):
	sh .ci/environment.sh "$(PYTHON)"
	touch $@
