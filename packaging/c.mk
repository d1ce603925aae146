# The C and C++ product: the library, where it is installed, and what is shipped.

PREFIX ?= /usr/local
# Below PREFIX.
LIBDIR := lib
INCLUDEDIR := include
DOCDIR := share/doc/clazar_auth
$(foreach name,LIBDIR INCLUDEDIR DOCDIR,$(if $(filter /%,$($(name))),\
    $(error $(name) is $($(name)), but is to be below PREFIX: give it without the prefix)))

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Changes when a program must be compiled anew; docs/c.md says when that is.
SOVERSION := 0
# The first version with it.
SOVERSION_SINCE := 0.1.0
SONAME := libclazar_auth.so.$(SOVERSION)
C_FEATURES := capi,redis
# zig, for the symbols of glibc 2.17. `make LINKER=cc ...` builds for this machine's glibc instead.
LINKER ?= $(CURDIR)/packaging/zig-cc
ZIG := ziglang==0.17.1
LINKER_INSTALLED := $(if $(filter %zig-cc,$(LINKER)),target/zig/installed)
# A good deal smaller, and no slower where it counts (`make bench`).
SMALLER := -C llvm-args=--inline-threshold=50
# No library names a folder of the machine that built it.
REMAP = --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/cargo \
    --remap-path-prefix=$(CURDIR)=/clazar-auth

# What is built, before it is installed; and the same with a panic to ask for, for the tests.
C := target/c
PACKAGING := $(shell find packaging -type f -not -path 'packaging/abi/*')

lib: $(STAGE)/installed

$(C)/built $(C)-panic/built: $(RUST_SOURCES) $(PACKAGING) target/linker | $(LINKER_INSTALLED)
	mkdir -p $(@D)
	RUSTFLAGS='$(REMAP)' $(CARGO) rustc --locked --release --lib --crate-type cdylib,staticlib \
	    --features $(C_FEATURES)$(if $(findstring panic,$@),$(comma)test-panic) -- \
	    -C linker=$(LINKER) $(SMALLER) -C link-arg=-Wl,-soname,$(SONAME) -C link-arg=-Wl,-z,nodelete \
	    --print native-static-libs=$(CURDIR)/target/release/native-static-libs
	cp target/release/libclazar_auth.so target/release/native-static-libs $(@D)
	packaging/one-object target/release/libclazar_auth.a $(@D)/libclazar_auth.a
	$(PYTHON) packaging/notices.py $(C_FEATURES) > $(@D)/THIRD-PARTY-LICENSES
	touch $@

# Another linker makes another library.
target/linker: FORCE
	@mkdir -p $(@D)
	@echo '$(LINKER)' | cmp -s - $@ || echo '$(LINKER)' > $@
FORCE:

comma := ,

target/zig/installed: packaging/c.mk
	$(PYTHON) -m venv target/zig
	target/zig/bin/pip install --quiet --disable-pip-version-check $(ZIG)
	touch $@

# ---- Installation ----

INTO = $(DESTDIR)$(PREFIX)

install: $(C)/built
	install -d '$(INTO)/$(LIBDIR)/pkgconfig' '$(INTO)/$(LIBDIR)/cmake/clazar_auth' '$(INTO)/$(INCLUDEDIR)' '$(INTO)/$(DOCDIR)'
	install -m 644 include/clazar_auth.h include/clazar_auth.hpp '$(INTO)/$(INCLUDEDIR)'
	install -m 755 $(C)/libclazar_auth.so '$(INTO)/$(LIBDIR)/libclazar_auth.so.$(VERSION)'
	ln -sf libclazar_auth.so.$(VERSION) '$(INTO)/$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(INTO)/$(LIBDIR)/libclazar_auth.so'
	@# Of another version with this soname nothing stays: ldconfig would link to the newest.
	find '$(INTO)/$(LIBDIR)' -maxdepth 1 -name '$(SONAME).*' ! -name 'libclazar_auth.so.$(VERSION)' -delete
	install -m 644 $(C)/libclazar_auth.a '$(INTO)/$(LIBDIR)'
	install -m 644 LICENSE-* $(C)/THIRD-PARTY-LICENSES '$(INTO)/$(DOCDIR)'
	@for template in pkgconfig/clazar_auth.pc pkgconfig/clazar_auth-static.pc; do \
	    $(call fill,$$template,$$template,$$(cat $(C)/native-static-libs)) || exit 1; done
	@for template in clazar_authConfig clazar_authConfigVersion; do \
	    $(call fill,cmake/$$template.cmake,cmake/clazar_auth/$$template.cmake,$$(sed 's/^-l//; s/ -l/;/g' $(C)/native-static-libs)) || exit 1; done

uninstall:
	rm -f '$(INTO)/$(INCLUDEDIR)'/clazar_auth.h* '$(INTO)/$(LIBDIR)'/libclazar_auth.* \
	    '$(INTO)/$(LIBDIR)'/pkgconfig/clazar_auth*.pc
	rm -rf '$(INTO)/$(LIBDIR)/cmake/clazar_auth' '$(INTO)/$(DOCDIR)'

# fill(template, file, libraries): the paths in a file lead from where it is to the prefix, so that
# the whole can be moved.
fill = install -m 644 /dev/null '$(INTO)/$(LIBDIR)'/$(2) && sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@SOVERSION@|$(SOVERSION)|g' -e 's|@SONAME@|$(SONAME)|g' \
    -e 's|@SOVERSION_SINCE@|$(SOVERSION_SINCE)|g' \
    -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' \
    -e 's|@PC_TO_PREFIX@|$(call up,$(LIBDIR)/pkgconfig)|g' \
    -e 's|@CMAKE_TO_PREFIX@|$(call up,$(LIBDIR)/cmake/clazar_auth)|g' \
    -e "s|@NATIVE_STATIC_LIBS@|$(3)|g" packaging/$(1).in > '$(INTO)/$(LIBDIR)'/$(2)
up = $(shell realpath --no-symlinks --canonicalize-missing --relative-to=/$(1) /)

# The prefixes of the tests, of the demonstration and of `make lib`.
$(STAGE)/installed: C := target/c
$(STAGE)-panic/installed: C := target/c-panic
$(STAGE)/installed: $(C)/built
$(STAGE)-panic/installed: $(C)-panic/built
$(STAGE)/installed $(STAGE)-panic/installed: include/clazar_auth.h include/clazar_auth.hpp
	rm -rf $(@D)
	$(MAKE) --no-print-directory install C=$(C) PREFIX=$(CURDIR)/$(@D) DESTDIR= LIBDIR=lib INCLUDEDIR=include
	touch $@

# ---- What is shipped ----

DIST := clazar_auth-$(VERSION)-linux-$(shell uname -m)

dist: $(C)/built
	rm -rf target/dist
	$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/target/dist/ PREFIX=$(DIST) LIBDIR=lib INCLUDEDIR=include
	tar -C target/dist --sort=name --owner=0 --group=0 --numeric-owner -czf target/dist/$(DIST).tar.gz $(DIST)
	@echo target/dist/$(DIST).tar.gz

deb: $(C)/built
	rm -rf target/deb
	$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/target/deb/all PREFIX=/usr \
	    LIBDIR=lib/$$(cc -print-multiarch) INCLUDEDIR=include DOCDIR=share/doc/libclazar-auth-dev
	packaging/debian/build target/deb $(VERSION) $(SOVERSION)

# The headers as pages.
reference:
	mkdir -p target
	doxygen docs/Doxyfile
