//! One token for many processes. Each provider here has its own lock on the file, as a process has.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, ErrorKind, Options, Store, TokenProvider};

use crate::{SECRET, wait_until};
use test_support::server::{Server, TOKEN_BODY, ok, read_request};

const AUTHENTICATE: &str = "/authenticate/";

/// A folder that is removed in the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("clazar-auth-store-{}-{number}", std::process::id());
        // A disk under load takes seconds for an fsync, and the tokens here are as short as that.
        let memory = PathBuf::from("/dev/shm");
        let base =
            if memory.is_absolute() && memory.is_dir() { memory } else { std::env::temp_dir() };
        Self(base.join(name))
    }

    /// The token files in it.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_none()).collect()
    }

    /// The one token file in it.
    pub fn file(&self) -> PathBuf {
        let mut files = self.files();
        assert_eq!(files.len(), 1, "there is one token file");
        files.remove(0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn provider(sandbox: &Sandbox, folder: &Path) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    TokenProvider::builder(credentials)
        .options(Options::default().auth_url(sandbox.auth_url()))
        .store(Store::folder(folder))
        .build()
        .unwrap()
}

pub fn value(provider: &TokenProvider) -> String {
    provider.token().unwrap().value().to_owned()
}

#[test]
fn the_next_process_finds_the_token() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    sandbox.set_lifetime(Duration::from_secs(1000));
    let first = provider(&sandbox, &folder.0);
    let second = provider(&sandbox, &folder.0);
    let token = first.token().unwrap();
    let found = second.token().unwrap();
    assert_eq!(found.value(), token.value());
    assert!(found.expires_in() <= Duration::from_secs(1000));
    assert!(
        found.expires_at().duration_since(token.expires_at()).unwrap_or_default().as_secs() < 2
    );
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    assert_eq!((first.stats().store_hits, first.stats().store_misses), (0, 1));
    assert_eq!((second.stats().store_hits, second.stats().store_misses), (1, 0));
    assert_eq!(second.stats().empty.succeeded, 0, "a find is no request");
    // Nothing else is left there, but for what is locked on Windows in the place of the folder.
    let left = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name != "folder.lock").count(), 1);
}

#[test]
fn eight_at_once_make_one_request() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    sandbox.set_delay(Duration::from_millis(200));
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let provider = provider(&sandbox, &folder.0);
                barrier.wait();
                provider.token().unwrap();
            });
        }
    });
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

/// One process may hold as many locks as it has clients.
#[test]
fn each_of_many_clients_makes_one_request() {
    // With so many descriptors that the kernel enlarges their table, all threads of the process may stand
    // still for seconds.
    const CLIENTS: usize = 20;
    let folder = Folder::new();
    // All of them hold their locks before the first has its answer.
    let server = Server::new(|mut stream, requests| {
        let request = read_request(&mut stream).unwrap();
        requests.lock().unwrap().push(request);
        wait_until(|| requests.lock().unwrap().len() >= CLIENTS);
        let _ = stream.write_all(ok(TOKEN_BODY).as_bytes());
    });
    thread::scope(|scope| {
        for client in (0..CLIENTS).chain(0..CLIENTS) {
            let (server, folder) = (&server, &folder.0);
            scope.spawn(move || {
                let client_id = format!("not-a-real-client-{client}");
                let credentials = Credentials::new(client_id, SECRET).unwrap();
                let provider = TokenProvider::builder(credentials)
                    .options(Options::default().auth_url(server.url()))
                    .store(Store::folder(folder))
                    .build();
                provider.unwrap().token().unwrap();
            });
        }
    });
    assert_eq!(server.requests().len(), CLIENTS);
}

#[test]
fn a_refresh_replaces_the_kept_token() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let first = provider(&sandbox, &folder.0);
    let old = value(&first);
    let new = first.refresh().unwrap().value().to_owned();
    assert_ne!(new, old);
    assert_eq!(value(&provider(&sandbox, &folder.0)), new);
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

#[test]
fn a_stale_token_is_renewed_by_one_and_found_by_the_other() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    // Renewed 4 to 6 s after it came, long before its end also on a busy machine.
    sandbox.set_lifetime(Duration::from_secs(8));
    let (first, second) = (provider(&sandbox, &folder.0), provider(&sandbox, &folder.0));
    let old = value(&first);
    assert_eq!(value(&second), old);
    sandbox.set_lifetime(Duration::from_secs(1000));
    wait_until(|| value(&first) != old && value(&second) != old);
    assert_eq!(value(&first), value(&second));
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

#[test]
fn after_a_401_the_store_is_looked_at_first() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let (first, second) = (provider(&sandbox, &folder.0), provider(&sandbox, &folder.0));
    let refused = first.token().unwrap();
    assert_eq!(value(&second), refused.value());
    first.invalidate(&refused);
    let fresh = value(&first);
    assert_ne!(fresh, refused.value(), "the refused token is not taken from the store again");
    second.invalidate(&refused);
    assert_eq!(value(&second), fresh);
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

#[test]
fn the_file_betrays_nothing() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let token = value(&provider(&sandbox, &folder.0));
    let file = folder.file();
    let bytes = fs::read(&file).unwrap();
    let name = file.file_name().unwrap().as_encoded_bytes();
    for text in [token.as_str(), &token[..16], &sandbox.client_secret(), &sandbox.client_id()] {
        let is_text = |part: &[u8]| part == text.as_bytes();
        assert!(!bytes.windows(text.len()).any(is_text) && !name.windows(text.len()).any(is_text));
    }
}

/// Puts something else where the token file was; the next process gets a token all the same.
pub fn survives(what: &str, spoil: impl FnOnce(&Path)) -> Folder {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let first = value(&provider(&sandbox, &folder.0));
    spoil(&folder.file());
    let next = provider(&sandbox, &folder.0);
    assert_ne!(value(&next), first, "{what}");
    assert_eq!(next.stats().store_misses, 1, "{what}");
    assert_eq!(sandbox.requests(AUTHENTICATE), 2, "{what}");
    folder
}

#[test]
fn what_is_no_file_of_ours_is_a_miss() {
    survives("a cut file", |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..100]).unwrap();
    });
    survives("a changed file", |file| {
        let mut bytes = fs::read(file).unwrap();
        bytes[500] ^= 1;
        fs::write(file, bytes).unwrap();
    });
    survives("an empty file", |file| fs::write(file, "").unwrap());
    survives("a file of another version", |file| {
        let mut bytes = fs::read(file).unwrap();
        bytes[4] = 2;
        fs::write(file, bytes).unwrap();
    });
    survives("a gigabyte", |file| {
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_len(1 << 30).unwrap();
    });
    survives("a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    });
    survives("what a killed process left behind", |file| {
        fs::write(file.with_extension("new"), "half a token").unwrap();
        fs::remove_file(file).unwrap();
    });
}

/// So that two groups of programs, each with its secret, do not replace each other's tokens.
#[test]
fn each_secret_has_a_file_of_its_own() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let old = value(&provider(&sandbox, &folder.0));
    let file = folder.file();
    let blob = fs::read(&file).unwrap();
    sandbox.rotate_secret();
    let new = value(&provider(&sandbox, &folder.0));
    assert_ne!(new, old);
    assert_eq!(folder.files().len(), 2);
    assert_eq!(fs::read(&file).unwrap(), blob);
    assert_eq!(value(&provider(&sandbox, &folder.0)), new);
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

#[test]
fn a_failure_is_shared_and_a_success_ends_it() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let (first, second) = (provider(&sandbox, &folder.0), provider(&sandbox, &folder.0));
    sandbox.answer_next(AUTHENTICATE, Answer::new(400, r#"{"error":"invalid_request"}"#)).unwrap();
    let error = first.token().unwrap_err();
    let shared = second.token().unwrap_err();
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    assert_eq!((shared.kind(), shared.http_status()), (ErrorKind::Rejected, Some(400)));
    assert!(shared.to_string().starts_with(&error.to_string()), "{shared}");
    assert_eq!(second.stats().empty.failed, 0, "it was not its own");
    second.refresh().unwrap();
    provider(&sandbox, &folder.0).token().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

#[test]
fn garbage_ends_no_looks_into_the_store() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let waiting = provider(&sandbox, &folder.0);
    // A back-off of 15 s at the least.
    sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
    waiting.token().unwrap_err();
    let backoff = fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().path();
    let file = backoff.with_extension("");
    // With the permissions of what the store makes.
    fs::copy(&backoff, &file).unwrap();
    fs::write(&file, "garbage").unwrap();
    wait_until(|| waiting.token().is_err() && waiting.stats().store_misses > 0);
    let token = provider(&sandbox, &folder.0).refresh().unwrap();
    let start = Instant::now();
    wait_until(|| waiting.token().is_ok_and(|found| found.value() == token.value()));
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}

#[test]
fn a_wait_that_the_server_named_is_kept_by_all() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let limited = Answer::new(429, "").header("Retry-After", "70");
    sandbox.answer_next(AUTHENTICATE, limited).unwrap();
    provider(&sandbox, &folder.0).token().unwrap_err();
    let another = provider(&sandbox, &folder.0);
    let error = another.token().unwrap_err();
    let wait = error.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(90) && wait > Duration::from_secs(10), "{wait:?}");
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    another.refresh().expect("a program that insists passes it");
}

#[test]
fn either_secret_opens_what_one_has_sealed() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    let token = value(&provider(&sandbox, &folder.0));
    let next = "not-a-real-secret-0123456789abcdef-next";
    let credentials = Credentials::new(sandbox.client_id(), next).unwrap();
    let rotated = TokenProvider::builder(credentials.fallback(sandbox.client_secret()).unwrap())
        .options(Options::default().auth_url(sandbox.auth_url()))
        .store(Store::folder(&folder.0))
        .build()
        .unwrap();
    assert_eq!(value(&rotated), token);
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn a_dead_token_is_a_miss() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    sandbox.set_lifetime(Duration::from_secs(5));
    let first = provider(&sandbox, &folder.0).token().unwrap();
    wait_until(|| first.is_expired());
    sandbox.set_lifetime(Duration::from_secs(1000));
    assert_ne!(value(&provider(&sandbox, &folder.0)), first.value());
}

#[test]
fn a_guessable_secret_is_refused() {
    let build = |secret: &str| {
        let builder = TokenProvider::builder(Credentials::new("id", secret).unwrap());
        builder.store(Store::folder(std::env::temp_dir())).build()
    };
    build(&"x".repeat(32)).unwrap();
    let error = build(&"\u{df}".repeat(31)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("32 characters"), "{error}");
}

#[test]
fn a_store_has_a_name() {
    let folder = std::env::temp_dir();
    let root = folder.ancestors().last().unwrap();
    for path in [&folder, root] {
        Store::parse(path.to_str().unwrap()).unwrap();
        Store::parse(&format!("{}/a:b/c", path.display())).unwrap();
    }
    for text in ["memory", "file"] {
        Store::parse(text).unwrap();
    }
    for text in ["", "files", "ftp://host/", "tokens", "./tokens", "~/tokens", "1:/c"] {
        assert_eq!(Store::parse(text).unwrap_err().kind(), ErrorKind::InvalidArgument, "{text}");
    }
}

/// What a library for paths makes of one.
#[test]
fn a_url_with_one_slash_is_no_folder() {
    for scheme in ["redis", "REDISS", "valkey+tls"] {
        for rest in ["/user:not-a-real-password@host/0", "not-a-real-password@host/0"] {
            let error = Store::parse(&format!("{scheme}:{rest}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            let text = error.to_string();
            assert!(text.contains("not as a path") && !text.contains("not-a-real"), "{text}");
        }
    }
}
