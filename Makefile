# `make demo` and `make test` are all that most need; `make help` lists the rest.

PYTHON ?= python3
CARGO ?= cargo
VENV := .venv
STAGE := target/stage
DOCS := target/docs
WHEELS := dist
BENCH := target/bench
BENCH_CRATES := server clazar bare-tls ureq-snippet yup google
# Where Debian puts what Go programs are built with.
GO_PACKAGES := /usr/share/gocode/src

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find src -type f)
PYTHON_SOURCES := pyproject.toml README.md \
    $(shell find python -type f -not -name '*.so' -not -path '*/__pycache__/*')

BENCH_SOURCES := $(shell find benches/rust -type f)
# What the counts of instructions are counted of.
COUNTED := $(BENCH)/clazar $(BENCH)/rust/server.built $(BENCH)/rust/clazar.built $(VENV)/installed $(VENV)/requirements

$(if $(word 2,$(CURDIR)),$(error the path of the checkout has a space in it; move it elsewhere))
# Several recipes use one target folder, one virtual environment.
.NOTPARALLEL:

.DEFAULT_GOAL := help
.PHONY: help demo install uninstall docs reference
.PHONY: dev check lint clippy simulate tools test test-rust test-fuzz test-c test-sanitizers test-faults test-instructions test-python test-matrix test-newest test-soak test-valkey valgrind tsan msrv musl windows platforms soak bench bench-quick bench-programs bench-tools instructions coverage mutants mutants-python fuzz lib clean
.PHONY: generate abi abi-program completion names stubs
.PHONY: dist deb wheel wheels wheel-for wheel-windows wheel-macos free-threaded vendor set-version requirements deny advisories reproducible

help:
	@echo 'To use it'
	@echo '  make demo         fetch a token from the built-in sandbox and use it, from Python and from C'
	@echo '  make install      install the C library, its headers and what finds them (PREFIX, DESTDIR, LIBDIR);'
	@echo '                    make uninstall takes them away'
	@echo '  make docs         build the documentation site into $(DOCS); make reference is its C part'
	@echo
	@echo 'To develop it'
	@echo '  make dev          build the Python module and the C library for debugging, within seconds of an edit'
	@echo '  make check        check format, style and types in all languages: make lint does so without compiling anything,'
	@echo '                    and make clippy with the compiler of Rust'
	@echo '  make deny         check the dependencies: sources, licences, duplicates, known vulnerabilities'
	@echo '  make advisories   fetch what RustSec knows today, for make deny'
	@echo '  make requirements  write the lists of what pip and npm install, with hashes (UPGRADE=--upgrade for the newest)'
	@echo '  make test         run all tests; test-rust, test-fuzz, test-c, test-sanitizers, test-faults,'
	@echo '                    test-instructions, test-python, test-matrix, test-soak are its parts;'
	@echo '                    FAULT=redirect picks faults by a word'
	@echo '  make test-valkey  run the tests of the store in Redis with Valkey'
	@echo '  make test-newest  try the wheel with Python 3.14 and 3.15, of Debian unstable; as root'
	@echo '  make free-threaded  check the types of the module for Python without the GIL; a part of test-matrix'
	@echo '  make simulate     run a month of 10,000 hosts in simulated time, and herds'
	@echo '  make valgrind     run all tests of C under valgrind, those with many processes too'
	@echo '  make tsan         run the tests of Rust and C under ThreadSanitizer, the standard library included'
	@echo '  make musl         build the static library for musl, and run the tests against it'
	@echo '  make msrv         run the tests of Rust with the oldest one that Cargo.toml allows, by rustup'
	@echo '  make windows      run the tests that apply on Windows under Wine'
	@echo '  make platforms    build for other systems and processors, and run what can be run'
	@echo '  make soak         run services in C and Python with faults of all they depend on (MINUTES=10, SEED is random)'
	@echo '  make bench        measure it beside other libraries, and write docs/benchmarks.md; 20 minutes after the build;'
	@echo '                    make bench-quick takes one'
	@echo '  make coverage     count the lines of src/ that the tests of Rust, C and Python reach, and list the others'
	@echo '  make mutants      change the rules of the product one by one, and list the changes that no test notices; an hour'
	@echo '  make fuzz         look for input that breaks a property, for MINUTES=1 with each of TARGETS, by default all'
	@echo '  make mutants-python  change the adapters in Python, one thing at a time, and look for a change that no test minds;'
	@echo '                    an hour, or some FILES of python/clazar_auth'
	@echo '  make lib          install the C library into $(STAGE), for the tests'
	@echo '  make clean        remove all that was built'
	@echo
	@echo 'To write anew what is generated and committed'
	@echo '  make generate     what comes from src/interface.rs, src/capi and tests/faults/faults.toml, and the next four:'
	@echo '  make abi          the record of the ABI, from the header'
	@echo '  make stubs        the docstrings in the stub of the Python module, from src/python'
	@echo '  make completion   the completion scripts, from the command line'
	@echo '  make names        the names in docs/python.md, from the docstrings'
	@echo '  make instructions the counts that test-instructions compares with, of this toolchain; not by make generate'
	@echo '  make abi-program  the program that each later library must run; once for each soname, not by make generate'
	@echo
	@echo 'To ship it'
	@echo '  make dist         a tarball of the C library; make deb makes Debian packages'
	@echo '  make wheels       the Python wheel and the source distribution into $(WHEELS), checked'
	@echo '  make wheel-for    the wheel for another TARGET, such as x86_64-unknown-linux-musl'
	@echo '  make wheel-windows  the wheel for Windows, checked, and tried under Wine; as root, in Debian unstable'
	@echo '  make wheel-macos  the wheel for macOS on arm64, checked, and not tried'
	@echo '  make reproducible  build all of it twice, in two folders, and compare the bytes'
	@echo '  make vendor       fetch all crates into vendor/, for a build without a network'
	@echo '  make set-version  set the VERSION of the next release'

# ---- What users get ----

include packaging/release.mk
include packaging/c.mk
include packaging/wheels.mk
include packaging/deny.mk

# All that is written from something else, and committed.
generate:
	CLAZAR_BLESS=1 $(CARGO) test --locked --quiet --test generate
	$(MAKE) abi stubs completion names

completion: $(VENV)/developed
	CLAZAR_BLESS=1 $(VENV)/bin/python -m pytest --quiet tests/python/test_completion.py -k committed

names: $(VENV)/developed
	CLAZAR_BLESS=1 $(VENV)/bin/python -m pytest --quiet tests/python/test_reference.py

# Adds what is new to the record of what a release promised.
abi:
	CLAZAR_BLESS=1 $(CARGO) test --locked --quiet --features sandbox --test c abi::nothing

# What runs on each later library; see the file. For the first header of a soname, and never again.
abi-program: target/c-portable/built
	$(PORTABLE_LINKER) -std=c99 -Os -s -Wall -Wextra -Wpedantic -Iinclude packaging/abi/program.c \
	    -o packaging/abi/program-x86_64 -pthread -Ltarget/c-portable -lclazar_auth

stubs: $(VENV)/developed
	mkdir -p target
	$(VENV)/bin/python packaging/stubs.py python/clazar_auth/_native.pyi > target/_native.pyi
	cmp -s target/_native.pyi python/clazar_auth/_native.pyi || mv target/_native.pyi python/clazar_auth/_native.pyi

# ---- The demonstration ----

demo: $(VENV)/installed target/examples/listings
	@$(VENV)/bin/clazar-auth demo
	@$(VENV)/bin/clazar-auth sandbox -- target/examples/listings

target/examples/listings: examples/listings.c $(STAGE)/installed
	mkdir -p $(@D)
	$(CC) -std=c99 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra -Wpedantic -I$(STAGE)/include $< -o $@ \
	    -L$(STAGE)/lib -lclazar_auth -Wl,-rpath,'$$ORIGIN/../stage/lib'

# ---- Documentation ----

docs: $(VENV)/installed $(VENV)/requirements reference
	rm -rf $(DOCS)
	$(VENV)/bin/sphinx-build -q -E -W -n --keep-going -d target/doctrees -c docs . $(DOCS)
	echo '<meta http-equiv="refresh" content="0; url=docs/index.html">' > $(DOCS)/index.html
	$(VENV)/bin/python docs/check.py $(DOCS)
	@# No page may load anything from another host.
	! grep -rEi --include='*.html' --include='*.css' \
	    '<(script|link|img|iframe)[^>]+(src|href)="?(https?:)?//|(url\(|@import).?.?(https?:)?//' $(DOCS)

# ---- Development ----

# Without optimisation. CONTRIBUTING.md says how to run tests against it.
dev: stubs $(STAGE)-dev/installed

# The module beside the Python sources of the checkout.
$(VENV)/developed: $(RUST_SOURCES) $(VENV)/editable
	$(VENV)/bin/maturin develop --quiet --skip-install
	touch $@

# This environment then finds the package in the checkout.
$(VENV)/editable: pyproject.toml | $(VENV)/requirements $(VENV)/maturin
	rm -f $(VENV)/installed
	$(VENV)/bin/maturin develop --quiet
	touch $@

C_FILES := $(wildcard tests/c/*.[ch] tests/soak/*.[ch] tests/faults/*.c tests/windows/*.h tests/windows/include/*.h tests/windows/include/*/*.h tests/cpp/*.cc packaging/abi/*.c examples/*.c examples/*.cpp benches/*/*.[ch])

check: lint clippy

lint: $(VENV)/requirements
	$(CARGO) fmt --all --check
	$(CARGO) fmt --check --manifest-path tests/model/Cargo.toml
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) fmt --all --check --manifest-path benches/rust/Cargo.toml
	$(CARGO) fmt --check --manifest-path examples/rust/Cargo.toml
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/clang-format --dry-run --Werror $(C_FILES)
	$(VENV)/bin/shellcheck .ci/run fuzz/run.sh packaging/wheel-* packaging/zig-cc packaging/macos/* tests/*.sh tests/musl/cc tests/platforms/clang tests/windows/cc
	$(VENV)/bin/zizmor --offline --no-config --no-ignores --strict-collection --no-progress --quiet .github
	$(VENV)/bin/mypy
	@# So that no name is used that Windows has not.
	$(VENV)/bin/mypy --platform win32 python

clippy:
	$(CARGO) clippy --locked --workspace --all-targets --features capi,python,redis,sandbox -- --deny warnings
	$(CARGO) clippy --locked -- --deny warnings
	@# What `make fuzz` builds.
	$(CARGO) clippy --locked --lib --features capi,redis,sandbox -- --cfg fuzzing --deny warnings
	$(FUZZ_CARGO) clippy $(FUZZ_OPTIONS) --all-targets -- --deny warnings
	@# The one that is left out takes minutes to compile.
	$(CARGO) clippy --locked --workspace --exclude google --manifest-path benches/rust/Cargo.toml --target-dir target/bench/rust -- --deny warnings
	$(CARGO) clippy --locked --manifest-path examples/rust/Cargo.toml --target-dir target/examples-rust --all-targets -- --deny warnings

# ---- Tests ----

test: tools test-rust test-fuzz test-c test-sanitizers test-faults test-instructions docs test-python test-matrix test-soak demo

# What they need from the system, and some that are called by themselves.
test-faults soak msrv coverage mutants mutants-python: tools
tools:
	tests/tools.sh

test-rust:
	$(CARGO) test --locked --features sandbox,redis --lib --bins --test generate --test layers --test allocations --test logger
	$(CARGO) test --locked --features sandbox,redis --test core -- --test-threads 16 --skip load::
	@# By themselves: they keep all cores busy, and nobody may wait for a token meanwhile.
	$(CARGO) test --locked --features sandbox,redis --test core -- --list | tests/names_of_tests.sh load::
	$(CARGO) test --locked --features sandbox,redis --test core load:: -- --test-threads 1
	tests/valkey.sh --if-here
	$(CARGO) test --locked --features sandbox,redis --doc
	$(CARGO) test --locked --manifest-path tests/model/Cargo.toml --target-dir target/model --lib
	$(CARGO) test --locked --manifest-path examples/rust/Cargo.toml --target-dir target/examples-rust --tests

FUZZ_CARGO := RUSTFLAGS='--cfg fuzzing' $(CARGO)
FUZZ_OPTIONS := --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
COMPARE_WITH_PYTHON := $(PYTHON) fuzz/differential.py target/fuzz/debug/parse fuzz/corpus/url fuzz/corpus/retry_after

# What was found before, and what Python makes of it.
test-fuzz:
	rm -rf target/fuzz-folders
	mkdir -p target/fuzz-folders
	TMPDIR=$(CURDIR)/target/fuzz-folders $(FUZZ_CARGO) test $(FUZZ_OPTIONS)
	$(COMPARE_WITH_PYTHON)

test-c: $(STAGE)/installed $(STAGE)-panic/installed target/node/installed
	@# Most of them wait most of the time.
	$(CARGO) test --locked --features sandbox --test c -- --test-threads 4

# The same tests again, slower; what they find is undefined behaviour and lost memory.
test-sanitizers: $(STAGE)/installed $(STAGE)-panic/installed
	@# Those that are left out take minutes: make valgrind has them.
	CLAZAR_SANITIZER=valgrind $(CARGO) test --locked --features sandbox --test c -- --skip fleet:: --skip servers:: --skip header::
	CLAZAR_SANITIZER=address $(CARGO) test --locked --features sandbox --test c

valgrind: $(STAGE)/installed $(STAGE)-panic/installed
	CLAZAR_SANITIZER=valgrind $(CARGO) test --locked --features sandbox --test c

# What goes wrong, in Rust, C and Python; FAULT picks some by a word in their names.
test-faults: $(VENV)/installed $(STAGE)/installed
	$(CARGO) test --locked --features sandbox,redis --test faults $(if $(FAULT),'$(FAULT)')

test-python: $(VENV)/installed $(VENV)/requirements $(WHEELS)/.built $(STAGE)/installed target/node/installed
	$(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile

test-valkey: $(STAGE)-dev/installed
	CLAZAR_STAGE=stage-dev tests/valkey.sh

# These two build the standard library as well, for which a toolchain may be fetched first.
tsan:
	tests/with_std_source.sh tests/tsan.sh

# A month of 10,000 hosts, which draws docs/figures/fleet.svg; then herds, each in a process of its own, since the
# threads of one make the next slower. CLAZAR_SEED is another run.
SIMULATE := CLAZAR_SIMULATION=large CARGO_PROFILE_TEST_OPT_LEVEL=1 $(CARGO) test --locked --features sandbox,redis \
    --target-dir target/simulate --lib

HERDS := herd_that_renews herd_that_starts_one over_tls each_of_a_herd refresh_window

simulate:
	$(SIMULATE) -- --list | tests/names_of_tests.sh fleet::month::no_call $(HERDS)
	$(SIMULATE) fleet::month::no_call -- --nocapture
	for herd in $(HERDS); do \
	    $(SIMULATE) $$herd -- --nocapture || exit 1; done
	CLAZAR_HOSTS=10000 $(SIMULATE) over_tls -- --nocapture

# With the oldest Rust that Cargo.toml allows, which rustup fetches into the checkout.
MSRV := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
WITH_MSRV = rustup run $(MSRV) cargo
msrv: export RUSTUP_HOME := $(CURDIR)/target/rustup
msrv: export CARGO_TARGET_DIR := target/msrv
msrv:
	rustup toolchain install --no-self-update --profile minimal $(MSRV)
	$(WITH_MSRV) test --locked --features sandbox,redis --lib
	$(WITH_MSRV) test --locked --features sandbox,redis --test core -- --test-threads 16 --skip load::
	$(WITH_MSRV) check --locked --features capi,redis
	$(WITH_MSRV) check --locked --features python,redis

musl: target/zig/installed
	tests/with_std_source.sh tests/musl.sh

# The toolchain, mingw and Wine are those of Debian unstable.
WINDOWS_PACKAGES := cargo,cmake,g++,g++-mingw-w64-x86-64-posix,make,pkgconf,python3,rust-src,rustc,wine,wine64

windows:
	tests/debian_unstable.sh $(WINDOWS_PACKAGES) tests/with_std_source.sh tests/windows.sh

PLATFORM_PACKAGES := clang,curl,g++-aarch64-linux-gnu,libc6-dev-arm64-cross,g++-s390x-linux-gnu,libc6-dev-s390x-cross,musl-tools,openssl,python3-pip,qemu-user,redis-server,xz-utils

platforms: target/zig/installed $(VENV)/maturin
	COMMIT=$$(git describe --always --dirty) tests/debian_unstable.sh $(WINDOWS_PACKAGES),$(PLATFORM_PACKAGES) tests/platforms.sh

# A short form.
test-soak:
	$(MAKE) soak MINUTES=0.3 SEED=1

# The first line of a run is its SEED.
soak: target/soak/worker target/soak/clock.so $(VENV)/installed
	$(VENV)/bin/python tests/soak/soak.py target/soak/worker target/soak/clock.so --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

target/soak/worker: tests/soak/worker.c tests/soak/clock.h $(STAGE)/installed
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Wpedantic -pthread -I$(STAGE)/include $< -o $@ \
	    -L$(STAGE)/lib -lclazar_auth -Wl,-rpath,'$$ORIGIN/../stage/lib'

target/soak/clock.so: tests/soak/clock.c tests/soak/clock.h
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Wpedantic -shared -fPIC $< -o $@

# All that is compared, side by side; benches/results.json, docs/benchmarks.md and its figures are written anew.
bench: bench-programs
	$(BENCH)/venv/bin/python benches/measure.py $(BENCH)/results.json
	cp $(BENCH)/results.json benches/results.json
	$(BENCH)/venv/bin/python benches/page.py benches/results.json docs

# The same with few rounds and without an outage; what it writes is below target.
bench-quick: bench-programs
	mkdir -p $(BENCH)/quick/figures
	$(BENCH)/venv/bin/python benches/measure.py --quick $(BENCH)/quick/results.json
	$(BENCH)/venv/bin/python benches/page.py $(BENCH)/quick/results.json $(BENCH)/quick

# What the processor has to do on the hot paths and for a token request; the counts are committed.
test-instructions: $(COUNTED)
	$(VENV)/bin/python benches/instructions.py

instructions: tools $(COUNTED)
	$(VENV)/bin/python benches/instructions.py --write

bench-programs: $(BENCH)/venv/installed $(BENCH)/clazar $(BENCH)/curl $(BENCH)/oauth2 $(BENCH)/c_floor.so \
    $(BENCH_CRATES:%=$(BENCH)/rust/%.built)

bench-tools:
	tests/tools.sh "$(GO_PACKAGES)/golang.org/x/oauth2 golang-golang-x-oauth2-dev"

# Each by itself: see benches/rust/Cargo.toml.
$(BENCH)/rust/%.built: $(RUST_SOURCES) $(BENCH_SOURCES)
	$(CARGO) build --locked --quiet --release --manifest-path benches/rust/Cargo.toml --target-dir $(@D) --package $*
	touch $@

$(BENCH)/clazar: $(STAGE)/installed
$(BENCH)/clazar: LINKED := -I$(STAGE)/include -L$(STAGE)/lib -lclazar_auth -Wl,-rpath,'$$ORIGIN/../stage/lib'
$(BENCH)/curl: LINKED := -lcurl
$(BENCH)/clazar $(BENCH)/curl: $(BENCH)/%: benches/c/%.c benches/c/protocol.h
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Wall -Wextra -Wpedantic -pthread $< -o $@ $(LINKED)

$(BENCH)/curl $(BENCH)/oauth2: | bench-tools
$(BENCH)/oauth2: benches/go/main.go
	GO111MODULE=off GOPATH=$(GO_PACKAGES:/src=) go build -o $@ $<

$(BENCH)/c_floor.so: benches/python/floor.c | $(BENCH)/venv/installed
	$(CC) -O2 -Wall -Wextra -shared -fPIC \
	    -I$$($(BENCH)/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))') $< -o $@

$(BENCH)/venv/installed: benches/requirements.txt target/wheel/built
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip $(PIP_INSTALL) $<
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-index target/wheel/*.whl
	touch $@

# Which lines of src/ no test reaches.
coverage:
	CARGO='$(CARGO)' PYTHON='$(PYTHON)' tests/coverage.sh

# Which changes of the rules no test notices.
mutants:
	CARGO='$(CARGO)' tests/mutants.sh

# `make test-fuzz` is the short form.
fuzz:
	CARGO='$(CARGO)' MINUTES='$(MINUTES)' fuzz/run.sh $(TARGETS)
	$(FUZZ_CARGO) build $(FUZZ_OPTIONS) --bin parse
	$(COMPARE_WITH_PYTHON) --generate 100000 --seed $$(date +%s)

# The module is not changed, so it needs no optimisation.
mutants-python: $(VENV)/developed
	$(VENV)/bin/python tests/python/mutants.py $(FILES)

clean:
	rm -rf target tests/model/target benches/rust/target
	rm -rf $(VENV) $(WHEELS) THIRD-PARTY-LICENSES python/clazar_auth/_native.*.so

# ---- Environments, all inside the checkout ----

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: target/wheel/built
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-index --force-reinstall target/wheel/*.whl
	rm -f $(VENV)/editable
	touch $@

$(VENV)/requirements: tests/python/requirements.txt | $(VENV)/bin/python
	$(VENV)/bin/pip $(PIP_INSTALL) tests/python/requirements.txt
	touch $@

target/node/installed: tests/node/package-lock.json
	mkdir -p $(@D)
	cp tests/node/*.json $(@D)
	npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(@D)
	touch $@
