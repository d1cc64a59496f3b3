# Two commands for a newcomer: `make demo` and `make test`. Both set everything up first.
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.runtime
DEV_STAMP := $(VENV)/.development
DOCS_STAMP := $(VENV)/.documentation
# `make test EXTRAS=dev` leaves PyTorch, the CRF reference, mkdocs and Dask out: their
# tests are then skipped.
EXTRAS ?= dev,docs,train,crf,cluster
DEMO_DIR ?= out/demo

.PHONY: demo test lint format docs wheel package clean

demo: $(RUN_STAMP)
	$(BIN)/calcviewer demo -o $(DEMO_DIR)

# In the order of the names: else the long files of one test each would come last.
test: $(DEV_STAMP) lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DOCS_STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

wheel: $(DEV_STAMP)
	$(BIN)/python -m pip wheel --no-deps -w dist .

package: $(RUN_STAMP)
	$(BIN)/python packaging/package.py

clean:
	rm -rf $(VENV) build dist out site *.egg-info

$(RUN_STAMP): pyproject.toml constraints.txt packaging/set_up.sh
	sh packaging/set_up.sh $(VENV)
	touch $@

$(DEV_STAMP): pyproject.toml constraints.txt packaging/set_up.sh
	sh packaging/set_up.sh $(VENV) $(EXTRAS)
	touch $@ $(RUN_STAMP)

$(DOCS_STAMP): $(RUN_STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@
