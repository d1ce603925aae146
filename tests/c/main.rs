//! The C library as installed into `target/stage` by `make lib`: a real compiler on the installed
//! header, real programs against real servers, watched by valgrind or a sanitizer where `CLAZAR_SANITIZER`
//! says so.

mod abi;
mod cpp;
mod embedding;
mod fleet;
mod header;
#[cfg(target_os = "linux")]
mod loops;
mod memory;
mod package;
mod programs;
mod servers;
mod suid;

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};

use programs::{
    Sanitizer, amount, command, compile, compiler, folder, is_windows, link, root, run, run_case,
    run_with, shared, stage,
};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

/// The first of the two lines that `token_request.c` prints, which must be the same but for the wait.
pub fn request_token(program: &Path, url: &str, more: &[(&str, &str)]) -> String {
    let mut variables = vec![
        ("CLAZAR_AUTH_URL", url),
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
    ];
    variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    variables.extend(more);
    let output = String::from_utf8(run(program, &variables).stdout).unwrap();
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines.len(), 2, "{output}");
    let [alone, by_a_provider] = [0, 1].map(|line| lines[line].splitn(5, '|').collect::<Vec<_>>());
    assert_eq!((&alone[..3], alone[4]), (&by_a_provider[..3], by_a_provider[4]));
    // A provider that was made asks again after a failure.
    let asks_again = !["CLAZAR_OK", "CLAZAR_ERR_INVALID_ARGUMENT"].contains(&alone[0]);
    assert_eq!(by_a_provider[3].parse::<i64>().unwrap() >= 0, asks_again, "{output}");
    lines[0].to_owned()
}

#[test]
fn wrong_arguments_get_an_error_and_change_nothing() {
    run_with(&compile("arguments", &stage("stage")), &Sandbox::start().unwrap());
}

#[test]
fn each_function_of_a_provider_does_what_the_header_says() {
    let sandbox = Sandbox::start().unwrap();
    run_with(&compile("provider", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 2);
}

#[test]
fn the_environment_is_read_by_constructors_alone() {
    run_with(&compile("environment", &stage("stage")), &Sandbox::start().unwrap());
}

#[test]
fn a_sealed_token_goes_to_another_provider() {
    let sandbox = Sandbox::start().unwrap();
    run_with(&compile("seal", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

#[test]
fn eight_processes_that_share_a_store_make_one_token_request() {
    let program = compile("shared", &stage("stage"));
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(500));
    let store = folder().join(format!("shared-store-{}", std::process::id()));
    let variables = [("CLAZAR_STORE", store.to_str().unwrap())];
    let tokens: HashSet<_> = std::thread::scope(|scope| {
        let start = |_| scope.spawn(|| run_case(&program, &sandbox, &variables).stdout);
        let processes: Vec<_> = (0..8).map(start).collect();
        processes.into_iter().map(|process| process.join().unwrap()).collect()
    });
    assert_eq!((tokens.len(), sandbox.requests("/authenticate/")), (1, 1));
    std::fs::remove_dir_all(&store).unwrap();
}

/// After each call that handles one of them, over http and over TLS, with a token and with a refusal, in
/// memory and in a file, closed and freed, however the program is linked.
#[test]
fn no_part_of_secret_or_token_is_left_in_memory() {
    if matches!(Sanitizer::now(), Sanitizer::Valgrind | Sanitizer::Address | Sanitizer::Thread) {
        return; // They keep what was freed, or copies of it.
    }
    let stage = stage("stage");
    let build = |name: &str, libraries: &[String]| {
        let mut cc = compiler("cc", &stage);
        cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1"]);
        cc.arg(root().join("tests/c/memory.c")).args(libraries).args(["-ldl", "-lm"]);
        link(cc, &format!("memory-{name}"))
    };
    let archive = stage.join("lib/libclazar_auth.a").display().to_string();
    let lazy = build("lazy", &[&shared(&stage)[..], &["-Wl,-z,lazy".into()]].concat());
    let now = build("now", &[&shared(&stage)[..], &["-Wl,-z,now".into()]].concat());
    let linked_in = build("static", &[archive, "-Wl,-z,lazy".into()]);

    // No two parts of them are alike, nor in any other program.
    let unlike = |name: &str, length| {
        let words = (0_u64..).map(|n| format!("{:x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let text: String = words.take(100).collect();
        format!("{name}-{}", &text[name.len() + 1..length])
    };
    let (secret, token) = (unlike("not-a-real-secret", 60), unlike("not-a-real-token", 887));
    let file = folder().join(format!("secret-{}", std::process::id()));
    std::fs::write(&file, &secret).unwrap();
    let authority = Authority::new("c-memory");
    let body = ok(&TOKEN_BODY.replace("not-a-real-token", &token));
    let refusal = http("401 Unauthorized", "", &format!(r#"{{"error":"{secret}"}}"#));
    let plain = [&body, &refusal].map(|answer| Server::answering(answer.as_str()));
    let tls = [&body, &refusal].map(|answer| authority.server(&["127.0.0.1"], VALID, answer));
    let http = plain.each_ref().map(Server::url);
    let https = tls.each_ref().map(|s| format!("https://127.0.0.1:{}/authenticate/", s.port()));
    let store = folder().join(format!("memory-store-{}", std::process::id()));
    let check = |program: &Path, url: &str, more: &[(&str, &str)]| {
        let mut variables = vec![
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_AUTH_URL", url),
            ("TEST_SECRET_FILE", file.to_str().unwrap()),
            ("TEST_CA_FILE", authority.pem_file.to_str().unwrap()),
        ];
        variables.extend(more);
        run(program, &variables);
        let _ = std::fs::remove_dir_all(&store);
    };
    let in_a_file = ("CLAZAR_STORE", store.to_str().unwrap());
    let freed = ("TEST_FREE", "1");
    for url in [&http[0], &https[0]] {
        for program in [&lazy, &now, &linked_in] {
            check(program, url, &[freed]);
        }
        check(&lazy, url, &[]);
        check(&lazy, url, &[freed, in_a_file]);
        for call in ["refresh", "invalidate", "seal", "unseal", "authenticate", "set_client_secret"]
        {
            check(&lazy, url, &[freed, ("TEST_CALL", call)]);
        }
    }
    for url in [&http[1], &https[1]] {
        check(&lazy, url, &[("TEST_REFUSED", "1")]);
        check(&lazy, url, &[("TEST_REFUSED", "1"), freed, in_a_file]);
    }
    std::fs::remove_file(&file).unwrap();
}

/// The environment names an authority and a proxy that opens no way.
#[test]
fn who_is_trusted_is_what_the_options_say() {
    let [ours, theirs] = ["c-ours-alone", "c-theirs-alone"].map(Authority::new);
    let server = ours.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let proxy = Server::answering(http("403 Forbidden", "", ""));
    let program = compile("trust", &stage("stage"));
    run(
        &program,
        &[
            ("CLAZAR_AUTH_URL", &url),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
            ("HTTPS_PROXY", &format!("http://127.0.0.1:{}", proxy.port())),
            ("HOME", "/tmp"),
            ("SSL_CERT_FILE", ours.pem_file.to_str().unwrap()),
            ("TEST_OTHER_CA_FILE", theirs.pem_file.to_str().unwrap()),
        ],
    );
    assert_eq!(proxy.requests().len(), 1, "by the one token request that trusts the environment");
    assert_eq!(server.requests().len(), 2);
}

/// Over https, where the trust store is what cannot be opened.
#[test]
fn without_descriptors_nothing_is_called_permanent() {
    let authority = Authority::new("c-descriptors");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let secret_file = folder().join(format!("secret-of-descriptors-{}", std::process::id()));
    std::fs::write(&secret_file, "not-a-real-secret-0123456789abcdef").unwrap();
    let ca_file = authority.pem_file.to_str().unwrap();
    run(
        &compile("descriptors", &stage("stage")),
        &[
            ("CLAZAR_AUTH_URL", &url),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
            ("SSL_CERT_FILE", ca_file),
            ("TEST_CA_FILE", ca_file),
            ("TEST_SECRET_FILE", secret_file.to_str().unwrap()),
        ],
    );
    std::fs::remove_file(&secret_file).unwrap();
}

#[test]
fn sixty_four_threads_share_one_token_request() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    run_with(&compile("threads", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

#[test]
fn a_thousand_threads_share_one_token_request_and_one_replacement() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    let threads = [("TEST_THREADS", amount("1000", "100")), ("TEST_REFUSED", amount("64", "16"))];
    run_case(&compile("thousand", &stage("stage")), &sandbox, &threads);
    assert_eq!(sandbox.requests("/authenticate/"), 2);
}

#[test]
fn eight_threads_without_pause_are_served_through_renewals() {
    let sandbox = Sandbox::start().unwrap();
    // Renewed 6 to 9 s after it came, more than 2 s before anybody would wait: time enough on any machine.
    sandbox.set_lifetime(Duration::from_secs(amount(12, 3)));
    sandbox.set_delay(Duration::from_millis(100));
    // Under valgrind a renewal may take longer than a token is valid.
    let limits = [("TEST_SECONDS", amount("30", "3")), ("TEST_WAITS", amount("8", "1000000"))];
    let output = run_case(&compile("hammer", &stage("stage")), &sandbox, &limits);
    let output = String::from_utf8(output.stdout).unwrap();
    println!("{output}");
    let number = |name: &str| -> u64 {
        let mut words = output.split_whitespace().skip_while(|word| *word != name);
        words.nth(1).unwrap().parse().unwrap()
    };
    assert_eq!(number("failed"), 0);
    assert_eq!(sandbox.requests("/authenticate/"), number("succeeded"));
    let expected = amount(3..=6, 1..=5);
    assert!(expected.contains(&number("succeeded")), "{output}");
}

#[test]
fn the_statistics_count_what_happens() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.answer_next("/authenticate/", Answer::new(400, "")).unwrap();
    run_with(&compile("stats", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 4);
}

#[test]
fn each_event_is_told_with_a_message_that_shows_no_secret() {
    let sandbox = Sandbox::start().unwrap();
    let secret = sandbox.client_secret();
    let body = format!(r#"{{"error":"{secret}","error_description":"{secret}"}}"#);
    sandbox.answer_next("/authenticate/", Answer::new(400, body)).unwrap();
    run_with(&compile("events", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 13);
}

/// The server that `callbacks.c` describes.
fn refusing_and_short_lived() -> Server {
    let stale: &'static Mutex<HashSet<String>> = Box::leak(Box::default());
    Server::new(|mut stream, requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let text = String::from_utf8(request.clone()).unwrap();
        let client = text.split('"').nth(3).unwrap().to_owned();
        let is_first = stale.lock().unwrap().insert(client.clone());
        requests.lock().unwrap().push(request);
        let number = requests.lock().unwrap().len();
        let token = |lifetime: u32| {
            ok(&format!(
                r#"{{"access_token":"not-a-real-token-{number}","expires_in":{lifetime}}}"#
            ))
        };
        let answer = match (text.contains("wrong"), client.starts_with("stale"), is_first) {
            (true, ..) => http("401 Unauthorized", "", ""),
            (_, true, true) => token(3),
            (_, true, false) => http("400 Bad Request", "", ""),
            // What is asked for once more while the callback has not returned.
            (_, false, false) if client == "client-1000" => {
                while read_request(&mut stream).is_some() {}
                return;
            }
            _ => token(86_400),
        };
        let _ = stream.write_all(answer.as_bytes());
    })
}

#[test]
fn a_callback_may_do_everything_in_each_event_and_nobody_waits_for_it() {
    let program = compile("callbacks", &stage("stage"));
    let open = folder().join(format!("open-{}", std::process::id()));
    std::fs::create_dir_all(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let authority = Authority::new("c-callbacks");
    let over_tls = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let tls_url = format!("https://127.0.0.1:{}/authenticate/", over_tls.port());
    let cases = [
        "each",
        "each over TLS",
        "blocked",
        "stale",
        "cancelled",
        "forked",
        "forked between",
        "forked with a token",
    ];
    for case in cases {
        if Sanitizer::now() == Sanitizer::Address && case == "cancelled" {
            continue; // AddressSanitizer takes a cancelled thread's stack for one in use.
        }
        if Sanitizer::now() != Sanitizer::Nothing && case.starts_with("forked") {
            continue; // What a sanitizer knows of threads is lost in a child.
        }
        if is_windows() && (case == "cancelled" || case.starts_with("forked")) {
            continue;
        }
        let server = refusing_and_short_lived();
        let url = if case == "each over TLS" { tls_url.clone() } else { server.url() };
        let variables = [
            ("CLAZAR_AUTH_URL", url.as_str()),
            // Of what is to be trusted a part is missing.
            ("SSL_CERT_FILE", authority.pem_file.to_str().unwrap()),
            ("SSL_CERT_DIR", "/nonexistent"),
            ("TEST_OPEN_FOLDER", open.to_str().unwrap()),
            ("TEST_CASE", case),
        ];
        run(&program, &variables);
    }
    std::fs::remove_dir(&open).unwrap();
}

#[test]
fn a_system_call_that_hangs_holds_nobody() {
    let program = compile("deadline", &stage("stage"));
    let store = folder().join(format!("deadline-{}", std::process::id()));
    let with_a_store = [("CLAZAR_STORE", store.to_str().unwrap())];
    for more in [&[][..], &with_a_store] {
        run_case(&program, &Sandbox::start().unwrap(), more);
    }
    std::fs::remove_dir_all(&store).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_hangs_keeps_nobody_from_a_token_or_a_fork() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // A sanitizer has threads and system calls of its own.
    }
    let program = compile("disk", &stage("stage"));
    for case in ["flock", "open", "fsync", "look"] {
        let sandbox = Sandbox::start().unwrap();
        if case == "look" {
            sandbox.answer_next("/authenticate/", Answer::new(400, "")).unwrap();
        }
        let store = folder().join(format!("disk-{case}-{}", std::process::id()));
        let variables = [("CLAZAR_STORE", store.to_str().unwrap()), ("TEST_CASE", case)];
        run_case(&program, &sandbox, &variables);
        std::fs::remove_dir_all(&store).unwrap();
    }
}

#[test]
fn a_thread_that_cannot_be_started_is_told() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // A sanitizer has a pthread_create of its own.
    }
    let sandbox = Sandbox::start().unwrap();
    sandbox.answer_next("/authenticate/", Answer::new(400, "")).unwrap();
    let store = folder().join(format!("no-threads-{}", std::process::id()));
    let more = [("TEST_STORE", store.to_str().unwrap())];
    run_case(&compile("no_threads", &stage("stage")), &sandbox, &more);
    std::fs::remove_dir_all(&store).unwrap();
}

#[test]
fn a_forked_child_goes_on_with_the_provider() {
    let program = compile("fork", &stage("stage"));
    let children = amount("50", "5");
    for (case, lifetime, delay, requests) in [
        ("a token", 86_400, 0, Some(1)),
        ("a token request", 86_400, 500, Some(2)),
        ("past the handlers", 86_400, 500, Some(2)),
        ("closed", 86_400, 0, Some(1)),
        ("a renewal", 4, 500, Some(3)),
        ("busy threads", 86_400, 5, None),
        ("closed, busy threads", 86_400, 0, Some(0)),
    ] {
        // A child may find the malloc of gcc's AddressSanitizer locked, and the one of zig for musl.
        let is_zigs_malloc = std::env::var("CLAZAR_STAGE").is_ok_and(|stage| stage == "stage-musl");
        let is_malloc_locked = Sanitizer::now() == Sanitizer::Address || is_zigs_malloc;
        if is_malloc_locked && case.contains("busy") {
            continue;
        }
        if Sanitizer::now() == Sanitizer::Thread && case == "past the handlers" {
            continue; // For it, the parent's threads go on in the child.
        }
        let sandbox = Sandbox::start().unwrap();
        sandbox.set_lifetime(Duration::from_secs(lifetime));
        sandbox.set_delay(Duration::from_millis(delay));
        run_case(&program, &sandbox, &[("TEST_CASE", case), ("TEST_CHILDREN", children)]);
        if let Some(requests) = requests {
            assert_eq!(sandbox.requests("/authenticate/"), requests, "{case}");
        }
    }
}

#[test]
fn a_renewal_asks_for_little_memory_at_a_time() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // They have allocators of their own.
    }
    let authority = Authority::new("c-largest");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let variables = [
        ("CLAZAR_AUTH_URL", &*url),
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
        ("SSL_CERT_FILE", authority.pem_file.to_str().unwrap()),
    ];
    run(&compile("largest", &stage("stage")), &variables);
}

/// No lock and no half-made static of the parent's is in the child's way.
#[test]
fn a_child_forked_in_the_first_request_makes_its_own() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // They have allocators of their own.
    }
    let program = compile("anywhere", &stage("stage"));
    let sandbox = Sandbox::start().unwrap();
    run_case(&program, &sandbox, &[("TEST_STEP", "1")]);
    let authority = Authority::new("c-anywhere");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let variables = [
        ("CLAZAR_AUTH_URL", &*url),
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
        ("SSL_CERT_FILE", authority.pem_file.to_str().unwrap()),
        ("TEST_STEP", "19"),
    ];
    run(&program, &variables);
}

/// With the API, with a proxy and with a store. The child was forked in the middle of a request, and lives
/// on.
#[test]
fn a_connection_ends_with_the_process_that_made_it() {
    let long = Duration::from_secs(60);
    for peer in ["API", "proxy", "store"] {
        let (come, came) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let server = Server::new(move |mut stream, _| {
            let _ = come.send(stream.read_exact(&mut [0]));
            let _ = end.send(io::copy(&mut stream, &mut io::sink()).is_ok());
        });
        let [https, proxy, redis] = ["https", "http", "redis"]
            .map(|scheme| format!("{scheme}://127.0.0.1:{}", server.port()));
        let url = if peer == "proxy" { https } else { server.url() };
        let mut variables = vec![
            ("CLAZAR_AUTH_URL", &*url),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
            ("TEST_CHILDREN", "1"),
        ];
        match peer {
            "proxy" => variables.push(("HTTPS_PROXY", &*proxy)),
            "store" => variables.push(("CLAZAR_STORE", &*redis)),
            _ => {}
        }
        let mut program = command(&compile("orphan", &stage("stage")), &variables);
        let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = program.stdin.take().unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap());

        came.recv_timeout(long).unwrap().expect("a request comes");
        input.write_all(b"\n").unwrap();
        assert!(program.wait().unwrap().success());
        let end = ended.recv_timeout(Duration::from_secs(9));
        // The child still is there.
        input.write_all(b"\n").unwrap();
        assert_eq!(output.read_line(&mut String::new()).unwrap(), 1);
        assert_eq!(end, Ok(true), "the child keeps the connection to the {peer}");
    }
}

/// The token request would go on for half a minute.
#[test]
fn a_program_ends_at_once_while_a_token_request_is_under_way() {
    let program = compile("exit", &stage("stage"));
    for case in ["return", "exit", "free", "free the last", "close"] {
        let variables = [
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
            ("TEST_CASE", case),
        ];
        let start = Instant::now();
        run(&program, &variables);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{case}: {took:?}");
    }
}

#[test]
fn each_kind_of_error_has_its_status() {
    let program = compile("token_request", &stage("stage"));
    let answered = |answer: &str| request_token(&program, &Server::answering(answer).url(), &[]);
    for (answer, start) in [
        (ok(TOKEN_BODY), "CLAZAR_OK|0|0|-1|"),
        (http("401 Unauthorized", "", ""), "CLAZAR_ERR_CREDENTIALS|401|0|-1|http://127.0.0.1:"),
        (http("429 Too Many", "Retry-After: 70\r\n", ""), "CLAZAR_ERR_RATE_LIMITED|429|1|70000|"),
        (http("404 Not Found", "", ""), "CLAZAR_ERR_REJECTED|404|0|-1|"),
        (http("307 Temporary", "Location: /\r\n", ""), "CLAZAR_ERR_REJECTED|307|0|-1|"),
        (http("500 Server Error", "", ""), "CLAZAR_ERR_SERVER|500|1|-1|"),
        (ok("<html>"), "CLAZAR_ERR_INVALID_RESPONSE|200|0|-1|"),
        (String::new(), "CLAZAR_ERR_TRANSPORT|0|1|-1|"),
    ] {
        let line = answered(&answer);
        assert!(line.starts_with(start), "{line}");
    }

    let silent = Server::new(|mut stream, _| while read_request(&mut stream).is_some() {});
    let line = request_token(&program, &silent.url(), &[("TEST_TIMEOUT_MS", "200")]);
    assert!(line.starts_with("CLAZAR_ERR_TIMEOUT|0|1|-1|"), "{line}");

    let line = request_token(&program, "http://192.0.2.1/", &[]);
    assert!(line.starts_with("CLAZAR_ERR_INVALID_ARGUMENT|0|0|-1|"), "{line}");
}

#[test]
fn tls_works_and_fails_as_in_rust() {
    let program = compile("token_request", &stage("stage"));
    let (ours, theirs) = (Authority::new("c-ours"), Authority::new("c-theirs"));
    let ca_file = [("TEST_CA_FILE", ours.pem_file.to_str().unwrap())];
    let attempt = |server: Server| {
        let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
        request_token(&program, &url, &ca_file)
    };
    let line = attempt(ours.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY)));
    assert!(line.starts_with("CLAZAR_OK|0|0|-1|"), "{line}");
    for refused in [
        theirs.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY)),
        ours.server(&["example.com"], VALID, &ok(TOKEN_BODY)),
        ours.server(&["127.0.0.1"], [2020, 2021], &ok(TOKEN_BODY)),
    ] {
        let line = attempt(refused);
        assert!(line.starts_with("CLAZAR_ERR_TLS|0|0|-1|"), "{line}");
    }
}

#[test]
fn a_connection_to_which_there_is_no_way_is_tried_again() {
    let sandbox = Sandbox::start().unwrap();
    run_with(&compile("unreachable", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 5);
}

#[test]
fn a_resolver_that_hangs_leaves_two_threads_behind_at_most() {
    let authority = Authority::new("c-lookup");
    let server = authority.server(&["lookup.test"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://lookup.test:{}/authenticate/", server.port());
    let plain = Server::answering(ok(TOKEN_BODY));
    let plain_url = plain.url().replace("127.0.0.1", "localhost");
    let variables = [
        ("CLAZAR_AUTH_URL", url.as_str()),
        ("TEST_PLAIN_URL", plain_url.as_str()),
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
        ("TEST_CA_FILE", authority.pem_file.to_str().unwrap()),
        ("TEST_CHILDREN", "2"),
    ];
    run(&compile("lookup", &stage("stage")), &variables);
}

/// On the calling thread and on the library's own; `run` checks that nothing is printed.
#[test]
fn a_panic_becomes_a_status() {
    let program = compile("token_request", &stage("stage-panic"));
    let line = request_token(&program, "http://127.0.0.1:1/", &[("CLAZAR_CLIENT_ID", "panic")]);
    assert!(line.starts_with("CLAZAR_ERR_INTERNAL|0|0|-1|"), "{line}");
}
