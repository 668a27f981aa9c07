# `make app` and `make test` are all that a fresh machine with Python 3.11 or newer needs.
# ARGS goes to the command that a target ends in:  make app ARGS="--no-browser --port 9000"
# PYTHON names the Python to build .venv with, PCN_CHROMIUM the browser that the tests drive.

VENV := .venv
BIN := $(if $(wildcard $(VENV)/Scripts),$(VENV)/Scripts,$(VENV)/bin)
ARGS ?=

# Settings of the machine that would slow each start down or mix other packages in.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
export PYTHON PCN_CHROMIUM

# An environment knows its folder by name: where that was renamed or copied, it is made again.
ifneq ($(filter app demo test check size architecture static bench soak train pictures,$(MAKECMDGOALS)),)
$(shell sh scripts/install.sh moved)
endif

.PHONY: help app demo test check size architecture static bench soak train pictures lock clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

app: $(VENV)/.app-installed ## Open the five steps in the browser, with a workspace in this folder
	@exec $(BIN)/pcn app $(ARGS)

demo: $(VENV)/.app-installed ## Make up a class of 24, grade it, and open marking, cohort and formgrader
	@exec $(BIN)/pcn demo $(ARGS)

test: $(VENV)/.dev-installed ## Run all tests, in a real browser too
	@sh scripts/more-programs.sh
	@sh scripts/node-tools.sh || true
	@chromium=$$(sh scripts/find-chromium.sh) && \
	PCN_CHROMIUM="$$chromium" exec $(BIN)/python -m pytest --numprocesses 4 --dist worksteal $(ARGS)

check: $(VENV)/.dev-installed ## Check the course's files, the notebooks, the code's style and its types
	@$(BIN)/pcn check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@sh scripts/check-scripts.sh

size: $(VENV)/.dev-installed ## Print how large each part of the package is
	@$(BIN)/python -m scripts.architecture size

architecture: $(VENV)/.dev-installed ## Write sizes and the index of modules into docs/architecture.md
	@$(BIN)/python -m scripts.architecture

static: $(VENV)/.dev-installed ## Build pcn_course/static from the sources of scripts and styles
	@sh scripts/node-tools.sh
	@$(BIN)/node scripts/bundle.mjs

bench: $(VENV)/.dev-installed ## Measure a step's page beside stock Voilà's
	@chromium=$$(sh scripts/find-chromium.sh) && \
	PCN_CHROMIUM="$$chromium" exec $(BIN)/python -m bench $(ARGS)

soak: $(VENV)/.dev-installed ## Break things at random moments while typing, 20 rounds each
	@chromium=$$(sh scripts/find-chromium.sh) && \
	PCN_CHROMIUM="$$chromium" exec $(BIN)/python -m tests.soak --rounds 20 $(ARGS)

train: $(VENV)/.dev-installed ## Train the gates of the check before sharing, on the drafts in tests/drafts
	@exec $(BIN)/python -m scripts.train

pictures: $(VENV)/.dev-installed ## Take the README's pictures anew
	@chromium=$$(sh scripts/find-chromium.sh) && \
	PCN_CHROMIUM="$$chromium" exec $(BIN)/python -m scripts.pictures

lock: ## Write constraints.txt anew, with the newest versions that fit
	@$(or $(PYTHON),python3.11) scripts/lock.py

clean: ## Remove what was built and installed here; a workspace and a gradebook stay
	rm -rf $(VENV) node_modules build dist bench-results soak-results test-results
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages, so that a second `make app` starts at once.
$(VENV)/.app-installed: pyproject.toml constraints.txt scripts/install.sh
	@sh scripts/install.sh app
	@touch $@

$(VENV)/.dev-installed: pyproject.toml constraints.txt scripts/install.sh
	@sh scripts/install.sh dev
	@touch $@ $(VENV)/.app-installed
