//! A Redis that misbehaves at one of the commands of the store: a real one, and what stands before it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_support::faulty::{Certificates, Connection, FaultyServer, Received, Step};
use test_support::redis::{PASSWORD, Redis};

const SCRIPTS: [(&str, &str); 4] = [
    ("look", include_str!("../../src/store/redis/look.lua")),
    ("lock", include_str!("../../src/store/redis/lock.lua")),
    ("replace", include_str!("../../src/store/redis/replace.lua")),
    ("release", include_str!("../../src/store/redis/release.lua")),
];

/// What stands before Redis.
pub struct FaultyRedis {
    server: FaultyServer,
    relay: Relay,
}

impl FaultyRedis {
    /// Over TLS if `secure`.
    pub fn before(redis: &Redis, certificates: &Arc<Certificates>, secure: bool) -> Self {
        let certificate = secure.then(|| "good".to_owned());
        let certificates = certificates.clone();
        let relay = Relay {
            port: redis.port(),
            certificates,
            certificate,
            fault: None,
            gone_wrong: Arc::default(),
        };
        let mut faulty = Self { server: FaultyServer::new(), relay };
        faulty.serve(None);
        faulty
    }

    pub fn url(&self) -> String {
        let scheme = if self.relay.certificate.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://:{PASSWORD}@{}/2", self.server.address())
    }

    /// From now on this command goes wrong, in this way; or none does.
    pub fn serve(&mut self, fault: Option<[String; 2]>) {
        match fault.as_ref().map(|[command, way]| (command.as_str(), way.as_str())) {
            Some(("connect", "refused")) => {
                self.relay.gone_wrong.store(true, Ordering::Relaxed);
                self.server.refuse();
            }
            Some(("TLS", certificate)) => {
                self.relay.gone_wrong.store(true, Ordering::Relaxed);
                let certificate = Some(certificate.to_owned());
                let relay = Relay { certificate, ..self.relay.clone() };
                self.server.serve(move |client| relay.run(client));
            }
            _ => {
                let relay = Relay { fault, ..self.relay.clone() };
                self.server.serve(move |client| relay.run(client));
            }
        }
    }

    /// Whether the command was called; what the server does to each connection is not counted.
    pub fn has_gone_wrong(&self) -> bool {
        self.relay.gone_wrong.load(Ordering::Relaxed)
    }

    /// What came since the last change.
    pub fn received(&self) -> Vec<Received> {
        self.server.received()
    }
}

#[derive(Clone)]
struct Relay {
    /// Of Redis.
    port: u16,
    certificates: Arc<Certificates>,
    /// Where it is over TLS.
    certificate: Option<String>,
    fault: Option<[String; 2]>,
    gone_wrong: Arc<AtomicBool>,
}

impl Relay {
    /// Passes commands on one by one, until one goes wrong or an end is closed.
    fn run(&self, client: &mut Connection) -> io::Result<()> {
        if let Some(certificate) = &self.certificate {
            client.take_all(&[Step::Tls(certificate.clone())], &self.certificates)?;
        }
        if let Some(way) = self.way("connect") {
            return self.spoil(client, way);
        }
        let mut redis = TcpStream::connect(("127.0.0.1", self.port))?;
        loop {
            let command = message(client)?;
            match self.way(name_of(&command)) {
                Some(way) if way.starts_with('-') => self.spoil(client, way)?,
                Some(way) => {
                    // What is late or lost is done all the same.
                    redis.write_all(&command)?;
                    message(&mut redis)?;
                    return self.spoil(client, way);
                }
                None => {
                    redis.write_all(&command)?;
                    client.write_all(&message(&mut redis)?)?;
                    client.flush()?;
                }
            }
        }
    }

    /// How this command goes wrong, if it does.
    fn way(&self, name: &str) -> Option<&str> {
        let fault = self.fault.as_ref().filter(|[command, _]| command == name);
        fault.map(|[_, way]| way.as_str())
    }

    fn spoil(&self, client: &mut Connection, way: &str) -> io::Result<()> {
        self.gone_wrong.store(true, Ordering::Relaxed);
        let send = |text: &str| Step::Send(text.to_owned());
        let steps = match way {
            error if error.starts_with('-') => vec![send(&format!("{error}\r\n"))],
            "lost" => Vec::new(),
            "late" => vec![Step::Silence],
            "slow" => vec![Step::Slowly, send("$60\r\n"), Step::Many("x".into(), 60)],
            "garbled" => vec![send("HTTP/1.1 400 Bad Request\r\n\r\n")],
            "large" => vec![send("*6\r\n:1\r\n:1\r\n$70000\r\n"), Step::Many("x".into(), 70_000)],
            "deep" => vec![Step::Many("*1\r\n".into(), 10_000), send(":1\r\n")],
            _ => panic!("{way} is no way to go wrong"),
        };
        client.take_all(&steps, &self.certificates)
    }
}

fn name_of(command: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(command);
    let script = SCRIPTS.iter().find(|(_, script)| text.contains(script));
    let plain =
        ["AUTH", "SELECT"].into_iter().find(|name| text.contains(&format!("\r\n{name}\r\n")));
    script.map(|(name, _)| *name).or(plain).unwrap_or("another")
}

/// A command or an answer, as it came (RESP2).
fn message(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    let mut left = 1;
    while left > 0 {
        let from = message.len();
        read_line(input, &mut message)?;
        let number: i64 =
            String::from_utf8_lossy(&message[from + 1..]).trim_end().parse().unwrap_or(0);
        left -= 1;
        match message[from] {
            b'*' => left += number.max(0),
            b'$' if number >= 0 => {
                let from = message.len();
                message.resize(from + number as usize + 2, 0);
                input.read_exact(&mut message[from..])?;
            }
            _ => {}
        }
    }
    Ok(message)
}

/// A byte at a time: what follows is of the next message.
fn read_line(input: &mut impl Read, line: &mut Vec<u8>) -> io::Result<()> {
    let mut byte = [0];
    while byte[0] != b'\n' {
        input.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(())
}
