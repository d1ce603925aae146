//! Serves as much of HTTP/1.1 (RFC 9112) as a sandbox needs.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use ureq::http::StatusCode;

use super::Answer;

const MOST_HEADERS: usize = 100;
const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;

pub(super) struct Request {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    pub(super) query: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    stays_open: bool,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&header.1)
    }

    /// The names and values in the query.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }
}

/// Answers the requests of one connection until it ends.
pub(super) fn serve(stream: TcpStream, answer: impl Fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection { stream, received: Vec::new() };
    while let Some(request) = connection.request()? {
        connection.respond(&request, &answer(&request))?;
        if !request.stays_open {
            break;
        }
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// What came and was not used yet.
    received: Vec<u8>,
}

impl Connection {
    /// The next request; `None` if the client hung up instead.
    fn request(&mut self) -> io::Result<Option<Request>> {
        let mut request = loop {
            if let Some((length, request)) = parse_head(&self.received)? {
                self.received.drain(..length);
                break request;
            }
            if self.received.len() > LONGEST_HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if !self.receive()? {
                return Ok(None);
            }
        };
        if request.header("expect").is_some() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = match request.header("transfer-encoding") {
            Some(_) => self.chunks()?,
            None => {
                let length = request.header("content-length").map_or(Ok(0), str::parse);
                self.take(length.map_err(|_| io::ErrorKind::InvalidData)?)?
            }
        };
        Ok(Some(request))
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.received) {
                    Ok(httparse::Status::Complete((start, size))) => break (start, size as usize),
                    Ok(httparse::Status::Partial) => self.need()?,
                    Err(_) => return Err(io::ErrorKind::InvalidData.into()),
                }
            };
            self.take(start)?;
            body.extend(self.take(size)?);
            self.take(2)?;
            if size == 0 {
                return Ok(body);
            }
            if body.len() > LONGEST_BODY {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// The next `count` bytes.
    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > LONGEST_BODY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while self.received.len() < count {
            self.need()?;
        }
        Ok(self.received.drain(..count).collect())
    }

    fn need(&mut self) -> io::Result<()> {
        if self.receive()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Whether more came.
    fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 8192];
        let count = self.stream.read(&mut bytes)?;
        self.received.extend_from_slice(&bytes[..count]);
        Ok(count > 0)
    }

    fn respond(&mut self, request: &Request, answer: &Answer) -> io::Result<()> {
        let reason = StatusCode::from_u16(answer.status).ok().and_then(|s| s.canonical_reason());
        let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason.unwrap_or("Unknown"));
        let date = httpdate::fmt_http_date(SystemTime::now());
        let length = answer.body.len().to_string();
        let own = [("Date", date), ("Content-Length", length)];
        let is_given =
            |name: &str| answer.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let own = own.iter().filter(|(name, _)| !is_given(name)).map(|(n, v)| (*n, v.as_str()));
        for (name, value) in answer.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(own)
        {
            head += &format!("{name}: {value}\r\n");
        }
        if !request.stays_open {
            head += "Connection: close\r\n";
        }
        let body: &[u8] = if request.method == "HEAD" { b"" } else { &answer.body };
        // One write, so that no client waits for a second packet.
        self.stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())
    }
}

/// The request line and the headers, and how many bytes they take; `None` if more is to come.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, Request)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: parsed.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
        body: Vec::new(),
        stays_open: parsed.version == Some(1),
    };
    if request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        request.stays_open = false;
    }
    Ok(Some((length, request)))
}
