//! Feeds each target with its corpus.

use std::fs;
use std::path::Path;

use clazar_auth_fuzz::TARGETS;

macro_rules! replay {
    ($($name:ident)+) => {
        $(#[test] fn $name() { replay(stringify!($name)); })+

        #[test]
        fn each_target_is_here() {
            assert_eq!(TARGETS.map(|(name, _)| name), [$(stringify!($name)),+]);
        }
    };
}

replay! { c_strings ca_file credentials redis response retry_after sealed store_file url }

fn replay(name: &str) {
    let (_, run) = TARGETS.iter().find(|(target, _)| *target == name).expect("it is a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(files.len() >= 5, "it has a corpus");
    for file in files {
        println!("{}", file.display());
        run(&fs::read(&file).unwrap());
    }
}
