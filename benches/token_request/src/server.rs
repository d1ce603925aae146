//! The API's side: TLS, one request, one token, and the end of the connection.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// As long as the tokens of the real API.
const TOKEN_LENGTH: usize = 1000;

/// Prints its port, and serves one connection after the other for as long as its standard input is open.
pub fn serve() {
    let config = Arc::new(configuration());
    let answer = answer();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        // A subject that fails says so itself.
        let _ = talk(stream.unwrap(), config.clone(), &answer);
    }
}

fn configuration() -> ServerConfig {
    let variable = |name| env::var(name).unwrap();
    let certificate = CertificateDer::from_pem_slice(variable("CERTIFICATE").as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(variable("KEY").as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    // Token requests are hours apart, so none resumes the TLS session of another.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

fn answer() -> Vec<u8> {
    let payload = r#"{"sub":"not-a-real-client","iat":1000000000,"exp":1000086400}"#;
    let mut token = format!("e30.{}.", BASE64_URL_SAFE_NO_PAD.encode(payload));
    token.push_str(&"not-a-real-signature".repeat(TOKEN_LENGTH / 20)[..TOKEN_LENGTH - token.len()]);
    let body = format!(r#"{{"access_token":"{token}","token_type":"bearer","expires_in":86400}}"#);
    format!(
        "HTTP/1.1 200 OK\r\nServer: not-a-real-server\r\nContent-Type: application/json\r\n\
         Cache-Control: no-store\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn talk(stream: TcpStream, config: Arc<ServerConfig>, answer: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    // The only brace of that kind is the last byte of the body.
    while !request.ends_with(b"}") {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(answer)?;
    stream.conn.send_close_notify();
    stream.conn.complete_io(&mut stream.sock).map(drop)
}
