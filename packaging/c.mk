# The C and C++ product: the library, where it is installed, and what is shipped. What needs more than a
# command is in packaging/c.py.

PREFIX ?= /usr/local
# Below PREFIX.
LIBDIR := lib
INCLUDEDIR := include
DOCDIR := share/doc/clazar_auth
# `make install STRIP=` leaves the symbols in the library, for those who split them off themselves.
STRIP := yes
$(foreach name,LIBDIR INCLUDEDIR DOCDIR,\
    $(if $(strip $($(name))),,$(error $(name) is empty, but is to be a folder below PREFIX))\
    $(if $(filter /%,$($(name)))$(filter ..,$(subst /, ,$($(name)))),\
    $(error $(name) is $($(name)), but is to be below PREFIX: give it without the prefix and without ..)))

C_FEATURES := capi,redis
C_SOURCES := $(RUST_SOURCES) packaging/release.mk packaging/c.mk packaging/c.py packaging/notices.py packaging/sbom.py
# With symbols for debuggers, which `make install` splits off.
C_OPTIONS := $(SMALLER) -C strip=none -C debuginfo=line-tables-only
C_BUILD = CARGO='$(CARGO)' $(RELEASE_ENVIRONMENT) $(PYTHON) packaging/c.py build
C_INSTALL := $(PYTHON) packaging/c.py install

# With the system's linker.
target/c/built: $(C_SOURCES)
	$(C_BUILD) $(@D) $(C_FEATURES) $(C_OPTIONS)
	touch $@

# The same with a panic to ask for, for the tests.
target/c-panic/built: $(C_SOURCES)
	$(C_BUILD) $(@D) $(C_FEATURES),test-panic $(C_OPTIONS)
	touch $@

# Without optimisation, for those who change it.
target/c-dev/built: $(C_SOURCES)
	CARGO='$(CARGO)' $(PYTHON) packaging/c.py build --profile dev $(@D) $(C_FEATURES),test-panic
	touch $@

# For the systems of others: with the symbols of glibc 2.17.
target/c-portable/built: $(C_SOURCES) | target/zig/installed
	$(C_BUILD) --linker $(PORTABLE_LINKER) $(@D) $(C_FEATURES) $(C_OPTIONS)
	touch $@

# For Windows, by mingw, with a compiler that has Rust's standard library for it or builds that too.
WINDOWS := x86_64-pc-windows-gnu
MINGW := x86_64-w64-mingw32
target/c-windows/built: $(C_SOURCES)
	AR=$(MINGW)-ar CC=$(MINGW)-gcc-posix LD=$(MINGW)-ld NM=$(MINGW)-nm OBJCOPY=$(MINGW)-objcopy WINDRES=$(MINGW)-windres \
	    $(C_BUILD) --target $(WINDOWS) $(@D) $(C_FEATURES) $(SMALLER)
	touch $@

# ---- Installation ----

install: target/c/built
	$(C_INSTALL) $(<D) --destdir='$(DESTDIR)' --prefix='$(PREFIX)' --libdir='$(LIBDIR)' \
	    --includedir='$(INCLUDEDIR)' --docdir='$(DOCDIR)' $(if $(STRIP),,--no-strip)

INSTALLED = $(DESTDIR)$(PREFIX)
# Files by their names, and folders only when they are empty: others may have put something there.
uninstall:
	rm -f $(foreach header,$(notdir $(wildcard include/*)),'$(INSTALLED)/$(INCLUDEDIR)/$(header)') \
	    '$(INSTALLED)/$(LIBDIR)'/libclazar_auth.* \
	    '$(INSTALLED)/$(LIBDIR)'/.debug/libclazar_auth.* '$(INSTALLED)/$(LIBDIR)'/pkgconfig/clazar_auth*.pc \
	    '$(INSTALLED)/$(LIBDIR)'/cmake/clazar_auth/clazar_authConfig*.cmake \
	    $(foreach file,$(notdir $(wildcard packaging/suppressions/*)),'$(INSTALLED)/share/clazar_auth/$(file)') \
	    '$(INSTALLED)/$(DOCDIR)'/LICENSE-MIT '$(INSTALLED)/$(DOCDIR)'/LICENSE-APACHE \
	    '$(INSTALLED)/$(DOCDIR)'/THIRD-PARTY-LICENSES '$(INSTALLED)/$(DOCDIR)'/clazar_auth.cyclonedx.json
	for folder in '$(LIBDIR)/.debug' '$(LIBDIR)/cmake/clazar_auth' '$(LIBDIR)/cmake' '$(LIBDIR)/pkgconfig' share/clazar_auth '$(DOCDIR)'; do \
	    rmdir '$(INSTALLED)/'"$$folder" 2>/dev/null || true; done

lib: $(STAGE)/installed

# The prefixes of the tests, of the demonstration and of `make lib`.
C_TEXTS := $(wildcard include/* packaging/cmake/* packaging/pkgconfig/* packaging/suppressions/*)
$(STAGE)/installed: target/c/built $(C_TEXTS)
$(STAGE)-panic/installed: target/c-panic/built $(C_TEXTS)
$(STAGE)-dev/installed: target/c-dev/built $(C_TEXTS)
$(STAGE)/installed $(STAGE)-panic/installed $(STAGE)-dev/installed:
	rm -rf $(@D)
	$(C_INSTALL) $(<D) --prefix=$(CURDIR)/$(@D)
	touch $@

$(STAGE)-windows/installed: target/c-windows/built $(C_TEXTS)
	rm -rf $(@D)
	$(C_INSTALL) --target $(WINDOWS) $(<D) --prefix=$(CURDIR)/$(@D)
	touch $@

# ---- What is shipped ----

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
DIST := clazar_auth-$(VERSION)-linux-$(shell uname -m)

dist: target/c-portable/built
	rm -rf target/dist
	$(C_INSTALL) $(<D) --prefix=target/dist/$(DIST)
	tar -C target/dist --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner \
	    --use-compress-program='gzip -9n' -cf target/dist/$(DIST).tar.gz $(DIST)
	@echo target/dist/$(DIST).tar.gz

deb: target/c/built
	rm -rf target/deb
	$(C_INSTALL) $(<D) --destdir=target/deb/all --prefix=/usr --libdir=lib/$$(cc -print-multiarch) \
	    --docdir=share/doc/libclazar-auth-dev
	$(PYTHON) packaging/debian/build.py target/deb $(VERSION)

# The headers as pages.
reference:
	mkdir -p target
	doxygen docs/Doxyfile
