# Everything a person needs; `make help` lists it. PYTHON is Python 3.11; later ones are not tested.
PYTHON ?= python3
DATA ?=
PROFILE ?= $(if $(DATA),laptop,phantom)
FOLDS ?= 1
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
ALLOW_SKIPPED ?=
ROWS ?=
CLUSTER ?=
NOTEBOOK ?=
LAB ?=
SWEEP ?= sweep.yml
# The file of a sweep says its run; what is given here goes before it.
GIVEN = $(filter command environment,$(origin $(1)))
SWEEP_RUN = $(if $(call GIVEN,PROFILE),--profile '$(PROFILE)') $(if $(call GIVEN,FOLDS),--folds '$(FOLDS)')
RUN = .venv/bin/python -m
export DATA  # the shell reads it as it is, whatever its name holds
export OMP_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export PYTHONDONTWRITEBYTECODE =  # where it is set, as in containers, each start would compile for 5 s

.PHONY: help book check tables ablations length beyond curve sweep reference notebooks student \
  student-diff student-reset test test-long lint bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/installed: requirements.lock pyproject.toml
	@echo 'Installing into .venv: one to three minutes and 2 GB'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --no-compile -r requirements.lock
	$(RUN) pip install --quiet --no-deps --no-build-isolation -e .
	touch .venv/installed

book: .venv/installed  ## the book; DATA=folder for real patients, PROFILE=smoke|phantom|phantom-free|phantom-foci|laptop|full|paper, FOLDS=4, CLUSTER=slurm
	$(RUN) paperlib book --profile '$(PROFILE)' --data "$$DATA" --folds '$(FOLDS)' \
	  --cores $(CORES) --cluster '$(CLUSTER)' $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)
	@echo "The book's first page: $(CURDIR)/_build/html/index.html"

check: .venv/installed  ## judge a folder of patients: make check DATA=folder
	@test -n "$$DATA" || { echo 'Name the folder: make check DATA=folder'; exit 2; }
	$(RUN) paperlib check "$$DATA" --jobs $(CORES)

tables: .venv/installed  ## the tables in the terminal, no pages; PROFILE, DATA, FOLDS as for book
	$(RUN) paperlib tables --profile '$(PROFILE)' --data "$$DATA" --folds '$(FOLDS)' \
	  --cores $(CORES) $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)

ablations: .venv/installed  ## one change a row around dVAE-SSIM; ROWS="base seed-1 loss=L1" for some, resumable
	$(RUN) paperlib ablations --profile '$(PROFILE)' --rows '$(ROWS)' --cores $(CORES) \
	  --cluster '$(CLUSTER)'

length: .venv/installed  ## how long to train: 32,000 slice-steps, the phantom or DATA=folder FOLDS=4
	$(RUN) paperlib length --profile '$(PROFILE)' --data "$$DATA" --folds '$(FOLDS)' \
	  --cores $(CORES) --cluster '$(CLUSTER)' $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)

beyond: .venv/installed  ## what beats the paper, fold by fold, resumable; PROFILE, DATA, FOLDS as for book
	$(RUN) paperlib beyond --profile '$(PROFILE)' --data "$$DATA" --folds '$(FOLDS)' \
	  --cores $(CORES) --cluster '$(CLUSTER)' $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)

curve: .venv/installed  ## what beats the paper with fewer patients and fewer steps; as beyond
	$(RUN) paperlib curve --profile '$(PROFILE)' --data "$$DATA" --folds '$(FOLDS)' \
	  --cores $(CORES) --cluster '$(CLUSTER)' $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)

sweep: .venv/installed  ## models x losses x seeds of a file, with a table: make sweep SWEEP=sweep.yml
	$(RUN) paperlib sweep '$(SWEEP)' --data "$$DATA" --cores $(CORES) --cluster '$(CLUSTER)' $(SWEEP_RUN) \
	  $(if $(filter 1,$(ALLOW_SKIPPED)),--allow-skipped)

reference: .venv/installed  ## copy a run's numbers to results/reference/NAME: make reference NAME=phantom
	$(RUN) paperlib reference 'results/reference/$(NAME)' --profile $(PROFILE) --data "$$DATA" --folds $(FOLDS)

notebooks: .venv/installed  ## plain notebooks to play with, in work/
	$(RUN) paperlib notebooks work

student: .venv/installed  ## the same, then JupyterLab on this machine only
	$(RUN) paperlib student -- $(LAB)

student-diff: .venv/installed  ## what you changed there, as source; NOTEBOOK=01_data for one
	@$(RUN) paperlib student-diff $(NOTEBOOK)

student-reset: .venv/installed  ## the original again, your copy is kept: NOTEBOOK=01_data or all
	@test -n '$(NOTEBOOK)' || { echo 'Name it: make student-reset NOTEBOOK=01_data (or all)'; exit 2; }
	@$(RUN) paperlib student-reset $(NOTEBOOK)

test: .venv/installed  ## the tests, at most 10 minutes
	$(RUN) pytest -n $(CORES) --dist worksteal -q

test-long: .venv/installed  ## what takes long: kills, whole runs, the browser
	$(RUN) pytest -m long -n $(CORES) --dist loadfile -q

lint: .venv/installed  ## style, types and import contracts
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

bench: .venv/installed  ## timings side by side, as ratios
	$(RUN) benchmarks

clean:  ## remove runs and pages; never data/ or work/
	rm -rf runs _build book/executed book/static/mathjax book/static/viewer .snakemake logs
