# `make run` and `make test` are all that a newcomer needs; the rest is for those who work on it.

CARGO ?= cargo
REPORT ?= tandem-report

.PHONY: run test test-live live tools bench fmt lint clean fuzz-smoke fuzz fuzz-coverage fuzz-corpus \
	fuzz-defects

## The main job: every suite on the reference, the pair's story, the table of suites.
run:
	$(CARGO) run --release --quiet --bin tandem -- run --report $(REPORT)

## Everything: formatting, lints, every test.
test: tools live
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	$(CARGO) test --workspace --doc --quiet
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace; \
	else \
		echo "cargo-nextest is not installed: cargo test runs the tests"; \
		$(CARGO) test --workspace --lib --bins --tests; \
	fi
	$(MAKE) fuzz-smoke

## What the tests use beside Rust: tshark, as a third opinion on captures.
tools:
	@command -v tshark >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "installing tshark"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tshark >/dev/null; \
		else \
			echo "skipped by name: evidence::tshark_agrees_with_the_codec (needs tshark: apt-get install tshark)"; \
		fi; }

## Every case of one device on wires too, against the reference: about half an hour, as root.
test-live: tools live
	TANDEM_LIVE_ALL=1 $(CARGO) test --release -p harness-cli --test live -- --nocapture --test-threads 1

## What live runs need: libpcap to build, root and network namespaces to run.
live:
	@test -e /usr/include/pcap/pcap.h || ls /usr/lib/*/libpcap.so >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "installing libpcap-dev"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libpcap-dev >/dev/null; \
		else \
			echo "libpcap is missing: apt-get install libpcap-dev, or build with --no-default-features"; \
		fi; }
	@[ "$$(id -u)" = 0 ] || echo "skipped by name: every test of harness-cli's live (needs root)"

## Cost per frame, per case, per simulated second.
bench:
	$(CARGO) bench --workspace --benches
	$(CARGO) run --release --quiet -p harness-fuzz --example speed
	harness/fuzz/run.sh speed

## Every fuzz target built on stable without a sanitizer, and run for a few seconds; the canary must
## be found.
fuzz-smoke:
	harness/fuzz/run.sh smoke

## One fuzz target: make fuzz TARGET=pair TIME=1200
TARGET ?= pair
TIME ?= 60
fuzz:
	harness/fuzz/run.sh one $(TARGET) $(TIME)

## What a target's corpus reaches: make fuzz-coverage TARGET=mld_codec
fuzz-coverage:
	harness/fuzz/run.sh coverage $(TARGET)

## The seed corpora anew.
fuzz-corpus:
	$(CARGO) run --quiet -p harness-fuzz --example seeds -- corpus/fuzz

## Campaigns against a sample of seeded defects.
fuzz-defects:
	$(CARGO) run --release --quiet --bin tandem -- fuzz --defects-sample

fmt:
	$(CARGO) fmt --all

## Cases, requirements and testbeds, and the schemas that editors use.
lint:
	$(CARGO) run --release --quiet --bin tandem -- lint --write-schema suites/schema

clean:
	$(CARGO) clean
	rm -rf $(REPORT)
