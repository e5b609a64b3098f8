# Aisle: `make run` and `make test` are all there is to know.

# rustup's and brew's folders, and that of servers, are often missing in the PATH of scripts.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/opt/homebrew/bin:/opt/homebrew/opt/libpq/bin:/usr/local/opt/libpq/bin

# Products that the first start puts into an empty catalogue.
DEMO_PRODUCTS ?= 1000

.PHONY: help run test plans model histories soak kills sweep fuzz mutants api-test bench bench-full bench-builds bench-coherence bench-flat bench-import bench-listing bench-micro bench-search bench-start lint deny setup clean

help:
	@echo 'make run    install what is missing, build, serve a sample catalogue on http://127.0.0.1:8080'
	@echo 'make test   install what is missing, run every test'
	@echo 'make plans  explain every statement at 10,000 and at 1,000,000 products, as a table (half an hour, 16 GB of disk; `make test` does it at 30,000)'
	@echo 'make model  explore larger configurations of the coherence protocol (up to an hour; `make test` explores small ones)'
	@echo 'make histories  break every part in turn under load and judge what clients saw (about half an hour)'
	@echo 'make soak   mixed faults for a quarter of an hour: nothing may be lost, no memory, file, thread, permit; SECONDS=60 for a quick look'
	@echo 'make kills  kill server and databases 200 times in the middle of edits (about 15 minutes)'
	@echo 'make sweep  let every single message to Postgres and Redis go wrong in turn (about half an hour)'
	@echo 'make fuzz  hostile input for everything that reads: CASES=200000 of each kind (minutes), more for longer'
	@echo 'make mutants  break the coherence protocol on purpose: the histories must notice'
	@echo 'make api-test  hold the HTTP interface against its description (schemathesis; needs python3 and PyPI)'
	@echo 'make bench  measure how fast answers are: against a bare handler, nginx, Varnish (about 15 minutes; Linux)'
	@echo 'make bench-full  the same, and what the lock of commits costs, and two instances behind HAProxy (some minutes more)'
	@echo 'make bench-builds  build the program in other ways, and measure what its own is worth (about 45 minutes)'
	@echo 'make bench-coherence  measure what coherence costs: hits, edits, deaths, edits by SQL (about 8 minutes; Linux)'
	@echo 'make bench-flat  ask two instances in turn, over 10,000 products and over 1,000,000 (half an hour, 16 GB of disk)'
	@echo 'make bench-import  measure an import of 100,000 products against a bare COPY of its rows (about 5 minutes)'
	@echo 'make bench-listing  measure lists in memory at 1,000,000 products: pages, facets, edits, memory (about 5 minutes)'
	@echo 'make bench-start  measure how long a start takes over 1,000,000 products, with and without a snapshot (about 10 minutes, 6 GB of disk)'
	@echo 'make bench-micro  time the steps of hot paths one by one (about 2 minutes)'
	@echo 'make bench-search  measure search over a million products: time, memory (about 3 minutes, 1 GB)'
	@echo 'make lint   formatting, clippy and documentation, warnings are errors'
	@echo 'make deny   licences, sources and known vulnerabilities of the dependencies (cargo-deny; the last needs the network)'
	@echo 'make setup  only install what is missing'
	@echo 'make clean  remove what was built (not ./aisle-data)'

# One shell that becomes the server, so that signals reach it.
run: setup
	@exec cargo run --release --bin aisle -- serve --demo $(DEMO_PRODUCTS)

test:
	@deploy/setup.sh --tests
	cargo test --no-fail-fast

# Without --large, 10,000 products are compared with 30,000.
plans: setup
	cargo test --release --test plans -- --large

# `make test` explores small configurations.
model: setup
	cargo test --release --test model -- --large

# `make test` runs a short selection of these.
histories: setup
	cargo test --test histories -- --long

# Faults of all kinds for a quarter of an hour; SECONDS=60 for a quick look.
SECONDS ?= 900
soak: setup
	cargo test --release --test histories -- --soak --seconds $(SECONDS)

# `make test` does it five times.
kills: setup
	cargo test --release --test kills -- --times 200

# `make test` tries some.
sweep: setup
	AISLE_SWEEP=all cargo test --test it sweep:: -- --nocapture

# `make test` runs 256 cases of each.
CASES ?= 200000
fuzz: setup
	PROPTEST_CASES=$(CASES) cargo test --release --lib -- hostile never_panics refuses_anything_else

# A build that can be broken, in a folder of its own; never the one that serves.
mutants: setup
	cargo test --target-dir target/mutants --features mutants --test histories -- --mutants

# Not part of `make test`: it installs a Python tool.
api-test: setup
	@tests/schemathesis/run.sh

# nginx and Varnish are measured where they are installed: apt-get install nginx-light varnish
bench: setup
	cargo bench --bench serving -- $(if $(QUICK),--quick)

bench-full: setup
	cargo bench --bench serving -- --full $(if $(QUICK),--quick)

# Each build is put aside: the next one takes its place.
AS_IT_COMES = target/release/aisle
ASIDE = mkdir -p target/builds && cp $(AS_IT_COMES)
OTHER = cargo build --release --bin aisle
bench-builds: setup
	$(OTHER) --features system-allocator && $(ASIDE) target/builds/system-allocator
	CARGO_PROFILE_RELEASE_LTO=off $(OTHER) && $(ASIDE) target/builds/no-lto
	CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 $(OTHER) && $(ASIDE) target/builds/fat-lto
	cargo bench --bench serving -- $(if $(QUICK),--quick) \
	  --build "as it comes=$(AS_IT_COMES)" \
	  --build "allocator of the system=target/builds/system-allocator" \
	  --build "no LTO=target/builds/no-lto" \
	  --build "fat LTO, one codegen unit=target/builds/fat-lto"

# One of its servers leaves the checks of a hit out, so this is such a build too; the others keep them.
bench-coherence: setup
	cargo bench --target-dir target/mutants --features mutants --bench coherence -- $(if $(QUICK),--quick)

# PRODUCTS=100000 for a quick look.
bench-flat: setup
	cargo bench --bench flat -- $(PRODUCTS)

# PRODUCTS=1000000 for the full.
bench-import: setup
	cargo bench --bench import -- $(PRODUCTS)

# PRODUCTS=100000 for a quick look.
bench-listing: setup
	cargo bench --bench listing -- $(PRODUCTS)
bench-micro: setup
	cargo bench --bench micro
bench-search: setup
	cargo bench --bench search -- $(if $(QUICK),--quick)
# PRODUCTS=100000 for a quick look.
bench-start: setup
	cargo bench --bench start -- $(PRODUCTS)

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --all-features check

setup:
	@deploy/setup.sh

clean:
	cargo clean
