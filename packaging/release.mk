# What both products, the C library and the wheel, are built with.

# A good deal smaller, and no slower where it counts (`make bench`).
SMALLER := -C llvm-args=--inline-threshold=6
# No library names a folder of the machine that built it. The flags of the environment are kept. Where the folder of cargo
# is behind a link, cargo names it so, and the compiler as it is.
CARGO_FOLDER := $(or $(CARGO_HOME),$(HOME)/.cargo)
FOLDERS := $(CURDIR)=/clazar-auth \
    $(patsubst %,%/registry/src=/cargo,$(sort $(CARGO_FOLDER) $(realpath $(CARGO_FOLDER))))
RELEASE_ENVIRONMENT = RUSTFLAGS='$(RUSTFLAGS) $(addprefix --remap-path-prefix=,$(FOLDERS))' \
    CFLAGS='$(CFLAGS) $(addprefix -fdebug-prefix-map=,$(FOLDERS))'

# The date in all that is packed: https://reproducible-builds.org/specs/source-date-epoch/
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
endif
export SOURCE_DATE_EPOCH

# Nothing is installed but what a list names with its hash, and no code of a package runs at that.
PIP_INSTALL := install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement
REQUIREMENTS := packaging/maturin packaging/uv packaging/zig tests/python/requirements tests/python/oldest benches/requirements

# Writes the lists anew, with the hashes of what pip would install: from REQUIREMENTS.in to REQUIREMENTS.txt.
# What is in a list stays as it is; `make requirements UPGRADE=--upgrade` takes the newest.
requirements: target/uv/installed
	for list in $(REQUIREMENTS); do \
	    target/uv/bin/uv pip compile --quiet --no-python-downloads --universal --python-version 3.10 --generate-hashes --no-annotate \
	        --custom-compile-command 'make requirements' $(UPGRADE) $$list.in --output-file $$list.txt || exit 1; done
	cd tests/node && npm install --silent --package-lock-only --omit-lockfile-registry-resolved

# What is shipped to other systems is linked by zig, with the symbols of glibc 2.17.
PORTABLE_LINKER := $(CURDIR)/packaging/zig-cc

target/uv/installed target/zig/installed: target/%/installed: packaging/%.txt
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip $(PIP_INSTALL) $<
	touch $@

reproducible:
	mkdir -p target
	MAKEFLAGS= tests/reproducible.sh

# The crates that have a lock file of their own.
OWN_LOCKS := $(filter-out target/% vendor/%,$(patsubst %/Cargo.lock,%,$(wildcard */Cargo.lock */*/Cargo.lock)))

# For a build without a network: with what this writes, cargo takes the crates from vendor/.
vendor:
	@test ! -e .cargo/config.toml || grep -q '^directory = "vendor"' .cargo/config.toml || \
	    { echo '.cargo/config.toml is not from make vendor; move it elsewhere' >&2; exit 1; }
	mkdir -p target .cargo
	$(CARGO) vendor --locked $(foreach crate,$(OWN_LOCKS),--sync $(crate)/Cargo.toml) > target/vendor.toml
	mv target/vendor.toml .cargo/config.toml

# The lock files and the header hold it too.
set-version:
	@test '$(origin VERSION)' = 'command line' || \
	    { echo 'give the version: make set-version VERSION=1.2.3' >&2; exit 1; }
	sed -i '0,/^version = .*/s//version = "$(VERSION)"/' Cargo.toml
	$(CARGO) update --quiet --workspace
	for crate in $(OWN_LOCKS); do $(CARGO) update --quiet --workspace --manifest-path $$crate/Cargo.toml || exit 1; done
	CLAZAR_BLESS=1 $(CARGO) test --locked --quiet --test generate
