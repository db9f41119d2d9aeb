# Everything here sets up what it needs first: a machine with Python 3.11 or newer and make is enough.
# ARGS go to the program: `make test ARGS="-k boot -x"`, `make run ARGS="--demo 20"`.

.PHONY: run test lint audit faults bench fmt clean

# Tests start hundreds of processes: where Python may not keep what it compiled, each compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
SYNCED := .venv/.synced
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ "$$n" -ge 2 ] || n=2; echo $$n)

run: $(SYNCED) ## Start Strum with five simulated stations; Ctrl-C stops it, its data stays in .strum/
	@$(BIN)/strum up --demo 5 $(ARGS)

test: $(SYNCED) ## Run all tests, in parallel, against a real PostgreSQL and a real RabbitMQ; one that fails is tried once more
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --reruns 1 -r aR $(ARGS)

lint: $(SYNCED) ## Check style, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(SYNCED) ## Look for known vulnerabilities in what is locked, and for packages without hashes
	@$(BIN)/python scripts/audit.py

faults: $(SYNCED) ## Run every test of faults and attacks, which mostly wait; STRUM_TEST_SEED=N repeats what is random
	@export STRUM_TEST_SEED=$${STRUM_TEST_SEED:-$$(date +%s)}; failed=0; ran=0; \
	run() { \
	    $(BIN)/pytest tests/faults tests/security $(ARGS) "$$@"; \
	    case $$? in 0) ran=1 ;; 5) ;; *) failed=1 ;; esac; \
	}; \
	run -m "not alone" -n $$(($(WORKERS) * 3 / 2)) --dist worksteal; \
	run -m alone; \
	[ $$failed = 0 ] && [ $$ran = 1 ]

bench: $(SYNCED) ## Measure, and write benchmarks/results/latest.json
	$(BIN)/python -m benchmarks $(ARGS)

fmt: $(SYNCED) ## Format the code, and repair what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## Remove what was set up and cached; .strum/, which holds data, stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

$(SYNCED): pyproject.toml uv.lock scripts/uv
	@scripts/uv sync --locked --all-extras --compile-bytecode
	@touch $@
