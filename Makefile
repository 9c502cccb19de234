# Every target does its own set-up: Python 3.11 or later, make and git are enough to start from.
# Stamps in .venv say what has been done, so the second time is quick.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin
# Every package at its pinned version, and only if its hash is the one in constraints.txt.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt
PACKAGING := pyproject.toml constraints.txt $(wildcard portal/_assets/* portal/_assets/.npmrc)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint bench proofs setup constraints clean missing

help:
	@echo "make demo [ARGS='--port 8123']   a portal with a believable company in it"
	@echo "make test                        lint, tests on SQLite and PostgreSQL, browser journeys"
	@echo "make lint | bench | proofs       parts of it, speed, long-running evidence"
	@echo "make setup                       everything that those need, and nothing else"
	@echo "make constraints | clean         pin the newest versions | remove what was made here"

demo: .venv/run.ok
	@exec $(BIN)/portal demo $(ARGS)

test: lint .venv/browser.ok .venv/postgres.ok
	@echo "-- tests on SQLite and PostgreSQL"
	@$(BIN)/python -m pytest tests -q -n $(WORKERS) --dist loadgroup
	@if [ -d e2e ]; then echo "-- journeys in a browser"; $(BIN)/python -m pytest e2e -q -n $(WORKERS) --dist loadgroup; fi

lint: .venv/dev.ok
	@echo "-- lint: ruff, mypy, djlint"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "   run: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@if [ -d templates ]; then $(BIN)/djlint --lint --quiet templates; fi

bench: .venv/dev.ok .venv/browser.ok .venv/postgres.ok
	@$(BIN)/python -m benchmarks $(ARGS)

proofs: .venv/dev.ok .venv/postgres.ok
	@PROOF_SCALE=$${PROOF_SCALE:-1} $(BIN)/python -m pytest tests/proofs -m proof -s $(ARGS)

setup: .venv/dev.ok .venv/browser.ok .venv/postgres.ok

.venv/uv.ok: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with make PYTHON=...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt python3-venv
	@echo "-- making .venv, with uv in it"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@awk '/^uv==/ {on = 1; print; next} /^ / {if (on) print; next} {on = 0}' constraints.txt > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@touch $@

.venv/run.ok: .venv/uv.ok $(PACKAGING) $(if $(wildcard static/vendor/htmx.min.js),,missing)
	@echo "-- installing the portal, what it runs on, and htmx"
	@$(INSTALL) --require-hashes -r pyproject.toml
	@$(INSTALL) --no-deps --build-constraint constraints.txt --editable .
	@touch $@

.venv/dev.ok: .venv/run.ok
	@echo "-- installing what the tests need"
	@$(INSTALL) --require-hashes --group dev
	@touch $@

# The two fonts hold what names are written in: Arabic, Hebrew, Chinese, Japanese, Korean and more.
.venv/browser.ok: | .venv/dev.ok
	@{ [ "$$(id -u)" != 0 ] && command -v chromium >/dev/null; } || .ci/apt chromium fonts-noto-core fonts-wqy-microhei
	@touch $@

# Without Debian's PostgreSQL, anyone but root uses the one in a development dependency.
.venv/postgres.ok: | .venv/dev.ok
	@[ -n "$$PORTAL_TEST_POSTGRES_URL" ] || [ "$$(id -u)" != 0 ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || .ci/apt postgresql
	@touch $@

constraints: .venv/uv.ok
	@$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --all-extras --group dev --group build --universal \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -o constraints.txt

clean:
	rm -rf .venv static/vendor dist test-results .mypy_cache .pytest_cache .ruff_cache
