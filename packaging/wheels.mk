# The Python product: the wheel that is tested and shipped, the source distribution, and their checks.

MATURIN := maturin==1.16.0
WHEEL_FEATURES := python,redis
# Which systems the wheel promises to run on: those of zig-cc's glibc, or with `LINKER=cc` this one.
COMPATIBILITY = $(if $(filter %zig-cc,$(LINKER)),manylinux2014,linux)

wheel: $(WHEELS)/.built

wheels: $(WHEELS)/.built $(VENV)/tested
	$(VENV)/bin/python -m pytest tests/python/test_wheels.py

# pyproject.toml puts THIRD-PARTY-LICENSES into both where it is there.
$(WHEELS)/.built: $(RUST_SOURCES) $(PYTHON_SOURCES) $(PACKAGING) target/linker | $(LINKER_INSTALLED) $(VENV)/maturin
	rm -rf $(WHEELS)
	$(PYTHON) packaging/notices.py $(WHEEL_FEATURES) > THIRD-PARTY-LICENSES
	RUSTFLAGS='$(REMAP)' $(VENV)/bin/maturin build --quiet --release --compatibility $(COMPATIBILITY) --out $(WHEELS) -- -C linker=$(LINKER) $(SMALLER)
	$(VENV)/bin/maturin sdist --out $(WHEELS)
	touch $@

$(VENV)/maturin: packaging/wheels.mk | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(MATURIN)
	touch $@

test-matrix: $(WHEELS)/.built free-threaded
	$(VENV)/bin/python tests/python/matrix.py $(WHEELS)/*.whl

# A free-threaded Python has no stable ABI before 3.15, so its wheel is another build, of the same code.
free-threaded:
	PYO3_CONFIG_FILE=$(CURDIR)/packaging/python3.14t $(CARGO) check --locked --quiet \
	    --features $(WHEEL_FEATURES) --target-dir target/free-threaded
