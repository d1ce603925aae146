//! What is compared: a plain ureq snippet, and the provider in Rust.

use std::io::{self, BufRead};
use std::time::Duration;
use std::{env, fs};

use clazar_auth::{Credentials, Options, TokenProvider};
use rustix::time::{ClockId, clock_gettime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

#[derive(Serialize)]
struct Request<'a> {
    client_id: &'a str,
    client_secret: &'a str,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// As ureq's own documentation does it; agent and roots are made once, connections are not kept.
pub fn snippet() -> impl FnMut() {
    let bundle = fs::read(variable("SSL_CERT_FILE")).unwrap();
    let roots: Vec<_> = CertificateDer::pem_slice_iter(&bundle)
        .map(|root| Certificate::from_der(&root.unwrap()).to_owned())
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
    let config = Agent::config_builder().tls_config(tls).max_idle_connections(0).build();
    let agent: Agent = config.into();
    let [url, client_id, client_secret] =
        ["CLAZAR_AUTH_URL", "CLAZAR_CLIENT_ID", "CLAZAR_CLIENT_SECRET"].map(variable);
    move || {
        let body = Request { client_id: &client_id, client_secret: &client_secret };
        let mut response = agent.post(&url).send_json(&body).unwrap();
        let token: Token = response.body_mut().read_json().unwrap();
        assert_eq!(token.access_token.len(), 1000);
    }
}

/// A provider that is asked for a new token each time.
pub fn provider() -> impl FnMut() {
    let options = Options::from_env().unwrap();
    let credentials = Credentials::from_env().unwrap();
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    move || assert_eq!(provider.refresh().unwrap().value().len(), 1000)
}

/// For each number that comes as a line, makes so many requests and prints what they cost.
pub fn measure(mut request: impl FnMut()) {
    for line in io::stdin().lock().lines() {
        let requests: u32 = line.unwrap().parse().unwrap();
        let before = Cost::so_far();
        (0..requests).for_each(|_| request());
        let after = Cost::so_far();
        println!(
            "{} {} {}",
            (after.processor - before.processor).as_nanos(),
            after.faults - before.faults,
            (after.clock - before.clock).as_nanos(),
        );
    }
}

struct Cost {
    processor: Duration,
    clock: Duration,
    faults: u64,
}

impl Cost {
    fn so_far() -> Self {
        let read = |id| Duration::try_from(clock_gettime(id)).unwrap();
        // proc_pid_stat(5): the tenth field; the second, in brackets, may hold spaces.
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let faults = fields.split(' ').nth(7).unwrap().parse().unwrap();
        Self { processor: read(ClockId::ProcessCPUTime), clock: read(ClockId::Monotonic), faults }
    }
}
