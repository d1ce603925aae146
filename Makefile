# `make demo` and `make test` are all that most need; `make help` lists the rest.

PYTHON ?= python3
CARGO ?= cargo
VENV := .venv
STAGE := target/stage

.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-c test-python lib wheel header lint clean

help:
	@echo 'make demo     fetch a token from the built-in sandbox and use it, from Python and from C'
	@echo 'make test     run all tests'
	@echo 'make lib      build the C library and its header into $(STAGE)'
	@echo 'make wheel    build the Python wheel into target/wheels'
	@echo 'make header   write include/clazar_auth.h anew from src/capi'
	@echo 'make lint     check format and style'
	@echo 'make clean    remove all that was built'

# The C library as shipped.
lib: $(STAGE)/lib/libclazar_auth.so $(STAGE)/include/clazar_auth.h

SOURCES := Cargo.toml Cargo.lock $(shell find src -name '*.rs')

$(STAGE)/lib/libclazar_auth.so: $(SOURCES)
	$(CARGO) rustc --locked --release --lib --features capi --crate-type cdylib
	install -D -m 755 target/release/libclazar_auth.so $@

# The same with a panic to ask for, in the same profile.
$(STAGE)-panic/lib/libclazar_auth.so: $(SOURCES)
	$(CARGO) rustc --locked --release --lib --features capi,test-panic --crate-type cdylib
	install -D -m 755 target/release/libclazar_auth.so $@

$(STAGE)/include/clazar_auth.h $(STAGE)-panic/include/clazar_auth.h: include/clazar_auth.h
	install -D -m 644 $< $@

header:
	CLAZAR_BLESS=1 $(CARGO) test --locked --quiet --test header

test-c: lib $(STAGE)-panic/lib/libclazar_auth.so $(STAGE)-panic/include/clazar_auth.h
	$(CARGO) test --locked --features sandbox --test c
	CLAZAR_VALGRIND=1 $(CARGO) test --locked --features sandbox --test c

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features capi,sandbox -- --deny warnings

clean:
	rm -rf target $(VENV)
