//! Tests where the files are.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::NAME;
use super::child::Child;
use crate::error::ErrorKind;
use crate::store::file::FileStore;
use crate::store::session::Backend;

#[test]
fn a_relative_path_is_refused() {
    for path in ["~/cache", "cache/x", "./x", "../x", "x\n/y", ""] {
        let error = FileStore::new(path.into()).err().expect(path);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains("begins with / (~ is the home"), "{text}");
        assert!(text.contains(&format!("the path {} of", path.replace('\n', "\\n"))), "{text}");
    }
}

#[test]
fn its_location_can_be_printed() {
    let store = FileStore::new(PathBuf::from("/a\u{1b}[1m/b")).unwrap();
    assert_eq!(store.location(NAME), format!("/a\\u{{1b}}[1m/b/{NAME}"));
}

/// The folder that a process finds with these variables.
fn default_folder(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let mut child = Child::run(command, "default", Path::new("/"));
    let said = child.said();
    child.finish();
    said
}

#[test]
fn the_default_folder_is_in_the_first_absolute_one() {
    const RUNTIME: &str = "XDG_RUNTIME_DIR";
    const CACHE: &str = "XDG_CACHE_HOME";
    let all = [(RUNTIME, "/run/1"), (CACHE, "/c"), ("HOME", "/h")];
    assert_eq!(default_folder(&all), r#"Ok("/run/1/clazar-auth")"#);
    let all = [(RUNTIME, "run/1"), (CACHE, "/c"), ("HOME", "h")];
    assert_eq!(default_folder(&all), r#"Ok("/c/clazar-auth")"#);
    let all = [(RUNTIME, "~/run"), (CACHE, "./c"), ("HOME", "/h")];
    assert_eq!(default_folder(&all), r#"Ok("/h/.cache/clazar-auth")"#);
    for (variables, why) in [
        (&[("HOME", "h")][..], "HOME is not an absolute path"),
        (&[(CACHE, "c")], "XDG_CACHE_HOME is not an absolute path and HOME is unset"),
        (&[], "XDG_RUNTIME_DIR, XDG_CACHE_HOME and HOME are unset"),
    ] {
        let error =
            format!("there is no place for the file store, since {why}; give the path of a folder");
        assert_eq!(default_folder(variables), format!("Err({error:?})"));
    }
}
