//! Programs with an event loop, which no call for a token may block.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;

use crate::programs::{
    Sanitizer, amount, checked, compile, compiler, link, root, run_case, run_with, shared, skipped,
    stage,
};

/// A thread for the request and one for all that wait, whom `close` tells as well.
#[test]
fn ten_thousand_wait_without_a_thread_of_their_own() {
    let (sandbox, silent) = (Sandbox::start().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    sandbox.set_delay(Duration::from_secs(2));
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    // valgrind runs one thread at a time.
    let calls = if Sanitizer::now() == Sanitizer::Valgrind { "300" } else { "10000" };
    let variables = [("TEST_AMOUNT", calls), ("TEST_SILENT_URL", &silent)];
    let output = run_case(&compile("async", &stage("stage")), &sandbox, &variables);
    print!("{}", String::from_utf8(output.stdout).unwrap());
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

/// What another library is compiled and linked with; `None` if it is not there.
fn flags(package: &str) -> Option<Vec<String>> {
    let mut command = Command::new("pkg-config");
    let output = command.args(["--cflags", "--libs", package]).output().unwrap();
    let flags = String::from_utf8(output.stdout).unwrap();
    let flags = flags.split_whitespace().map(str::to_owned).collect();
    if !output.status.success() {
        skipped("no loop of another library", &format!("{package} is not installed"));
    }
    output.status.success().then_some(flags)
}

#[test]
fn a_callback_wakes_the_loop_of_libuv() {
    let (Some(flags), stage) = (flags("libuv"), stage("stage")) else { return };
    let mut cc = compiler("cc", &stage);
    cc.arg("-std=gnu99").arg(root().join("tests/c/libuv.c")).args(shared(&stage)).args(flags);
    run_with(&link(cc, "libuv"), &Sandbox::start().unwrap());
}

#[test]
fn a_callback_wakes_the_loop_of_libcurl() {
    let (Some(flags), stage) = (flags("libcurl"), stage("stage")) else { return };
    let mut cc = compiler("cc", &stage);
    cc.arg("-std=gnu99").arg(root().join("examples/curl_multi.c")).args(shared(&stage)).args(flags);
    let program = link(cc, "curl-multi");
    let sandbox = Sandbox::start().unwrap();
    let mut command = Command::new(program);
    command.args(["/listings/", "/buyers/"].map(|path| format!("{}{path}", sandbox.url())));
    command.env("CLAZAR_AUTH_URL", sandbox.auth_url());
    command.env("CLAZAR_CLIENT_ID", sandbox.client_id());
    command.env("CLAZAR_CLIENT_SECRET", sandbox.client_secret());
    let output = String::from_utf8(checked(command).stdout).unwrap();
    assert!(output.contains("listings-1") && output.contains("buyers-1"), "{output}");
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

#[test]
fn a_coroutine_waits_and_blocks_no_thread() {
    let stage = stage("stage");
    for name in amount(&["g++", "clang++"][..], &["g++"]) {
        let mut compiler = compiler(name, &stage);
        compiler.arg("-std=c++20").arg(root().join("examples/coroutine.cpp")).args(shared(&stage));
        let program = link(compiler, &format!("coroutine-{name}"));
        let output = run_with(&program, &Sandbox::start().unwrap());
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("a token for "));
    }
}
