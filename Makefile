# Two commands for a newcomer: `make demo` and `make test`. Both set everything up first.
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.runtime
DEV_STAMP := $(VENV)/.development
# `make test EXTRAS=dev` leaves PyTorch and the CRF reference out: their tests are then skipped.
EXTRAS ?= dev,train,crf
DEMO_DIR ?= out/demo

.PHONY: demo test lint format wheel clean

demo: $(RUN_STAMP)
	$(BIN)/calcviewer demo -o $(DEMO_DIR)

test: $(DEV_STAMP) lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(DEV_STAMP)
	$(BIN)/python -m pip wheel --no-deps -w dist .

clean:
	rm -rf $(VENV) build dist out *.egg-info

$(RUN_STAMP): pyproject.toml constraints.txt packaging/set_up.sh
	sh packaging/set_up.sh $(VENV)
	touch $@

$(DEV_STAMP): pyproject.toml constraints.txt packaging/set_up.sh
	sh packaging/set_up.sh $(VENV) $(EXTRAS)
	touch $@ $(RUN_STAMP)
