# `make run` and `make test` are all that a newcomer needs; the rest is for those who work on it.

CARGO ?= cargo
REPORT ?= tandem-report

.PHONY: run test test-live test-steady story-live live tools bench fmt lint clean fuzz-smoke fuzz \
	fuzz-coverage fuzz-corpus fuzz-defects

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

## Every case on wires too, against the reference, with two dozen beds side by side: about 45 minutes, as
## root.
test-live: tools live
	TANDEM_LIVE_ALL=1 $(CARGO) test --release -p harness-cli --test live -- --nocapture --test-threads 1

## The live sample ten times with every processor busy beside it: nothing may fail.
test-steady: tools live
	$(CARGO) build --release --quiet --bin tandem
	sh harness/live/steady.sh $${CARGO_TARGET_DIR:-target}/release/tandem $(REPORT)/steady 10 $(STEADY)

STEADY = lacp/rx/version lacp/rx/link-down lacp/marker lacp/selection/attach-together lacp/tx \
	mld/report/checksum mld/state/include- mld/series/group mld/version1/done mld/host-change \
	rbs/open/lower-connects rbs/session/length rbs/data/acknowledged etrunk/check etrunk/auth \
	backup/failover/link-cut

## The seed's pair on wires: DeviceA is killed, and hangs, while a listener counts the stream.
story-live: live
	$(CARGO) run --release --quiet --bin tandem -- run --testbed reference --report $(REPORT)/story \
		backup/literal/crash backup/failover/crash backup/failover/hang-slow backup/failover/link-cut

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
	$(CARGO) build --release --quiet --bin tandem
	sh harness/live/topspeed.sh $${CARGO_TARGET_DIR:-target}/release/tandem
	harness/fuzz/run.sh speed

## Every fuzz target built on stable without a sanitizer, and run for a few seconds; the canary must
## be found.
fuzz-smoke:
	@command -v c++ >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "installing g++, which libFuzzer is built with"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq g++ >/dev/null; \
		fi; }
	@if command -v c++ >/dev/null 2>&1; then \
		harness/fuzz/run.sh smoke; \
	else \
		echo "skipped by name: fuzz-smoke (needs a C++ compiler: apt-get install g++)"; \
	fi

## One fuzz target: make fuzz TARGET=pair TIME=1200
TARGET ?= pair
TIME ?= 60
fuzz:
	harness/fuzz/run.sh one $(TARGET) $(TIME)

## What the corpora of all targets reach together after SECONDS_EACH (2) of fuzzing each, or of some:
## make fuzz-coverage TARGETS="mld_codec mld_agreement" SECONDS_EACH=60
fuzz-coverage:
	harness/fuzz/run.sh coverage $(TARGETS)

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
