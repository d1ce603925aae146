//! `include/clazar_auth.h` says what `src/capi/` does. `CLAZAR_BLESS=1` writes it anew.

use std::path::Path;

#[test]
fn the_committed_header_is_a_fresh_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    // The order in which a reader needs them.
    for file in
        ["status", "failure", "config", "provider", "token", "stats", "error", "event", "library"]
    {
        builder = builder.with_src(root.join(format!("src/capi/{file}.rs")));
    }
    let mut fresh = Vec::new();
    builder.generate().unwrap().write(&mut fresh);
    let fresh = String::from_utf8(fresh).unwrap();

    let path = root.join("include/clazar_auth.h");
    if std::env::var_os("CLAZAR_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "include/clazar_auth.h is out of date; run `make header`");
}
