//! Files that are none, or that cannot be read now: told at once, in words that help.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Error, ErrorKind, Options, authenticate};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// A folder of one test's own, which goes with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clazar-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn pipe(&self) -> PathBuf {
        let path = self.0.join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `work` gives, which must not wait for anybody.
pub fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(20)).expect("it waits for somebody")
}

fn with_secret_in(path: impl Into<PathBuf>) -> Result<Credentials, Error> {
    let path = path.into();
    at_once(move || Credentials::from_file("not-a-real-client", path))
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
    let pipe = folder.pipe();
    for (path, why) in [
        (pipe.as_path(), "is not a regular file"),
        (Path::new("/dev/zero"), "is not a regular file"),
        (folder.0.as_path(), "is a folder"),
    ] {
        let error = with_secret_in(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(&format!("{} {why};", path.display())), "{error}");
    }
}

#[test]
fn a_secret_in_the_place_of_a_path_is_not_shown() {
    let long = "not-a-real-secret-".repeat(300);
    for secret in ["not-a-real-secret-0123456789abcdef", "/not-a-real-secret", long.as_str()] {
        let error = with_secret_in(secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("not-a-real") && text.contains("client_secret_file"), "{text}");
    }
    let missing = with_secret_in("/nonexistent").unwrap_err().to_string();
    assert!(missing.contains("(No such file or directory)"), "{missing}");
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
    let error = refused_after(|folder, file| fs::rename(folder.pipe(), file).unwrap(), "pipe");
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
