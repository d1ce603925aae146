//! Stands in for the API: TLS, one request, one token, and the end of the connection. It obeys
//! the lines that it reads; to `count` it answers how many token requests there were since the last `count`.

use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, SystemTime};
use std::{env, process};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// As long as the tokens of the real API, so that the header has 1,007 characters.
const TOKEN_LENGTH: usize = 1000;

struct Server {
    tls: Arc<ServerConfig>,
    delay_ms: AtomicU64,
    lifetime: AtomicU64,
    is_out: AtomicBool,
    requests: AtomicU64,
}

fn main() {
    let server = Arc::new(Server {
        tls: Arc::new(configuration()),
        delay_ms: AtomicU64::new(0),
        lifetime: AtomicU64::new(86_400),
        is_out: AtomicBool::new(false),
        requests: AtomicU64::new(0),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let obeying = server.clone();
    thread::spawn(move || obeying.obey());
    for stream in listener.incoming() {
        let (server, stream) = (server.clone(), stream.unwrap());
        // A subject that fails says so itself.
        thread::spawn(move || server.talk(stream));
    }
}

fn configuration() -> ServerConfig {
    let variable = |name| env::var(name).unwrap();
    let certificate = CertificateDer::from_pem_file(variable("CERTIFICATE")).unwrap();
    let key = PrivateKeyDer::from_pem_file(variable("KEY")).unwrap();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    // Token requests are hours apart, so none resumes the TLS session of another.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

impl Server {
    /// For as long as the standard input is open.
    fn obey(&self) {
        for line in io::stdin().lock().lines() {
            let line = line.unwrap();
            let (word, number) = line.split_once(' ').unwrap_or((&line, "0"));
            let number = number.parse().unwrap();
            match word {
                "delay" => self.delay_ms.store(number, SeqCst),
                "lifetime" => self.lifetime.store(number, SeqCst),
                "outage" => self.is_out.store(number == 1, SeqCst),
                "count" => println!("{}", self.requests.swap(0, SeqCst)),
                other => panic!("{other} is no command"),
            }
        }
        process::exit(0);
    }

    fn talk(&self, stream: TcpStream) -> io::Result<()> {
        if self.is_out.load(SeqCst) {
            return Ok(());
        }
        stream.set_nodelay(true)?;
        let mut stream = StreamOwned::new(ServerConnection::new(self.tls.clone()).unwrap(), stream);
        let request = read(&mut stream)?;
        let body = if request.starts_with("GET ") {
            discovery(&request)
        } else {
            self.requests.fetch_add(1, SeqCst);
            thread::sleep(Duration::from_millis(self.delay_ms.load(SeqCst)));
            self.token()
        };
        stream.write_all(answer(&body).as_bytes())?;
        stream.conn.send_close_notify();
        stream.conn.complete_io(&mut stream.sock).map(drop)
    }

    /// At its end stands when it dies, in milliseconds of Unix time.
    fn token(&self) -> String {
        let lifetime = self.lifetime.load(SeqCst);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let (from, until) = (now.as_secs(), now.as_secs() + lifetime);
        let payload = format!(r#"{{"sub":"not-a-real-client","iat":{from},"exp":{until}}}"#);
        let mut token = format!("e30.{}.", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let death = (now + Duration::from_secs(lifetime)).as_millis().to_string();
        let room = TOKEN_LENGTH - token.len() - death.len();
        token.extend("not-a-real-signature".chars().cycle().take(room));
        token.push_str(&death);
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{lifetime}}}"#)
    }
}

/// One request, its header and its body.
fn read(stream: &mut impl Read) -> io::Result<String> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request);
        if let Some((header, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(header)
        {
            return Ok(text.into_owned());
        }
    }
}

fn content_length(header: &str) -> usize {
    field(header, "content-length").map_or(0, |length| length.parse().unwrap())
}

fn field<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    let fields = header.lines().filter_map(|line| line.split_once(':'));
    fields
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim())
        .next()
}

/// What msal asks for first (OpenID Connect Discovery).
fn discovery(request: &str) -> String {
    let issuer = format!("https://{}", field(request, "host").unwrap_or_default());
    format!(
        r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/authenticate/"}}"#
    )
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nDate: {}\r\nServer: not-a-real-server\r\nContent-Type: application/json\r\n\
         Cache-Control: no-store\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        httpdate::fmt_http_date(SystemTime::now()),
        body.len()
    )
}
