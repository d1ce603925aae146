//! Files that are none, or that cannot be read now: told at once, in words that help.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::{fs, io};

use clazar_auth::{Credentials, Error, ErrorKind};

/// A folder of one test's own, which goes with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clazar-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the system says where there is no such file.
pub fn said_of_missing() -> String {
    let said = io::Error::from_raw_os_error(2).to_string();
    format!("({})", said.split(" (os").next().unwrap().trim_end_matches('.'))
}

/// What `work` gives, which must not wait for anybody.
pub fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(20)).expect("it waits for somebody")
}

pub fn with_secret_in(path: impl Into<PathBuf>) -> Result<Credentials, Error> {
    let path = path.into();
    at_once(move || Credentials::from_file("not-a-real-client", path))
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
    assert!(missing.contains(&said_of_missing()), "{missing}");
}

#[test]
fn a_folder_is_no_secret_file() {
    let folder = Folder::new("secret-folder");
    let error = with_secret_in(&folder.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains(&format!("{} is a folder;", folder.0.display())), "{error}");
}
