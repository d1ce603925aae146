//! Tests where the files are.

use std::path::PathBuf;

use super::NAME;
use super::system::{RELATIVE, ROOT};
use crate::error::ErrorKind;
use crate::store::file::FileStore;
use crate::store::session::Backend;
use crate::sys::folder::ABSOLUTE;

#[test]
fn a_relative_path_is_refused() {
    for path in RELATIVE {
        let error = FileStore::new(path.into()).err().expect(path);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains(&format!("give one that {ABSOLUTE}")), "{text}");
        assert!(text.contains(&format!("the path {} of", path.replace('\n', "\\n"))), "{text}");
    }
}

#[test]
fn its_location_can_be_printed() {
    let folder = PathBuf::from(format!("{ROOT}a\u{1b}[1m"));
    let shown = FileStore::new(folder).unwrap().location(NAME);
    assert!(shown.starts_with(&format!("{ROOT}a\\u{{1b}}[1m")) && shown.ends_with(NAME), "{shown}");
}
