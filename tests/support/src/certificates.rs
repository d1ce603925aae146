//! Certificates made for one test.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Requests, Server, talk};

/// A private certificate authority; its PEM file goes when it does.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Where its certificate is.
    pub pem_file: PathBuf,
}

impl Authority {
    /// With a certificate of its own making.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = format!("clazar-auth-{name}-{}.pem", std::process::id());
        let pem_file = std::env::temp_dir().join(file);
        std::fs::write(&pem_file, certificate.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), pem_file }
    }

    /// A TLS configuration with a certificate for `names`, valid for `years`.
    pub(crate) fn configure(&self, names: &[&str], years: [i32; 2]) -> ServerConfig {
        let mut params = CertificateParams::new(owned(names)).unwrap();
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        self.sign(params)
    }

    /// A TLS configuration with a certificate as `params` have it.
    pub(crate) fn sign(&self, params: CertificateParams) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        configuration(&[&certificate], &key)
    }

    /// A TLS configuration with a certificate for `names` of an authority between; `is_sent` says whether a client
    /// is told of that one.
    pub(crate) fn intermediate(&self, names: &[&str], is_sent: bool) -> ServerConfig {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "between");
        let between = KeyPair::generate().unwrap();
        let intermediate = params.signed_by(&between, &self.issuer).unwrap();
        let (issuer, key) = (Issuer::new(params, between), KeyPair::generate().unwrap());
        let params = CertificateParams::new(owned(names)).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let chain = [&certificate, &intermediate];
        configuration(&chain[..if is_sent { 2 } else { 1 }], &key)
    }

    /// A certificate for `names` and its key, as PEM.
    pub fn certificate(&self, names: &[&str]) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(owned(names)).unwrap().signed_by(&key, &self.issuer);
        [certificate.unwrap().pem(), key.serialize_pem()]
    }

    /// A certificate, as PEM, for a key of that form (RFC 5208).
    pub fn certificate_of(&self, key: &str) -> String {
        let key = KeyPair::from_pem(key).unwrap();
        let certificate = CertificateParams::default().signed_by(&key, &self.issuer);
        certificate.unwrap().pem()
    }

    /// A server whose certificate comes from this authority until `moved` is set, then from `next`.
    pub fn server_that_moves_to(
        &self,
        next: &Self,
        moved: &Arc<AtomicBool>,
        answer: &str,
    ) -> Server {
        let configs = [self, next].map(|one| Arc::new(one.configure(&["127.0.0.1"], VALID)));
        let (moved, answer) = (moved.clone(), answer.to_owned());
        Server::new(move |stream, requests| {
            let config = &configs[usize::from(moved.load(Ordering::SeqCst))];
            serve(stream, requests, config.clone(), &answer);
        })
    }

    /// A server with a certificate for `names`, valid for `years`.
    pub fn server(&self, names: &[&str], years: [i32; 2], answer: &str) -> Server {
        serving(self.configure(names, years), answer)
    }

    /// A server with a certificate for 127.0.0.1 that `change` has made another.
    pub fn odd_server(&self, change: impl FnOnce(&mut CertificateParams), answer: &str) -> Server {
        let mut params = CertificateParams::new(owned(&["127.0.0.1"])).unwrap();
        change(&mut params);
        serving(self.sign(params), answer)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.pem_file);
    }
}

/// A server whose certificate is signed by its own key, and the file of that certificate.
pub fn self_signed(is_ca: IsCa, name: &str, answer: &str) -> (Server, PathBuf) {
    let (certificate, config) = sign_by_itself(is_ca);
    let file = format!("clazar-auth-{name}-{}.pem", std::process::id());
    let pem_file = std::env::temp_dir().join(file);
    std::fs::write(&pem_file, certificate.pem()).unwrap();
    (serving(config, answer), pem_file)
}

/// A TLS configuration with a certificate that is signed by its own key.
pub(crate) fn sign_by_itself(is_ca: IsCa) -> (Certificate, ServerConfig) {
    let mut params = CertificateParams::new(owned(&["127.0.0.1"])).unwrap();
    params.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = configuration(&[&certificate], &key);
    (certificate, config)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// With a certificate, and those of the authorities between.
fn configuration(chain: &[&Certificate], key: &KeyPair) -> ServerConfig {
    let chain = chain.iter().map(|certificate| certificate.der().clone()).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

fn serving(config: ServerConfig, answer: &str) -> Server {
    let (config, answer) = (Arc::new(config), answer.to_owned());
    Server::new(move |stream, requests| serve(stream, requests, config.clone(), &answer))
}

fn serve(stream: TcpStream, requests: &Requests, config: Arc<ServerConfig>, answer: &str) {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    talk(&mut stream, requests, answer.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
}

/// Years in which all tests run.
pub const VALID: [i32; 2] = [2020, 2120];
