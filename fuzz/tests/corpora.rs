//! Feeds each target with its corpus.

use std::fs;
use std::path::Path;

use clazar_auth_fuzz::TARGETS;

#[test]
fn what_was_found_before_holds() {
    for (name, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
        assert!(files.len() >= 5, "{name} has a corpus");
        for file in files {
            println!("{}", file.display());
            run(&fs::read(&file).unwrap());
        }
    }
}
