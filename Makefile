# One virtual environment, made on first use: the core for `demo`, the extras for everything else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := compressor exporters runtimes bench models examples tests

.DEFAULT_GOAL := help
.PHONY: help demo check test conformance lint types fuzz large bench clean op-support

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.core ## Compile the residual network to INT8 ONNX and TFLite (< 3 min with install)
	$(BIN)/edgec compile models/residual_cnn/model.onnx --data models/data/fashion_mnist.toml \
	  --quantize int8 --to onnx,tflite -o demo-out

check: lint types ## Style, types and the quick tests (< 3 min)
	$(BIN)/pytest -n 2 -m "not slow"

test: lint types ## Everything (< 20 min)
	$(BIN)/pytest -n 2

fuzz: $(VENV)/.test ## The property tests and hostile files on many more random examples
	HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest -n 2 -m hypothesis
	EDGEC_FUZZ=20000 $(BIN)/pytest -n 2 tests/compressor/ingest/onnx/test_fuzz.py

conformance: $(VENV)/.test ## Every operator test of the ONNX standard, also as TFLite, every model of the zoo
	EDGEC_CONFORMANCE=full $(BIN)/pytest -n 2 tests/conformance tests/runtimes/simulator/test_architectures.py

large: $(VENV)/.test ## A model of three gigabytes, compiled in one and a half times its size (needs 16 GB of disk)
	EDGEC_LARGE_GB=3 $(BIN)/pytest tests/e2e/test_large_models.py

bench: $(VENV)/.test ## How far measurements can be trusted: on a quiet machine, some ten minutes
	$(BIN)/edgec compile models/residual_cnn/model.onnx --data models/data/fashion_mnist.toml -o bench-out
	$(BIN)/python bench/trust/overhead.py bench-out/model.onnx bench-out/model.tflite
	$(BIN)/python bench/trust/repeatability.py models/residual_cnn/model.onnx bench-out/model.onnx
	$(BIN)/python bench/trust/gate.py

op-support: $(VENV)/.test ## Write docs/op-support.md: every ONNX operator as TFLite, found by running
	$(BIN)/python -m tests.conformance.op_support

lint: $(VENV)/.test ## Style only
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: $(VENV)/.test ## Types only
	$(BIN)/mypy

clean: ## Remove what the targets made, but not the environment
	rm -rf demo-out bench-out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "edgec needs Python 3.11 or later; name one: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.core: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@ $(VENV)/.core
