//! Tests the library embedded in a process that is not its own.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;

use crate::programs::{
    Sanitizer, checked, command, compile, compiler, debug_stage, folder, is_windows, link, root,
    run, run_case, run_with, shared, skipped, stage,
};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, ok};

fn credentials<'a>(url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let credentials = [
        ("CLAZAR_AUTH_URL", url),
        ("CLAZAR_CLIENT_ID", "not-a-real-client"),
        ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
    ];
    [&credentials, more].concat()
}

/// Before a byte is read, after some, and in the middle of a TLS handshake.
#[test]
fn a_connection_closed_early_raises_no_sigpipe() {
    let program = compile("sigpipe", &stage("stage"));
    let closing = |after: usize| {
        Server::new(move |mut stream, _| {
            let _ = stream.read(&mut vec![0; after]);
        })
    };
    for after in [0, 1, 100] {
        let server = closing(after);
        let secure = format!("https://127.0.0.1:{}/authenticate/", server.port());
        for url in [server.url(), secure] {
            run(&program, &credentials(&url, &[]));
        }
    }
}

/// A host may cancel its threads; unwound through Rust, the process would end.
#[test]
fn a_cancelled_thread_ends_after_the_call() {
    if Sanitizer::now() == Sanitizer::Address {
        return; // gcc's runtime takes the unwound stack for one in use.
    }
    let server = Server::new(|mut stream, _| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let secret = folder().join(format!("cancel-secret-{}", std::process::id()));
    std::fs::write(&secret, "not-a-real-secret-0123456789abcdef").unwrap();
    let url = server.url();
    let sandbox = Sandbox::start().unwrap();
    let (auth_url, id, value) = (sandbox.auth_url(), sandbox.client_id(), sandbox.client_secret());
    let more = [
        ("TEST_SECRET_FILE", secret.to_str().unwrap()),
        ("TEST_SANDBOX_URL", &auth_url),
        ("TEST_SANDBOX_ID", &id),
        ("TEST_SANDBOX_SECRET", &value),
    ];
    run(&compile("cancel", &stage("stage")), &credentials(&url, &more));
}

#[test]
fn standard_descriptors_may_be_closed() {
    run_with(&compile("closed", &stage("stage")), &Sandbox::start().unwrap());
}

#[test]
fn it_is_loaded_and_unloaded_again_and_again() {
    let stage = stage("stage");
    let library = stage.join("lib/libclazar_auth.so.0");
    let mut compiler = compiler("cc", &stage);
    compiler.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L"]);
    compiler.arg(root().join("tests/c/dlopen.c")).arg("-ldl");
    // check.h has functions that the program does not use, and that are not to be linked.
    compiler.args(["-O1", "-Wl,--unresolved-symbols=ignore-all"]);
    let program = link(compiler, "dlopen");
    let more = [("TEST_LIBRARY", library.to_str().unwrap())];
    run_case(&program, &Sandbox::start().unwrap(), &more);
}

/// A plugin that is linked as pkg-config says.
#[cfg(target_os = "linux")]
#[test]
fn a_plugin_may_be_closed_while_a_thread_of_the_library_runs() {
    let stage = stage("stage");
    let source = root().join("tests/c/unloaded.c");
    let build = |name: &str, options: &[&str], libraries: &[String]| {
        let mut cc = compiler("cc", &stage);
        cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1"]).args(options);
        cc.arg(&source).args(libraries);
        link(cc, name)
    };
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--libs", "clazar_auth-static"]);
    pkg_config.env("PKG_CONFIG_PATH", stage.join("lib/pkgconfig"));
    let libraries = String::from_utf8(checked(pkg_config).stdout).unwrap();
    let libraries: Vec<_> = libraries.split_whitespace().map(str::to_owned).collect();
    let plugin = build("plugin", &["-shared", "-fPIC", "-DPLUGIN"], &libraries);
    let host = build("host-of-plugin", &["-rdynamic"], &["-ldl".into()]);
    run(&host, &credentials("https://lookup.test/", &[("TEST_PLUGIN", plugin.to_str().unwrap())]));
}

/// What `race.c` does with a token, watched by a tool that does not watch the library.
fn run_watched(mut command: Command, delay: Duration) -> Output {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(delay);
    command.env("CLAZAR_AUTH_URL", sandbox.auth_url());
    command.env("CLAZAR_CLIENT_ID", sandbox.client_id());
    command.env("CLAZAR_CLIENT_SECRET", sandbox.client_secret());
    command.output().unwrap()
}

#[test]
fn with_the_suppressions_a_thread_sanitizer_reports_races_of_the_host_alone() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // One watches at a time.
    }
    let stage = stage("stage");
    let mut cc = compiler("cc", &stage);
    cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-fsanitize=thread"]);
    cc.arg(root().join("tests/c/race.c")).args(shared(&stage));
    let program = link(cc, "race-tsan");
    let reports = |case: &str, options: String| {
        let mut watched = command(&program, &[("TEST_CASE", case)]);
        watched.env("TSAN_OPTIONS", options);
        String::from_utf8(run_watched(watched, Duration::ZERO).stderr).unwrap()
    };
    let ours = format!("suppressions={}", stage.join("share/clazar_auth/tsan.supp").display());
    let all = reports("handles", String::new());
    if all.contains("FATAL: ThreadSanitizer") {
        return skipped("no thread sanitizer", &all);
    }
    assert!(all.contains("WARNING: ThreadSanitizer: data race"), "nothing to suppress: {all}");
    assert_eq!(reports("handles", ours.clone()), "");
    let own = reports("race", ours);
    assert!(own.contains("race.c") && own.contains("in use"), "{own}");
}

#[test]
fn with_the_suppressions_helgrind_and_drd_report_nothing_of_the_library() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // One watches at a time.
    }
    let stage = stage("stage");
    let ours =
        format!("--suppressions={}", stage.join("share/clazar_auth/valgrind.supp").display());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let programs = [("race", Duration::ZERO), ("async", Duration::from_secs(2))]
        .map(|(name, delay)| (compile(name, &stage), delay));
    for (tool, (program, delay)) in
        ["helgrind", "drd"].iter().flat_map(|tool| programs.iter().map(move |each| (tool, each)))
    {
        let watch = |options: &[&str]| {
            let mut watched = Command::new("valgrind");
            watched.args([&format!("--tool={tool}"), "--error-exitcode=99"]).args(options);
            watched.arg(program).env("TEST_CASE", "copies");
            watched.env("TEST_AMOUNT", "100").env("TEST_SILENT_URL", &silent);
            run_watched(watched, *delay)
        };
        assert!(!watch(&[]).status.success(), "{tool} has nothing to suppress");
        let output = watch(&[&ours]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tool}: {}\n{said}", program.display());
    }
}

#[test]
fn small_stacks_are_enough() {
    if debug_stage().is_some() && !is_windows() {
        return; // Code without optimisation needs more.
    }
    if Sanitizer::now() == Sanitizer::Address {
        return; // A sanitizer makes each frame larger.
    }
    let authority = Authority::new("c-stack");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let ca_file = [("TEST_CA_FILE", authority.pem_file.to_str().unwrap())];
    run(&compile("stack", &stage("stage")), &credentials(&url, &ca_file));
}

#[test]
fn a_host_may_have_much_thread_local_data() {
    run_with(&compile("tls", &stage("stage")), &Sandbox::start().unwrap());
}

#[test]
fn a_locale_with_a_decimal_comma_changes_nothing() {
    let locales = folder().join(format!("locales-{}", std::process::id()));
    std::fs::create_dir_all(&locales).unwrap();
    let mut localedef = Command::new("localedef");
    localedef.args(["-i", "de_DE", "-f", "UTF-8"]).arg(locales.join("de_DE.UTF-8"));
    checked(localedef);
    let body = r#"{"access_token":"not-a-real-token","token_type":"bearer","expires_in":3600.5}"#;
    let server = Server::answering(ok(body));
    let url = server.url();
    let more = [("LOCPATH", locales.to_str().unwrap())];
    run(&compile("locale", &stage("stage")), &credentials(&url, &more));
}

#[test]
fn no_ca_certificates_are_needed_on_the_machine() {
    let authority = Authority::new("c-roots");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let url = format!("https://127.0.0.1:{}/authenticate/", server.port());
    let ca_file = [("TEST_CA_FILE", authority.pem_file.to_str().unwrap())];
    let output = run(&compile("no_roots", &stage("stage")), &credentials(&url, &ca_file));
    if !output.stdout.is_empty() {
        skipped(
            "no machine without certificates",
            String::from_utf8(output.stdout).unwrap().trim(),
        );
    }
}

#[test]
fn a_hundred_providers_live_side_by_side() {
    let sandbox = Sandbox::start().unwrap();
    run_with(&compile("hundred", &stage("stage")), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 100);
}

#[test]
fn a_fresh_token_costs_no_allocation_and_no_system_call() {
    if matches!(Sanitizer::now(), Sanitizer::Valgrind | Sanitizer::Address | Sanitizer::Thread) {
        return; // They have allocators of their own.
    }
    run_with(&compile("silent", &stage("stage")), &Sandbox::start().unwrap());
}

/// In either order, since each has all of Rust's standard library in it.
#[test]
fn it_links_beside_another_rust_library_and_openssl_and_libcurl() {
    let stage = stage("stage");
    let host = folder().join(format!("libhost-{}.a", std::process::id()));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc.args(["--edition", "2021", "--crate-type", "staticlib", "-O", "-o"]).arg(&host);
    rustc.arg(root().join("tests/c/host.rs"));
    checked(rustc);
    let ours = stage.join("lib/libclazar_auth.a");
    for (name, archives) in [("host-first", [&host, &ours]), ("host-last", [&ours, &host])] {
        let mut compiler = compiler("cc", &stage);
        compiler.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L"]);
        compiler.arg(root().join("tests/c/host.c")).args(archives);
        compiler.args(["-lcurl", "-lssl", "-lcrypto", "-ldl", "-lm"]);
        run_with(&link(compiler, name), &Sandbox::start().unwrap());
    }
}

/// Else a program that is linked with the plugin and with the shared library would call the plugin's copy.
#[test]
fn a_plugin_keeps_the_static_library_in_it_to_itself() {
    let stage = stage("stage");
    let standard = ["-std=c99", "-D_POSIX_C_SOURCE=200809L"];
    let mut plugin = compiler("cc", &stage);
    plugin.args(standard).args(["-shared", "-fPIC"]).arg(root().join("tests/c/plugin.c"));
    plugin.arg(stage.join("lib/libclazar_auth.a"));
    // As docs/c.md says.
    plugin.args(["-Wl,--exclude-libs,libclazar_auth.a", "-ldl", "-lm"]);
    let plugin = link(plugin, "plugin.so");
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only"]).arg(&plugin);
    let offered = String::from_utf8(checked(nm).stdout).unwrap();
    assert!(offered.contains(" plugin_gets_a_token"), "{offered}");
    assert!(!offered.contains(" clazar_"), "{offered}");

    let mut host = compiler("cc", &stage);
    host.args(standard).arg(root().join("tests/c/plugin_host.c")).arg(&plugin);
    host.args(shared(&stage)).arg("-ldl");
    let sandbox = Sandbox::start().unwrap();
    run_with(&link(host, "plugin-host"), &sandbox);
    assert_eq!(sandbox.requests("/authenticate/"), 2);
}
