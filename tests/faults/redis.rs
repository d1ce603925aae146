//! A Redis that misbehaves at one of the commands of the store: a real one, and what stands before it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use test_support::faulty::FaultyServer;
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
    port: u16,
}

impl FaultyRedis {
    pub fn before(redis: &Redis) -> Self {
        let mut faulty = Self { server: FaultyServer::new(), port: redis.port() };
        faulty.serve(None);
        faulty
    }

    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@{}/2", self.server.address())
    }

    /// From now on this command goes wrong, in this way; or none does.
    pub fn serve(&mut self, fault: Option<&[String; 2]>) {
        let port = self.port;
        let fault = fault.cloned();
        match fault.as_ref().map(|[command, way]| (command.as_str(), way.as_str())) {
            Some(("connect", "refused")) => self.server.refuse(),
            _ => self.server.serve(move |client, _| drop(relay(client, port, fault.as_ref()))),
        }
    }
}

/// Passes commands on one by one, until one goes wrong or an end is closed.
fn relay(mut client: TcpStream, port: u16, fault: Option<&[String; 2]>) -> io::Result<()> {
    let mut commands = BufReader::new(client.try_clone()?);
    let mut redis = TcpStream::connect(("127.0.0.1", port))?;
    let mut answers = BufReader::new(redis.try_clone()?);
    if let Some([command, way]) = fault.filter(|[command, _]| command == "connect") {
        return spoil(&mut client, command, way);
    }
    loop {
        let command = message(&mut commands)?;
        let name = name_of(&command);
        match fault.filter(|[faulty, _]| faulty == name) {
            Some([_, way]) if way == "refused" => spoil(&mut client, name, way)?,
            Some([_, way]) => {
                // What is late or lost is done all the same.
                redis.write_all(&command)?;
                message(&mut answers)?;
                return spoil(&mut client, name, way);
            }
            None => {
                redis.write_all(&command)?;
                client.write_all(&message(&mut answers)?)?;
            }
        }
    }
}

fn spoil(client: &mut TcpStream, command: &str, way: &str) -> io::Result<()> {
    match way {
        "refused" if command == "AUTH" => client.write_all(b"-WRONGPASS invalid\r\n"),
        "refused" => client.write_all(b"-NOPERM this user has no permissions\r\n"),
        "lost" => Ok(()),
        "late" => io::copy(client, &mut io::sink()).map(drop),
        "garbled" => client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "large" => {
            client.write_all(b"*6\r\n:1\r\n:1\r\n$70000\r\n")?;
            client.write_all(&[b'x'; 70_000])
        }
        _ => panic!("{way} is no way to go wrong"),
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
fn message(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    let mut left = 1;
    while left > 0 {
        let from = message.len();
        if input.read_until(b'\n', &mut message)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
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
