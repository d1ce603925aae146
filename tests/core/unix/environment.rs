//! The constructors that read the environment, in processes of their own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Error, Options, TokenProvider, authenticate};

use crate::result_of;

/// What a process of its own prints of `constructor`, with these variables and no others of ours.
fn in_child(constructor: &str, variables: &[(&str, &[u8])]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "unix::environment::child", "--ignored", "--nocapture"]);
    for name in ["CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "AUTH_URL", "STORE"] {
        command.env_remove(format!("CLAZAR_{name}"));
    }
    command.env("TEST_CONSTRUCTOR", constructor);
    command.envs(variables.iter().map(|(name, value)| (name, OsStr::from_bytes(value))));
    result_of(&mut command)
}

#[test]
#[ignore = "the other half of in_child"]
fn child() {
    let Ok(constructor) = std::env::var("TEST_CONSTRUCTOR") else { return };
    let url = std::env::var("TEST_URL").unwrap_or_default();
    let token = || -> Result<_, Error> {
        match constructor.as_str() {
            "TokenProvider" => Ok(TokenProvider::from_env()?.token()?.value().to_owned()),
            "Credentials" => {
                let options = Options::default().auth_url(url);
                Ok(authenticate(&Credentials::from_env()?, &options)?.value().to_owned())
            }
            "Options" => {
                let credentials = Credentials::new("sandbox-client", "wrong").unwrap();
                Ok(authenticate(&credentials, &Options::from_env()?)?.value().to_owned())
            }
            other => panic!("{other}"),
        }
    };
    let result = token().map_or_else(|error| error.to_string(), |_| "a token".to_owned());
    println!("result: {result}");
}

#[test]
fn each_constructor_reads_what_is_its_own() {
    let sandbox = Sandbox::start().unwrap();
    let (url, id, secret) = (sandbox.auth_url(), sandbox.client_id(), sandbox.client_secret());
    let id = ("CLAZAR_CLIENT_ID", id.as_bytes());
    let secret = ("CLAZAR_CLIENT_SECRET", secret.as_bytes());
    let ours = ("CLAZAR_AUTH_URL", url.as_bytes());
    assert_eq!(in_child("TokenProvider", &[id, secret, ours]), "a token");

    // The URL is none of the credentials.
    let elsewhere = ("CLAZAR_AUTH_URL", b"no URL".as_slice());
    let url = ("TEST_URL", url.as_bytes());
    assert_eq!(in_child("Credentials", &[id, secret, elsewhere, url]), "a token");
    let printed = in_child("Credentials", &[id, url]);
    assert!(printed.contains("no client secret was given"), "{printed}");

    // Neither are the credentials options.
    let printed = in_child("Options", &[id, secret, ours]);
    assert!(printed.contains("refused the client id or secret"), "{printed}");
    assert_eq!(sandbox.requests("/authenticate/"), 3);
}

#[test]
fn a_variable_must_be_utf_8() {
    for (constructor, name) in [
        ("TokenProvider", "CLAZAR_CLIENT_SECRET"),
        ("Credentials", "CLAZAR_CLIENT_ID"),
        ("Options", "CLAZAR_AUTH_URL"),
    ] {
        let printed = in_child(constructor, &[(name, b"not-\xff-text")]);
        assert_eq!(printed, format!("{name} is not valid UTF-8; set it again"));
    }
}
