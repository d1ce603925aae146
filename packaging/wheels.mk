# The Python product: the wheel that is tested and shipped, the source distribution, and their checks.

WHEEL_FEATURES := python,redis
WHEEL_SOURCES := $(RUST_SOURCES) $(PYTHON_SOURCES) $(shell find tests/support -type f) \
    packaging/release.mk packaging/wheels.mk packaging/notices.py packaging/sbom.py
# pyproject.toml puts THIRD-PARTY-LICENSES into both where it is there.
NOTICES = $(PYTHON) packaging/notices.py $(WHEEL_FEATURES) > THIRD-PARTY-LICENSES
# maturin's own list of parts names folders of the machine.
SBOM := target/sbom/clazar_auth.cyclonedx.json
PARTS = mkdir -p $(dir $(SBOM)) && $(PYTHON) packaging/sbom.py $(WHEEL_FEATURES) > $(SBOM)
WHEEL_BUILD = $(RELEASE_ENVIRONMENT) $(VENV)/bin/maturin build --quiet --release --sbom-include $(SBOM) --out $(@D)

wheel: $(WHEELS)/.built

wheels: $(WHEELS)/.built $(VENV)/installed $(VENV)/requirements
	$(VENV)/bin/python -m pytest tests/python/test_wheels.py

# For this machine, with the system's linker.
target/wheel/built: $(WHEEL_SOURCES) | $(VENV)/maturin
	rm -rf $(@D)
	$(NOTICES)
	$(PARTS)
	$(WHEEL_BUILD) --compatibility linux -- $(SMALLER)
	touch $@

# For the systems of others.
$(WHEELS)/.built: $(WHEEL_SOURCES) | target/zig/installed $(VENV)/maturin
	rm -rf $(@D)
	$(NOTICES)
	$(PARTS)
	$(WHEEL_BUILD) --compatibility manylinux2014 -- $(SMALLER) -C linker=$(PORTABLE_LINKER)
	$(VENV)/bin/maturin sdist --out $(@D)
	touch $@

# For TARGET, such as aarch64-unknown-linux-musl, with OPTIONS of maturin's.
wheel-for: | $(VENV)/maturin target/zig/installed
	$(RELEASE_ENVIRONMENT) packaging/wheel-for $(TARGET) $(OPTIONS) -- $(SMALLER)

# For Windows and macOS, as far as they can be built and checked on Linux. What is shipped is built there: .github/workflows/release.yml.
wheel-windows: | $(VENV)/maturin $(VENV)/requirements
	$(RELEASE_ENVIRONMENT) packaging/wheel-windows $(SMALLER)
	tests/windows_wheel.sh

wheel-macos: | $(VENV)/maturin $(VENV)/requirements target/zig/installed
	$(RELEASE_ENVIRONMENT) packaging/wheel-macos $(SMALLER)

$(VENV)/maturin: packaging/maturin.txt | $(VENV)/bin/python
	$(VENV)/bin/pip $(PIP_INSTALL) $<
	touch $@

test-matrix: $(WHEELS)/.built free-threaded target/oldest/installed
	$(VENV)/bin/python tests/python/matrix.py $(WHEELS)/*.whl
	target/oldest/bin/python -m pytest $(ADAPTERS:%=tests/python/test_%.py)

# Those that are newer than what most machines have.
test-newest: $(WHEELS)/.built
	tests/debian_unstable.sh python3-pip,python3.14-venv,python3.15-venv \
	    python3 tests/python/matrix.py $(WHEELS)/*.whl

# With old versions of each library and the newest Python; `make test-python` runs the same tests with the newest
# versions and with the Python that is `python3`.
ADAPTERS := adapters requests httpx http2 aiohttp metrics

target/oldest/installed: tests/python/oldest.txt $(WHEELS)/.built | $(VENV)/bin/python
	rm -rf $(@D)
	$$($(VENV)/bin/python tests/python/matrix.py --newest) -m venv $(@D)
	$(@D)/bin/pip $(PIP_INSTALL) $<
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-index $(WHEELS)/*.whl
	touch $@

# A free-threaded Python has no stable ABI before 3.15, so its wheel is another build, of the same code.
free-threaded:
	PYO3_CONFIG_FILE=$(CURDIR)/packaging/python3.14t $(CARGO) check --locked --quiet \
	    --features $(WHEEL_FEATURES) --target-dir target/free-threaded
