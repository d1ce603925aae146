//! As many authorities as a system trusts, one of which signed the server's certificate.

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const ROOTS: usize = 145;

/// A bundle of authorities, and the certificate for 127.0.0.1 and its key, all as PEM.
pub struct Pem {
    pub roots: String,
    pub certificate: String,
    pub key: String,
}

impl Pem {
    pub fn new() -> Self {
        let mut authorities: Vec<_> = (0..ROOTS).map(authority).collect();
        let roots = authorities.iter().map(|(root, _)| root.pem()).collect();
        let (_, issuer) = authorities.swap_remove(ROOTS / 2);
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self { roots, certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn authority(number: usize) -> (Certificate, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, format!("not a real authority {number}"));
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), Issuer::new(params, key))
}
