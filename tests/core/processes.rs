//! One token for real processes, which share the folder of the file store.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, Store, TokenProvider};

use crate::store::Folder;

/// One that asks for a token once its input has ended.
fn start(sandbox: &Sandbox, folder: &Folder) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--ignored", "--nocapture"])
        .env("TEST_URL", sandbox.auth_url())
        .env("TEST_CLIENT_ID", sandbox.client_id())
        .env("TEST_CLIENT_SECRET", sandbox.client_secret())
        .env("TEST_FOLDER", &folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn eight_processes_make_one_request() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), Folder::new());
    sandbox.set_delay(Duration::from_millis(200));
    let mut children: Vec<_> = (0..8).map(|_| start(&sandbox, &folder)).collect();
    children.iter_mut().for_each(|child| drop(child.stdin.take()));
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("has a token"), "{said}");
    }
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

#[test]
#[ignore = "the other half of start"]
fn child() {
    let Ok(url) = std::env::var("TEST_URL") else { return };
    let [id, secret, folder] = ["TEST_CLIENT_ID", "TEST_CLIENT_SECRET", "TEST_FOLDER"]
        .map(|name| std::env::var(name).unwrap());
    let provider = TokenProvider::builder(Credentials::new(id, secret).unwrap())
        .options(Options::default().auth_url(url))
        .store(Store::folder(folder))
        .build()
        .unwrap();
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    provider.token().unwrap();
    println!("has a token");
}
