//! What others, or other systems, put in the way of the file store.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, Store, TokenProvider};
use rustix::fs::{CWD, FileType, FlockOperation, Mode, flock, mknodat};

use crate::store::{Folder, provider, survives, value};
use crate::wait_until;

/// Another process that holds the lock may hang, and the API be well.
#[test]
fn a_renewal_waits_for_another_process_until_the_last_part_at_most() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    sandbox.set_lifetime(Duration::from_secs(8));
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    // So long, and two seconds, it would wait without a token.
    let timeout = Duration::from_secs(80);
    let provider = TokenProvider::builder(credentials)
        .options(Options::default().auth_url(sandbox.auth_url()).timeout(timeout))
        .store(Store::folder(&folder.0))
        .build()
        .unwrap();
    let old = value(&provider);
    let start = Instant::now();
    let lock = fs::File::create(folder.file().with_extension("lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    wait_until(|| value(&provider) != old);
    assert!(start.elapsed() < timeout, "{:?}", start.elapsed());
}

#[test]
fn the_file_and_its_folder_are_for_their_owner_alone() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    provider(&sandbox, &folder.0).token().unwrap();
    assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(&folder.0).unwrap().permissions().mode() & 0o7777, 0o700);
}

#[test]
fn what_is_no_file_of_ours_is_a_miss() {
    survives("a file that others can read", |file| {
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    });
    survives("a pipe", |file| {
        fs::remove_file(file).unwrap();
        mknodat(CWD, file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    });
    if rustix::process::geteuid().is_root() {
        survives("another user's file", |file| chown(file, Some(65_534), None).unwrap());
    }
}

#[test]
fn a_link_is_not_followed() {
    let other = Folder::new();
    fs::create_dir(&other.0).unwrap();
    let target = other.0.join("target");
    let folder = survives("a link", |file| {
        fs::rename(file, &target).unwrap();
        symlink(&target, file).unwrap();
    });
    let before = fs::read(&target).unwrap();
    assert!(!fs::symlink_metadata(folder.file()).unwrap().is_symlink(), "it is replaced");
    assert_eq!(fs::read(&target).unwrap(), before);
}

#[test]
fn without_a_usable_folder_the_token_is_served_all_the_same() {
    let sandbox = Sandbox::start().unwrap();
    let open = Folder::new();
    fs::create_dir(&open.0).unwrap();
    fs::set_permissions(&open.0, Permissions::from_mode(0o755)).unwrap();
    for folder in [open.0.as_path(), Path::new("/proc/clazar-auth"), Path::new("/dev/null/x")] {
        let provider = provider(&sandbox, folder);
        provider.token().unwrap();
        assert_eq!(provider.stats().store_misses, 1);
    }
    assert_eq!(fs::read_dir(&open.0).unwrap().count(), 0);
}
