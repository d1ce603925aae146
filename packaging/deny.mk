# What is used of others: where it comes from, under which licence, and what is known against it. deny.toml has the rules.

DENY_VERSION := 0.20.2
DENY := target/cargo-deny/bin/cargo-deny
# All that RustSec had published by the date in the name.
ADVISORIES := $(wildcard packaging/advisories-*.tar.xz)
ADVISORIES_DATE := $(ADVISORIES:packaging/advisories-%.tar.xz=%)
ADVISORY_DB := https://github.com/rustsec/advisory-db

# What is shipped must pass each check; of what the tests use besides, the advisories and the sources.
deny: $(DENY) target/advisories/unpacked
	@echo "Advisories of $(ADVISORIES_DATE), $$((($$(date +%s) - $$(date -d $(ADVISORIES_DATE) +%s)) / 86400)) days old; make advisories fetches today's"
	@set -e; for lock in $$(git ls-files '*Cargo.lock'); do \
	    case $$lock in Cargo.lock) checks=all ;; *) checks='advisories sources' ;; esac; \
	    manifest="--locked --manifest-path $${lock%.lock}.toml"; \
	    $(CARGO) fetch --quiet $$manifest; \
	    $(DENY) --offline $$manifest --config deny.toml check --hide-inclusion-graph $$checks; done

$(DENY): packaging/deny.mk
	$(CARGO) install --quiet --debug --locked --target-dir target/cargo-deny/target --root target/cargo-deny cargo-deny@$(DENY_VERSION)
	rm -rf target/cargo-deny/target
	touch $@

# Where cargo-deny looks for a clone of the database, and how it sees when that was fetched: now, since an old checkout is
# to pass as it did. .github/workflows/advisories.yml takes the advisories of the day.
target/advisories/unpacked: $(ADVISORIES)
	rm -rf $(@D)
	mkdir -p $(@D)/advisory-db-3157b0e258782691/.git
	tar -xJf $< -C $(@D)/advisory-db-3157b0e258782691
	touch $(@D)/advisory-db-3157b0e258782691/.git/FETCH_HEAD $@

# Takes the advisories of today.
advisories:
	rm -rf target/advisory-db
	git clone --quiet --depth 1 $(ADVISORY_DB) target/advisory-db
	rm -f $(ADVISORIES)
	git -C target/advisory-db archive HEAD crates LICENSE.txt LICENSES | xz -9e > \
	    packaging/advisories-$$(git -C target/advisory-db log -1 --format=%cs).tar.xz
