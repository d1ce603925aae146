//! Tests what the library does with memory, and where there is none; and where the system refuses all else.

use std::collections::HashSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::programs::{Sanitizer, command, compile, folder, run, skipped, stage};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, ok};

const SECRET: &str = "not-a-real-secret-0123456789abcdef";

/// A server over TLS, and what a program needs to get a token from it.
struct Api {
    authority: Authority,
    url: String,
    _server: Server,
}

impl Api {
    fn new(name: &str, host: &str, body: &str) -> Self {
        let authority = Authority::new(name);
        // As long as that of a system, and longer than any block that the library has in reserve.
        let comment = "# Not a certificate.\n".repeat(10_000);
        let certificate = fs::read_to_string(&authority.pem_file).unwrap();
        fs::write(&authority.pem_file, comment + &certificate).unwrap();
        let server = authority.server(&[host], VALID, &ok(body));
        let url = format!("https://{host}:{}/authenticate/", server.port());
        Self { authority, url, _server: server }
    }

    fn variables<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let variables = [
            ("CLAZAR_AUTH_URL", self.url.as_str()),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("SSL_CERT_FILE", self.authority.pem_file.to_str().unwrap()),
        ];
        [&variables, more].concat()
    }

    /// Runs `program` without a store and with one, and shows how often something failed.
    fn run(&self, program: &Path, more: &[(&str, &str)]) {
        let store = folder().join(format!("store-of-shortage-{}", std::process::id()));
        let secret = [more, &[("CLAZAR_CLIENT_SECRET", SECRET)]].concat();
        let with_a_store = [&secret[..], &[("CLAZAR_STORE", store.to_str().unwrap())]].concat();
        for more in [secret, with_a_store] {
            let output = run(program, &self.variables(&more));
            print!("{}", String::from_utf8(output.stdout).unwrap());
            let _ = fs::remove_dir_all(&store);
        }
    }
}

#[test]
fn without_memory_a_token_request_fails_and_nothing_else() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // They have allocators of their own.
    }
    let program = compile("no_memory", &stage("stage"));
    let api = Api::new("c-no-memory", "memory.test", TOKEN_BODY);
    api.run(&program, &[("TEST_CASE", "waiting"), ("TEST_LASTING", "1")]);
    for case in ["first", "renewal", "alone"] {
        api.run(&program, &[("TEST_CASE", case)]);
        api.run(&program, &[("TEST_CASE", case), ("TEST_LASTING", "1")]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_system_refuses_fails_a_token_request_and_nothing_else() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // A sanitizer has system calls of its own.
    }
    let program = compile("refused", &stage("stage"));
    let api = Api::new("c-refused", "127.0.0.1", TOKEN_BODY);
    for case in ["first", "renewal"] {
        api.run(&program, &[("TEST_CASE", case)]);
    }
}

/// A text that has no part twice, nor one in common with another program.
fn unlike(name: &str, length: usize) -> String {
    let words = (0_u64..).map(|n| format!("{:x}", (n + 1).wrapping_mul(0x2545_f491_4f6c_dd1d)));
    let text: String = words.take(100).collect();
    format!("{name}-{}", &text[name.len() + 1..length])
}

#[cfg(target_os = "linux")]
#[test]
fn secret_and_token_are_in_pages_that_are_neither_swapped_nor_dumped() {
    if matches!(Sanitizer::now(), Sanitizer::Valgrind | Sanitizer::Address | Sanitizer::Thread) {
        return; // They keep what was freed, or copies of it.
    }
    const UNLOCKABLE: i32 = 10;
    let program = compile("locked", &stage("stage"));
    let (secret, token) = (unlike("not-a-real-secret", 60), unlike("not-a-real-token", 887));
    let api = Api::new("c-locked", "127.0.0.1", &TOKEN_BODY.replace("not-a-real-token", &token));
    let home = folder().join(format!("locked-{}", std::process::id()));
    fs::create_dir_all(&home).unwrap();
    let secret_file = home.join("secret");
    fs::write(&secret_file, &secret).unwrap();
    let run = |case: &str| {
        let more =
            [("CLAZAR_CLIENT_SECRET_FILE", secret_file.to_str().unwrap()), ("TEST_CASE", case)];
        let output = command(&program, &api.variables(&more)).current_dir(&home).output().unwrap();
        println!("{case}: {}", String::from_utf8_lossy(&output.stdout).trim());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{case}");
        output.status
    };
    match run("locked").code() {
        Some(0) => {}
        Some(UNLOCKABLE) => skipped("no locked page", "this user may lock none (RLIMIT_MEMLOCK)"),
        other => panic!("{other:?}"),
    }
    assert_eq!(run("unlocked").code(), Some(UNLOCKABLE));

    let aborted = run("core");
    assert_eq!(aborted.signal(), Some(6), "{aborted}");
    let files = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path());
    match files.into_iter().find(|path| *path != secret_file) {
        Some(core) => {
            let core = fs::read(core).unwrap();
            let holds = |text: &str| {
                let pieces: HashSet<_> = text.as_bytes().windows(16).collect();
                core.windows(16).any(|part| pieces.contains(part))
            };
            assert!(holds("not-a-real-client"), "it holds what is no secret");
            assert!(!holds(&secret) && !holds(&token));
        }
        None => skipped("no core file", "this system writes none into the folder of a program"),
    }
    fs::remove_dir_all(&home).unwrap();
}
