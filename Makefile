# The front door; the work is done by CMake (CMakePresets.json). `make` alone builds build/release/holdfast.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
TESTS ?= all

.PHONY: build demo test test-real measure soak bench bench-instructions bench-register bench-accounts benches fuzz lint package test-package install format clean bootstrap help bench-fleet bench-call check-instructions check-benches peer-programs
build:

help:
	@echo "make build    build/release/holdfast, and beside it what calls sound with"
	@echo "make demo     build, then show on loopback what the promise is worth"
	@echo "make test     all tests: debug with sanitizers, then those that measure time, from the release build; TESTS=worlds: random worlds and every n-th fault only; TESTS=others: all but them"
	@echo "make test-real  the command against real servers (Kamailio, DNS, NAT) in network namespaces; needs root"
	@echo "make measure  the figures of docs/measured.md against real servers, three runs; needs root"
	@echo "make soak     a day of virtual time and 30 min of real time in which nothing may grow"
	@echo "make bench    benchmarks (release)"
	@echo "make bench-instructions  what SIP text, an account and a transaction cost in instructions, one line a figure (repeatable)"
	@echo "make check-instructions  the same, and one account of \`holdfast run\`, against bench/baseline.txt: 10 % more is a failure"
	@echo "make check-benches  whether all benches build and work, each once and briefly, those of other SIP libraries among them"
	@echo "make bench-register  what one registered account costs: start, memory, idle; beside baresip and sofia-sip"
	@echo "make bench-accounts  what one account more costs \`holdfast run\`, baresip, sofia-sip and SIPp"
	@echo "make bench-call  what a call costs: set-up, CPU, memory; a hundred in a row, eight at once"
	@echo "make bench-fleet  50,000 accounts kept for 10 min while one of three servers dies; needs root"
	@echo "make fuzz     every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS), those of small packets for a third"
	@echo "make lint     format, clang-tidy and the house rules"
	@echo "make format   rewrite the sources as clang-format wants them"
	@echo "make package  the Debian packages, in build/package"
	@echo "make test-package  those in a fresh Debian 12; needs root"
	@echo "make install  to PREFIX=$(PREFIX) (DESTDIR is honoured)"

bootstrap:
	@tools/bootstrap build

build: bootstrap
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target holdfast holdfast-media

# Without what calls sound with, which it does not need.
demo: bootstrap
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target holdfast
	@build/release/holdfast demo

test: bootstrap
	@tools/run-tests -j $(JOBS) $(TESTS)

soak: bootstrap
	@tools/soak -j $(JOBS)

test-real: build
	@tools/bootstrap real || echo "make test-real: the tests that need what is missing are skipped, and say so" >&2
	@cmake --build --preset release -j $(JOBS) --target tun_link
	@tools/run-real-tests

measure: build
	@tools/bootstrap real
	@tools/measure

bench: benches
	@for bench in build/release/bench/*_bench; do [ -x "$$bench" ] || continue; echo "== $$bench"; "$$bench" || exit 1; done

bench-instructions: benches
	@tools/bench-instructions

check-instructions:
	@tools/bootstrap build
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target sip_instructions_bench engine_bench transaction_bench holdfast-fleet
	@tools/check-instructions

check-benches:
	@tools/bootstrap build bench
	@tools/check-benches -j $(JOBS)

bench-register: peer-programs
	@tools/bench-register

bench-accounts: peer-programs
	@tools/bench-accounts

bench-call: build
	@tools/bench-call

bench-fleet: build
	@tools/bootstrap real
	@tools/bench-fleet --rate 2000
	@tools/bench-fleet --rate 2000 --preset fleet

# Ours, and the programs of others that are measured beside it.
peer-programs: build
	@tools/bootstrap build bench
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target peer_programs

benches:
	@tools/bootstrap build bench
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target benches

fuzz:
	@tools/bootstrap build fuzz
	@tools/run-fuzz -j $(JOBS) $(FUZZ_SECONDS)

lint:
	@tools/bootstrap build lint
	@tools/lint

format:
	@tools/bootstrap lint
	@tools/format

package:
	@tools/bootstrap build package
	@tools/package -j $(JOBS)

test-package:
	@tools/bootstrap build package
	@tools/test-package -j $(JOBS)

install: bootstrap
	@tools/configure release
	@cmake --build --preset release -j $(JOBS) --target installed
	@cmake --install build/release --prefix "$(PREFIX)"

clean:
	@rm -rf build
