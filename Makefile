# Every target is one line; `make` alone lists them.
.PHONY: help up test test-all check bench clean

help: ; @grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

up: .venv/ready ; @.venv/bin/aigym-db up ## a seeded, verified local database, and what to do next

test: .venv/ready ; .venv/bin/pytest -n auto ## what the product promises, on real servers, in five minutes

test-all: test ; .venv/bin/pytest -n auto -m exhaustive ## that, and then the whole matrices, on every server named in AIGYM_DB_TEST_SERVERS

check: .venv/ready ; .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/pytest -q tests/architecture tests/freshness ## style, types, layers, generated files

bench: .venv/ready ; .venv/bin/python -m benchmarks startup servers access load && .venv/bin/python -m benchmarks migrations -- --install-peers build/peers ## our numbers beside those of peers, as ratios of one run

clean: ; -@.venv/bin/aigym-db server stop 2>/dev/null; rm -rf .venv .aigym-db ## removes the virtual environment and the local server

.venv/ready: requirements.txt pyproject.toml ; @python3 -m venv .venv && .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt && .venv/bin/pip install -q --disable-pip-version-check --no-deps -e . && touch $@
