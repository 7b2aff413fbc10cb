# Each line is a command that the README also shows. DATASET=, RESULTS= and BUILD= pass through; FRESH=1 trains anew.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
NOTEBOOKS := $(wildcard notebooks/0[1-9]_*.ipynb) notebooks/00_overview.ipynb notebooks/playground.ipynb
NBVAL := $(BIN)/python -m pytest --nbval-lax --nbval-current-env $(NOTEBOOKS)
AS := env DATASET=digits RESULTS=$(CURDIR)/build/reference

.PHONY: report test test-all test-browser reference lab notebooks number lock bench submission clean

report: $(INSTALLED)
	$(BIN)/python -m helpers.report build

test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m pytest -m "not slow"

test-all: test
	$(BIN)/python -m pytest -m slow
	DATASET=digits $(NBVAL)

# What `make test-all` holds the notebooks' outputs against: those on the digits, as this processor computes them, and as
# it does when it is told to be an older one, which rounds in another way.
reference: $(INSTALLED)
	rm -rf tests/reference
	$(AS)/this $(NBVAL) --record
	$(AS)/avx2 OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 \
		NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" $(NBVAL) --record
	$(AS)/sse OPENBLAS_CORETYPE=Nehalem ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_CBWR=COMPATIBLE \
		NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4 AVX512_ICL AVX512_SPR" $(NBVAL) --record

test-browser: $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check -q playwright
	$(BIN)/python -m pytest tests/browser

lab: $(INSTALLED)
	$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks/00_overview.ipynb --LabApp.app_settings_dir=docs/jupyterlab

notebooks: $(INSTALLED)
	$(BIN)/python -m helpers.report notebooks

number: $(INSTALLED)
	$(BIN)/python -m helpers.report.numbering

# The versions of all that is installed, after a change of requirements.txt.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	grep -v '^-c' requirements.txt > requirements.unlocked.txt
	build/lock/bin/python -m pip install --disable-pip-version-check -r requirements.unlocked.txt
	build/lock/bin/python -m pip freeze --all --exclude-editable --exclude pip > constraints.txt
	rm -rf build/lock requirements.unlocked.txt

# The two variables keep a current NumPy from the best kernels of the processor; where they are set, it is for old ones.
bench: $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check -r tests/benchmarks/requirements.txt
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 VECLIB_MAXIMUM_THREADS=1 $(BIN)/python -m tests.benchmarks

submission: $(INSTALLED)
	$(BIN)/python -m helpers.submission

clean:
	rm -rf $(or $(BUILD),build)/notebooks $(or $(BUILD),build)/report.* $(or $(BUILD),build)/solution.py $(or $(BUILD),build)/submission.zip
	rm -f $(foreach made,mlp cnn planted replay chosen,$(or $(RESULTS),results)/$(made)-*)

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later, please: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	touch $@
