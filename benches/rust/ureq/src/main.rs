//! A plain ureq snippet, as ureq's documentation writes it: agent and roots are made once, connections are not kept.

use std::fs;

use protocol::{Subject, variable};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
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

struct Snippet {
    agent: Agent,
    url: String,
    client_id: String,
    client_secret: String,
}

impl Snippet {
    fn new() -> Self {
        let bundle = fs::read(variable("SSL_CERT_FILE")).unwrap();
        let roots: Vec<_> = CertificateDer::pem_slice_iter(&bundle)
            .map(|root| Certificate::from_der(&root.unwrap()).to_owned())
            .collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
        let config = Agent::config_builder().tls_config(tls).max_idle_connections(0).build();
        let [url, client_id, client_secret] =
            ["CLAZAR_AUTH_URL", "CLAZAR_CLIENT_ID", "CLAZAR_CLIENT_SECRET"].map(variable);
        Self { agent: config.into(), url, client_id, client_secret }
    }

    fn token(&self) -> Result<Token, ureq::Error> {
        let body = Request { client_id: &self.client_id, client_secret: &self.client_secret };
        self.agent.post(&self.url).send_json(&body)?.body_mut().read_json()
    }
}

impl Subject for Snippet {
    fn authorization(&self) -> Result<String, String> {
        let token = self.token().map_err(|error| error.to_string())?;
        Ok(format!("Bearer {}", token.access_token))
    }

    fn request(&self) {
        self.token().unwrap();
    }
}

fn main() {
    protocol::run(Snippet::new);
}
