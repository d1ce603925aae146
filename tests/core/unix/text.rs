//! Text from outside, in names that only these systems allow.

use clazar_auth::Store;
use clazar_auth::sandbox::Sandbox;

use crate::text::{is_printable, keeping, logged};

#[test]
fn the_name_of_a_folder() {
    let sandbox = Sandbox::start().unwrap();
    let name = format!("clazar-auth-\x1b[2J\r\nall is well\u{202e}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::write(&folder, "not a folder").unwrap();
    let told = logged(r"clazar-auth-\u{1b}[2J\r\nall is well\u{202e}-", || {
        keeping(&sandbox, Store::folder(&folder)).token().unwrap();
    });
    std::fs::remove_file(&folder).unwrap();
    assert!(told.contains("Not a directory") && !told.contains("os error"), "{told:?}");
    assert!(is_printable(&told), "{told:?}");
}
