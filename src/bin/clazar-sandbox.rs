//! Runs the sandbox as a program: it prints its URLs and credentials as one line of JSON, and runs until
//! its standard input ends.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clazar_auth::sandbox::Sandbox;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clazar-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let line = serde_json::json!({
        "url": sandbox.url(),
        "auth_url": sandbox.auth_url(),
        "client_id": sandbox.client_id(),
        "client_secret": sandbox.client_secret(),
    });
    writeln!(io::stdout(), "{line}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
