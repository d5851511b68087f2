# The commands of the project. Each installs what it needs. DATABASE_URL and AMQP_URL, if set, replace the private servers.
.DEFAULT_GOAL := help
SHELL := /bin/bash
SERVERS := scripts/servers.sh

LOADTEST_POSTGRES := shared_buffers=1GB max_wal_size=8GB

FUZZ_TARGET := $(or $(TARGET),properties)

BACKSTAGE := scripts/backstage.sh
# The plugin is only checked if Node.js is available.
if_node = @if $(BACKSTAGE) has-node; then $(BACKSTAGE) $(1); else echo 'skipped: backstage/, because Node.js 20 or later is missing'; fi

# Tests mostly wait for servers, so that more of them run at a time than there are processors.
TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))

# With `make test`.
BUGS_OF_EACH_PART := ack-across-batches counters-outside lost-channel-is-sent several-operations

# Servers of other versions, RABBITMQ=4.3 POSTGRES=18, have their own folders.
VERSIONS := $(addprefix -,$(RABBITMQ))$(addprefix -,$(POSTGRES))

.PHONY: help demo test e2e fresh dynamic generated schemathesis login catalog clients chaos upgrade bugs matrix fuzz mutants check deny openapi docs bench loadtest build sbom image dist \
	clean-servers cargo

help: ## show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: cargo ## run a small real system that produces dead letters; FRESH=1 for empty servers, BACKSTAGE=1 to start Backstage too, AUTH=1 to require sign-in
	@scripts/demo.sh

test: cargo ## run every test against private servers, and check the documentation
	@$(SERVERS) install python3-aiosmtpd haproxy
	@RABBITMQ_PLUGINS=rabbitmq_shovel RUST_TEST_THREADS=$(TEST_THREADS) \
		$(SERVERS) with target/servers/test$(VERSIONS) cargo test --workspace --locked
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/bugs.sh $(BUGS_OF_EACH_PART)
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/generated.sh test
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/schemathesis.sh test
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/issuer.sh test
	$(call if_node,test)
	$(call if_node,catalog)

e2e: cargo ## test the plugin in a real Backstage, in Chromium, against the real service
	@$(BACKSTAGE) e2e

fresh: cargo ## pack the plugins, and test them in a Backstage as @backstage/create-app makes it
	@scripts/backstage-packages.sh fresh

dynamic: ## export the plugins as dynamic plugins of Red Hat Developer Hub, into target/backstage/dynamic
	@scripts/backstage-packages.sh dynamic

generated: cargo ## generate clients of the API in Python and TypeScript, compile them, and redeliver with them
	@$(SERVERS) install
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/generated.sh test

schemathesis: cargo ## have Schemathesis ask everything that the OpenAPI document allows and forbids; EXAMPLES=200
	@$(SERVERS) install
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/schemathesis.sh full

login: cargo ## test signing in on the command line, with a real OIDC issuer
	@$(SERVERS) install
	@$(SERVERS) with target/servers/test$(VERSIONS) scripts/issuer.sh test

catalog: cargo ## test that squads come from the catalog of a real Backstage
	@$(SERVERS) install
	$(call if_node,catalog)

clients: cargo ## test the failure conventions with the real libraries (Python and Node)
	@$(SERVERS) install
	@scripts/clients.sh

chaos: cargo ## break the service and its servers many times (an hour or more), and print the table; ONLY=kills for a part, CHAOS_SHARE=3 for a third, CHAOS_SEED=1 to repeat
	@$(SERVERS) install nftables iproute2 pgbouncer haproxy
	@scripts/chaos.sh $(ONLY)

upgrade: cargo ## upgrade former versions to this one under traffic, and go back (they are built once, from the history)
	@$(SERVERS) install haproxy
	@scripts/former.sh
	@$(SERVERS) with target/servers/upgrade$(VERSIONS) cargo test --locked --test chaos upgrade:: -- --nocapture --test-threads 1

bugs: cargo ## plant each bug of tests/chaos/bugs, and check that the tests find it; BUGS="not-mandatory nack-is-sent" for a part
	@$(SERVERS) install
	@$(SERVERS) with target/servers/bugs$(VERSIONS) cargo test --workspace --locked --test chaos scenarios::
	@$(SERVERS) with target/servers/bugs$(VERSIONS) scripts/bugs.sh $(BUGS)

matrix: cargo ## run the integration tests and the short chaos rows on RabbitMQ 3.10, 4.0, 4.3 with PostgreSQL 15, 17, 18; PAIRS=4.3:18 for a part
	@scripts/matrix.sh $(PAIRS)

fuzz: cargo ## run a fuzz target for five minutes; TARGET=properties (others: fuzz/README.md)
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@mkdir -p fuzz/target/found/$(FUZZ_TARGET)
	RUSTC_BOOTSTRAP=1 cargo fuzz run -s none $(FUZZ_TARGET) fuzz/target/found/$(FUZZ_TARGET) fuzz/corpus/$(FUZZ_TARGET) \
		-- -max_total_time=300 -rss_limit_mb=512

mutants: cargo ## change the code at random, and check that unit tests fail; FILE=src/ingest/ledger.rs for a part
	@command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants
	@mkdir -p target/mutants
	CARGO_BUILD_BUILD_DIR=$(CURDIR)/target/mutants/build cargo mutants --package dead-letter --jobs 1 --output target/mutants $(addprefix --file ,$(FILE))

check: cargo ## check format, lints, patches, versions, manifests, alerts, the image, dependencies, the OpenAPI document, rustdoc
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --no-deps --locked -- -D warnings
	@scripts/bugs.sh --check
	@scripts/version.sh >/dev/null
	@scripts/kubernetes.sh check
	@scripts/monitoring.sh check
	@scripts/image.sh check
	@scripts/deny.sh
	@target/image/dead-letter openapi | diff openapi/openapi.json - \
		|| { echo "openapi/openapi.json differs from the router's document: run 'make openapi' and commit it"; exit 1; }
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --document-private-items --locked
	$(call if_node,check)

deny: cargo ## check dependencies: licences, sources, known vulnerabilities
	@scripts/deny.sh

openapi: cargo ## write the router's OpenAPI document to openapi/openapi.json
	cargo run --quiet --locked -- openapi > target/openapi.json
	mv target/openapi.json openapi/openapi.json

docs: cargo ## write the tables of settings and metrics to docs/configuration.md and docs/metrics.md
	UPDATE_DOCS=1 cargo test --quiet --locked --lib cli::reference
	UPDATE_DOCS=1 cargo test --quiet --locked --test docs metrics::

bench: cargo ## run the benchmarks
	@$(SERVERS) install
	@$(SERVERS) with target/servers/bench cargo bench --locked --package dead-letter

loadtest: cargo ## run a load test scenario on private servers; SCENARIO=peak (others: loadtest run --help), ARGS=...
	@$(SERVERS) install
	@cargo build --release --locked --workspace
	@RABBITMQ_PLUGINS=rabbitmq_shovel POSTGRES_SETTINGS="$(LOADTEST_POSTGRES)" \
		$(SERVERS) with target/servers/loadtest target/release/loadtest run $(or $(SCENARIO),peak) $(ARGS)

build: cargo ## build the release, with the console if Node.js is available
	@! $(BACKSTAGE) has-node || $(BACKSTAGE) console
	cargo build --release --locked --workspace

sbom: cargo ## write the bill of materials (CycloneDX) to target/sbom
	@command -v cargo-cyclonedx >/dev/null || cargo install --locked cargo-cyclonedx
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
		cargo cyclonedx --quiet --format json --spec-version 1.5 --override-filename dead-letter.cdx
	@mkdir -p target/sbom
	@# The same commit gives the same bytes, wherever it is: no folder of this machine.
	@sed -e 's|path+file://$(CURDIR)|path+file:///dead-letter|g' -e 's|?download_url=file://[^"#]*||g' dead-letter.cdx.json >target/sbom/dead-letter.cdx.json
	@rm -f dead-letter.cdx.json client/dead-letter.cdx.json loadtest/dead-letter.cdx.json

image: ## build the container image, and start it; TAG=dead-letter:dev
	@scripts/image.sh build $(or $(TAG),dead-letter:dev)

dist: $(if $(PROGRAM),,build) sbom ## put the files of a release into target/dist; TAG=v0.2.0, PROGRAM=FILE to skip the build
	@TAG=$(TAG) PROGRAM=$(PROGRAM) scripts/dist.sh

clean-servers: ## stop the private servers and remove their data
	@$(SERVERS) destroy target/servers

cargo:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust from https://rustup.rs"; exit 1; }
