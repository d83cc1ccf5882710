# What to type. CMakePresets.json and tools/ do the work; every target installs first what is missing.
PRESET ?= release
PREFIX ?= /usr/local
TREES ?= release asan tsan
LEAT_TOOLS ?= $(HOME)/.cache/leat-tools
export LEAT_TOOLS

.PHONY: help setup build demo test check-postgres bench lint format docs clean install
help:
	@echo "make setup    install what is missing: Debian packages, Arrow, DuckDB's library"
	@echo "make build    build/release/leat       (PRESET=dev|release|asan|tsan)"
	@echo "make demo     3 million rows through a pipeline, then the weather"
	@echo "make test     everything: unit, SQL in all ways, connectors, end to end, simulator,"
	@echo "              unit and SQL again under address+ub, what starts threads under the thread"
	@echo "              sanitizer (TREES=release: the plain ones alone)"
	@echo "make check-postgres  a real PostgreSQL against the SQL tests' expectations"
	@echo "make bench    against DuckDB and Polars (ROWS=27648741, RUNS=5, SPARK=1)"
	@echo "make lint     tidy, clang-format ('make format' repairs), clang-tidy"
	@echo "make docs     the references of functions and connectors, from their specs"
	@echo "make install  to $(PREFIX) (PREFIX=…)"

setup:
	@tools/setup build lint

build:
	@tools/setup build
	@tools/build $(PRESET) leat

demo: build
	@tools/demo

test:
	@tools/setup build servers
	@tools/run-tests $(TREES)

check-postgres:
	@python3 test/check_postgres.py --start $${TMPDIR:-/tmp}/leat-postgres 54331

bench: build
	@tools/setup build bench $(if $(SPARK),spark)
	@bench/run --record $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS)) $(if $(SPARK),--spark)

lint:
	@tools/setup build lint
	@tools/lint

format:
	@tools/setup build lint
	@tools/lint --format

install: build
	cmake --install build/$(PRESET) --prefix $(PREFIX) --strip

docs: build
	@for page in sql functions connectors metrics; do build/$(PRESET)/leat docs $$page > docs/$$page.md; done

clean:
	rm -rf build
