# What both products, the C library and the wheel, are built with.

# A good deal smaller, and no slower where it counts (`make bench`).
SMALLER := -C llvm-args=--inline-threshold=50
# No library names a folder of the machine that built it. The flags of the environment are kept.
CRATES := $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src
RELEASE_ENVIRONMENT = RUSTFLAGS='$(RUSTFLAGS) --remap-path-prefix=$(CRATES)=/cargo --remap-path-prefix=$(CURDIR)=/clazar-auth' \
    CFLAGS='$(CFLAGS) -fdebug-prefix-map=$(CRATES)=/cargo -fdebug-prefix-map=$(CURDIR)=/clazar-auth'

# The date in all that is packed: https://reproducible-builds.org/specs/source-date-epoch/
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
endif
export SOURCE_DATE_EPOCH

# What is shipped to other systems is linked by zig, with the symbols of glibc 2.17.
ZIG := ziglang==0.17.1
PORTABLE := -C linker=$(CURDIR)/packaging/zig-cc

target/zig/installed: packaging/release.mk
	$(PYTHON) -m venv target/zig
	target/zig/bin/pip install --quiet --disable-pip-version-check $(ZIG)
	touch $@

# For a build without a network: with what this writes, cargo takes the crates from vendor/.
vendor:
	mkdir -p target .cargo
	$(CARGO) vendor --locked --sync tests/model/Cargo.toml --sync benches/token_request/Cargo.toml > target/vendor.toml
	mv target/vendor.toml .cargo/config.toml
