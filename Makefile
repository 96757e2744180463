# What people and CI run. One target folder, one profile: nothing is built twice.
CARGO ?= cargo
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help run check fmt clippy test test-sqlite test-postgres kill conformance ui docs server bench soak compat

# These never see a store; once is enough.
STORELESS := vestry-jwt vestry-macros vestry-wire images passwords

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

run: ## a development server on http://127.0.0.1:8787
	$(CARGO) run --bin vestry -- ui add || echo 'The official components are not installed; the server says how.'
	$(CARGO) run --bin vestry -- dev

check: fmt clippy ## format and lints, warnings as errors

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

test: check test-sqlite test-postgres conformance ui docs ## everything CI runs
	@echo 'All tests passed.'

test-sqlite: ## the Rust tests, the kill test among them, on SQLite
	$(CARGO) test --workspace --locked

test-postgres: ## the same on a PostgreSQL of their own
	folder=$$(mktemp -d)
	trap 'scripts/postgres.sh stop "$$folder"; rm -rf "$$folder"' EXIT
	TEST_DATABASE_URL=$$(scripts/postgres.sh start "$$folder")
	export TEST_DATABASE_URL
	$(CARGO) test --workspace --locked $(addprefix --exclude ,$(STORELESS))

kill: ## only the tests that kill the server
	$(CARGO) test --workspace --locked kill

server:
	$(CARGO) build --locked --bin vestry

conformance: server node_modules/.package-lock.json ## the official SDK, two versions, both stores
	node conformance/run.mjs --store all

ui: server node_modules/.package-lock.json ## our pages and the official components, in Chromium
	node conformance/ui/run.mjs

node_modules/.package-lock.json: package.json package-lock.json .npmrc $(wildcard examples/*/package.json)
	npm ci
	touch $@

docs: ## the crates' documentation, warnings as errors
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked

bench: ## speed and size as ratios to what the machine can do
	bench/run

soak: ## long soaks, thousands of kills, long fuzzing
	$(CARGO) test --workspace --locked --release -- --ignored
	VESTRY_RACE_ROUNDS=$${VESTRY_RACE_ROUNDS:-200} $(CARGO) test --package testkit --locked --release --test it rac_
	PROPTEST_CASES=$${PROPTEST_CASES:-20000} $(CARGO) test --workspace --locked --release -- \
		any_bytes any_noise any_text any_password any_value no_text_makes no_header_makes no_claims_make \
		no_map_makes no_template_makes one_changed_letter sec_11

compat: conformance ## writes COMPATIBILITY.md anew
	$(CARGO) run --package testkit --example compatibility
