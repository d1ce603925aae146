//! Lets `fuzz/` call private functions: what a server of Redis can answer.

use std::io::{self, Read};

use super::answer::Answer;
use super::failure::Failure;
use super::looked::looked;
use super::redirection::{self, Redirection};
use super::url::RedisUrl;
use crate::error::Error;
use crate::request::url::Origin;
use crate::text::{LONGEST, printable};

/// Reads an answer of which no more than `piece` bytes come at once, and writes it again.
pub fn answer(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
    Answer::read(Pieces { bytes, piece }).map(|answer| written(&answer))
}

struct Pieces<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = room.len().min(self.piece);
        self.bytes.read(&mut room[..most])
    }
}

fn written(answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::Done => b"+OK\r\n".to_vec(),
        Answer::Number(number) => format!(":{number}\r\n").into(),
        Answer::Bytes(bytes) => {
            [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        }
        Answer::List(items) => {
            items.iter().fold(format!("*{}\r\n", items.len()).into(), |all, item| {
                [all, written(item)].concat()
            })
        }
        Answer::Nothing => b"*-1\r\n".to_vec(),
        Answer::Error(text) => format!("-{text}\r\n").into(),
    }
}

/// The blobs in an answer to a look, and how long each is kept.
pub fn look(bytes: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let (_now, items) = looked(Answer::read(bytes).ok()?)?;
    Some(items.into_iter().map(|item| item.map(|item| item.blob)).collect())
}

/// What is said of a command that was answered with this error.
pub fn refusal(command: &str, text: &str) -> String {
    printable(&Failure::refusal(command, text).words, LONGEST)
}

/// Where a node of a cluster at `at` says that the keys are.
pub fn redirection(text: &str, at: &str) -> Option<(String, u16)> {
    let at = Origin::parse(at, 0).expect("it is a host and a port");
    let origin = Redirection::parse(text, &at)?.origin;
    Some((origin.host().to_owned(), origin.port()))
}

/// Where a sentinel says that the master is.
pub fn master(host: &[u8], port: &[u8]) -> Option<(String, u16)> {
    redirection::origin(host, port).map(|origin| (origin.host().to_owned(), origin.port()))
}

/// What the URL of a store means.
pub struct Url {
    /// Without what is secret.
    pub location: String,
    /// Hosts and ports.
    pub origins: Vec<(String, u16)>,
    /// Decoded.
    pub user: Option<String>,
    /// Decoded.
    pub password: Option<String>,
    /// By its number.
    pub database: u32,
}

/// Reads the URL of a store.
pub fn url(text: &str) -> Result<Url, Error> {
    let url = RedisUrl::parse(text)?;
    let origins = url.origins.iter().map(|origin| (origin.host().to_owned(), origin.port()));
    Ok(Url {
        location: url.location(),
        origins: origins.collect(),
        user: url.user.clone(),
        password: url.password.clone(),
        database: url.database,
    })
}
