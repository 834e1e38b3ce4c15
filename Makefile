# Everything a person needs: `make demo` and `make test`. Both check what is missing and install it.

SHELL := /bin/bash
DURATION ?=
AUTO_ACK ?=
RECORDING ?=
SPEED ?=
SEED ?=
SECONDS_EACH ?= 10
# make sets SECONDS from its own shell otherwise.
SIM_SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)

DEBIAN := build-essential pkg-config
BROWSER := chromium
CLUSTER := etcd-server curl
DENY_VERSION := 0.20.2
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: package test-cluster demo test test-rust test-console lint deny console tools browser deny-tool bench sim fuzz clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

tools:
	@command -v cargo > /dev/null || { echo "Rust is missing: install rustup's stable toolchain (rustup.rs), then run make again"; exit 1; }
	@command -v npm > /dev/null || { echo "Node 20 is missing: install it with npm, then run make again"; exit 1; }
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error("Node " + process.version + " is too old: 20.19 or newer is needed"); process.exit(1) }'
	@scripts/install-debian $(DEBIAN)

browser: tools
	@scripts/install-debian $(BROWSER)

console/node_modules/.made: console/package.json console/package-lock.json
	cd console && npm ci --no-audit --no-fund
	@touch $@

console/dist/index.html: console/node_modules/.made $(shell find console/src console/scripts console/public -type f -not -name base-map.json 2> /dev/null) console/index.html console/vite.config.ts console/tsconfig.json
	cd console && npm run build
	@touch $@

console: tools console/dist/index.html ## build the officers' console

demo: console ## two nodes with traffic; DURATION=60 AUTO_ACK=1, RECORDING=file.csv.gz SPEED=20, SEED=1
	cargo build --release --locked -p hotline
	exec target/release/hotline demo $(if $(DURATION),--duration $(DURATION)) $(if $(AUTO_ACK),--auto-ack) \
	  $(if $(RECORDING),--recording $(RECORDING)) $(if $(SPEED),--speed $(SPEED)) $(if $(SEED),--seed $(SEED))

test: lint test-rust test-console deny ## everything that must pass

test-rust: console
	cargo test --locked --workspace

test-console: console browser
	cargo test --locked --workspace --no-run --quiet
	cd console && npm test

test-cluster: console ## the DSS on three etcd members on loopback, which it installs and starts: kills of members and instances
	@scripts/install-debian $(CLUSTER)
	cargo test --locked -p hotline --test dss_linearizable --no-run
	scripts/etcd-cluster cargo test --locked -p hotline --test dss_linearizable -- --nocapture

package: console ## a Debian package with the binary, the units and the guides, in target/
	cargo build --release --locked -p hotline
	@scripts/debian-package

lint: console ## format, clippy, documentation, types
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items -q
	cd console && npm run check

deny-tool: tools
	@command -v cargo-deny > /dev/null || cargo install cargo-deny --locked --version $(DENY_VERSION)

deny: deny-tool ## licences and sources of all dependencies
	cargo deny --locked check licenses sources bans

bench: console ## the measurements of BENCHMARKS.md; ORACLE=folder: also against a reference's answers
	cargo build --release --locked -p hotline
	cargo bench --locked -p hotline-journal --bench stores
	cargo bench --locked -p hotline-journal --bench startup
	target/release/hotline bench statements
	target/release/hotline bench memory
	target/release/hotline bench startup
	target/release/hotline bench alert
	target/release/hotline bench alert --flood
	target/release/hotline bench catch-up
	target/release/hotline bench evidence
	target/release/hotline bench utm --plots docs/plots
	@scripts/install-debian $(CLUSTER)
	scripts/etcd-cluster sh -c 'target/release/hotline bench utm --etcd "$$HOTLINE_ETCD"'
	target/release/hotline detect bench --plots docs/plots $(if $(ORACLE),--oracle $(ORACLE) --config $(ORACLE)/configurations/DO_365B_no_SUM.conf,--config crates/hotline-detect/testdata/example.conf)

sim: tools ## whole worlds of parties, faults and cheats from seeds; SECONDS=600, LONG=1: half days of five parties
	cargo build --release --locked -p hotline
	target/release/hotline sim --seconds $(SIM_SECONDS) $(if $(LONG),--long)

fuzz: tools ## every decoder for SECONDS_EACH=10; coverage-guided where a nightly toolchain is, else by mutation
	scripts/fuzz $(SECONDS_EACH)

clean: ## what was built
	cargo clean
	rm -rf console/dist console/node_modules demo-data
