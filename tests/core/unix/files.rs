//! Files that are none, or that cannot be read now: told at once, in words that help.

use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Error, ErrorKind, Options, authenticate};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::files::{Folder, at_once, with_secret_in};

/// A pipe in the folder, which nobody writes into.
pub fn pipe(folder: &Folder) -> PathBuf {
    let path = folder.0.join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    path
}

/// Where every read fails with EIO.
pub fn unreadable_for_now() -> &'static Path {
    Path::new("/proc/self/mem")
}

/// What the C library calls that.
pub fn said_of_unreadable() -> String {
    let said = fs::read(unreadable_for_now()).unwrap_err().to_string();
    format!("({})", said.split(" (os").next().unwrap())
}

#[test]
fn a_secret_file_that_is_none_is_refused_at_once() {
    let folder = Folder::new("no-secret-file");
    let pipe = pipe(&folder);
    for (path, why) in [
        (pipe.as_path(), "is not a regular file"),
        (Path::new("/dev/zero"), "is not a regular file"),
    ] {
        let error = with_secret_in(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(&format!("{} {why};", path.display())), "{error}");
    }
}

/// The secret is refused, and its file is something else by then.
fn refused_after(replace: impl FnOnce(&Folder, &Path), name: &str) -> Error {
    let (folder, sandbox) = (Folder::new(name), Sandbox::start().unwrap());
    let file = folder.0.join("secret");
    fs::write(&file, sandbox.client_secret()).unwrap();
    let credentials = Credentials::from_file(sandbox.client_id(), &file).unwrap();
    fs::remove_file(&file).unwrap();
    replace(&folder, &file);
    sandbox.rotate_secret();
    let options = Options::default().auth_url(sandbox.auth_url());
    at_once(move || authenticate(&credentials, &options).unwrap_err())
}

#[test]
fn a_pipe_that_takes_the_place_of_a_secret_file_is_not_waited_for() {
    let error = refused_after(|folder, file| fs::rename(pipe(folder), file).unwrap(), "pipe");
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    assert!(error.to_string().contains("secret is not a regular file"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_secret_file_that_cannot_be_read_for_now_is_tried_again() {
    let replace = |_: &Folder, file: &Path| symlink(unreadable_for_now(), file).unwrap();
    let error = refused_after(replace, "unreadable");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.is_retryable());
    assert!(error.to_string().contains(&said_of_unreadable()), "{error}");
    assert!(error.to_string().contains("401"), "{error}");

    let error = with_secret_in(unreadable_for_now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}
