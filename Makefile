# Two commands are enough: `make lab` opens the course, `make test` proves that it works.
# Each does all the set-up on a machine that has only Python 3.11+ and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help lab test pytorch check notebooks guide lint bench clean

help:
	@echo "make lab        ouvre JupyterLab sur le cours (installe tout la première fois)"
	@echo "make test       exécute tous les tests, tous les notebooks et toutes les solutions"
	@echo "make pytorch    ajoute PyTorch, pour le notebook 2-9"
	@echo "make check      vérifie l'installation et propose une réparation pour chaque défaut"
	@echo "make notebooks  réexécute les notebooks dans un noyau neuf et enregistre leurs sorties"
	@echo "make guide      recompose GUIDE.md d'après les métadonnées des notebooks"
	@echo "make lint       ruff et mypy"
	@echo "make bench      mesures comparées (benchmarks/)"
	@echo "make clean      supprime l'environnement virtuel"

# Redone whenever what the course needs has changed; a half-done install leaves no READY file behind.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))" || \
	  { echo "Il faut Python 3.11, 3.12 ou 3.13 ; « $(PYTHON) » n'en est pas un. Essayez : make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,dev]"
	@# Alone: it asks for opencv-python, which would overwrite the headless OpenCV by one that needs a screen's libraries.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps trackeval
	@# No pop-up about Jupyter's news in front of a class.
	$(BIN)/jupyter labextension disable "@jupyterlab/apputils-extension:announcements" 2> /dev/null
	@touch $(READY)

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=. notebooks/0-0_bienvenue.ipynb

# Collected together so that one line counts everything: the package's tests, then every notebook, executed.
test: $(READY)
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=500 --nbval-sanitize-with=tests/sanitize.cfg tests notebooks solutions

# PyTorch is heavy and serves one notebook, which explains itself without it.
pytorch: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[pytorch]"

check: $(READY)
	$(BIN)/python -m course_utils

notebooks: $(READY)
	COURSE_PROGRESS=0 $(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False \
	  $(or $(ONLY),notebooks/*.ipynb notebooks/*/*.ipynb solutions/*.ipynb solutions/*/*.ipynb)

guide: $(READY)
	$(BIN)/python -m course_utils.guide

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	@for script in benchmarks/*.py; do echo; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV)
