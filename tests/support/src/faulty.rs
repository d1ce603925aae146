//! A server that misbehaves at each layer, step by step, and another way from one moment to the next on the same
//! port.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, SanType};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde::Deserialize;
use socket2::{Domain, Socket, Type};

use crate::certificates::{Authority, VALID, sign_by_itself};
use crate::server::{Server, Wire, end_listening, ok, read_request};
use crate::wait_until;

/// Between two bytes of one that is slow.
const SLOWLY: Duration = Duration::from_millis(200);
/// More than anybody reads.
const ENDLESS: usize = 256 * 1024 * 1024;

/// What a server does on a connection, one after the other; at the end it closes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reads what comes first.
    Receive,
    /// Reads a request.
    Read,
    /// Says nothing until the client goes.
    Silence,
    /// From now on sends a byte at a time.
    Slowly,
    /// Ends the connection with RST.
    Reset,
    /// Sends no more.
    #[serde(rename = "half close")]
    HalfClose,
    /// Ends TLS as it should.
    CloseNotify,
    /// Goes on over TLS, with a certificate by this name; see [`Certificates`].
    Tls(String),
    /// Sends no more than so many bytes, below TLS, and then closes.
    Cut(usize),
    /// Sends a text.
    Send(String),
    /// Sends bytes in hexadecimal.
    Hex(String),
    /// Sends bytes in hexadecimal below TLS.
    Raw(String),
    /// Sends a 200 answer with this body.
    Ok(String),
    /// Sends a text so many times.
    Many(String, usize),
    /// Sends a text for as long as anybody listens.
    Endless(String),
}

/// Good and bad ones, of one authority or of another.
pub struct Certificates {
    authority: Authority,
    configs: HashMap<&'static str, Arc<ServerConfig>>,
}

impl Certificates {
    /// Made for one run.
    pub fn new() -> Self {
        let (authority, other) = (Authority::new("faults"), Authority::new("unknown"));
        let host = &["127.0.0.1"];
        let odd = |change: fn(&mut CertificateParams)| {
            let mut params = CertificateParams::new([host[0].to_owned()]).unwrap();
            change(&mut params);
            authority.sign(params)
        };
        let configs = [
            ("good", authority.configure(host, VALID)),
            ("expired", authority.configure(host, [2020, 2021])),
            ("future", authority.configure(host, [2119, 2120])),
            ("other name", authority.configure(&["example.com"], VALID)),
            ("other address", authority.configure(&["127.0.0.2"], VALID)),
            ("unknown authority", other.configure(host, VALID)),
            ("self-signed", sign_by_itself(IsCa::ExplicitNoCa).1),
            ("common name", odd(name_it_commonly)),
            ("authority", odd(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
            ("missing intermediate", authority.intermediate(host, false)),
            ("intermediate", authority.intermediate(host, true)),
            (
                "client",
                odd(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            ),
        ];
        let configs = configs.map(|(name, config)| (name, Arc::new(config)));
        Self { authority, configs: configs.into() }
    }

    /// Of the authority that is to be trusted.
    pub fn ca_file(&self) -> &Path {
        &self.authority.pem_file
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn name_it_commonly(params: &mut CertificateParams) {
    params.subject_alt_names = Vec::<SanType>::new();
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
}

/// A port of loopback at which nobody listens, or a server that can be put in the place of another.
pub struct FaultyServer {
    /// Keeps the port while nobody listens.
    port: Socket,
    server: Option<Server>,
    received: Arc<Mutex<Vec<Received>>>,
    /// What fills the queue of a listener that accepts nobody.
    full: Vec<Socket>,
}

impl FaultyServer {
    /// Nobody listens yet.
    pub fn new() -> Self {
        let port = socket();
        port.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        Self { port, server: None, received: Arc::default(), full: Vec::new() }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.port.local_addr().unwrap().as_socket().unwrap()
    }

    /// From now on connections are refused.
    pub fn refuse(&mut self) {
        self.server = None;
        self.received = Arc::default();
        self.full.drain(..).for_each(|socket| end_listening(&socket));
    }

    /// From now on packets get no answer.
    pub fn swallow(&mut self) {
        self.refuse();
        let listener = self.listener(0);
        self.full.push(listener);
        // One is taken, and the next ones wait for it in vain; both remain while it does.
        for _ in 0..4 {
            let client = socket();
            client.set_nonblocking(true).unwrap();
            let _ = client.connect(&self.address().into());
            self.full.push(client);
        }
    }

    /// From now on runs `serve` for each connection.
    pub fn serve(
        &mut self,
        serve: impl Fn(&mut Connection) -> io::Result<()> + Clone + Send + 'static,
    ) {
        self.refuse();
        let listener = TcpListener::from(self.listener(128));
        let received = self.received.clone();
        self.server = Some(Server::of(listener, move |stream, _| {
            let record = Record::new(&received);
            // What goes wrong ends the connection.
            let _ = serve(&mut Connection::new(stream, record.clone()));
            record.end();
        }));
    }

    /// From now on takes these steps on each connection.
    pub fn take(&mut self, steps: Vec<Step>, certificates: &Arc<Certificates>) {
        let certificates = certificates.clone();
        self.serve(move |connection| connection.take_all(&steps, &certificates));
    }

    /// How many came since the last change.
    pub fn connections(&self) -> usize {
        self.server.as_ref().map_or(0, Server::connections)
    }

    /// What came since the last change, once all connections have ended.
    pub fn received(&self) -> Vec<Received> {
        wait_until(|| self.received.lock().unwrap().iter().all(|it| it.is_over));
        self.received.lock().unwrap().clone()
    }

    fn listener(&self, backlog: i32) -> Socket {
        let listener = socket();
        listener.bind(&self.address().into()).unwrap();
        listener.listen(backlog).unwrap();
        listener
    }
}

impl Default for FaultyServer {
    fn default() -> Self {
        Self::new()
    }
}

/// One that may have a port together with others of its kind.
fn socket() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket
}

/// What came on a connection.
#[derive(Clone, Default)]
pub struct Received {
    /// As it came.
    pub raw: Vec<u8>,
    /// What was in it, where it was TLS.
    pub decrypted: Vec<u8>,
    is_over: bool,
}

/// Where it is noted.
#[derive(Clone)]
struct Record {
    all: Arc<Mutex<Vec<Received>>>,
    at: usize,
}

impl Record {
    fn new(all: &Arc<Mutex<Vec<Received>>>) -> Self {
        let mut received = all.lock().unwrap();
        received.push(Received::default());
        Self { all: all.clone(), at: received.len() - 1 }
    }

    fn note(&self, note: impl FnOnce(&mut Received)) {
        note(&mut self.all.lock().unwrap()[self.at]);
    }

    fn end(&self) {
        self.note(|received| received.is_over = true);
    }
}

/// A connection as a server has it.
pub struct Connection {
    layer: Layer,
    record: Record,
}

enum Layer {
    Plain(Limited),
    Tls(Box<StreamOwned<ServerConnection, Limited>>),
    /// While it is made one over TLS.
    Nothing,
}

impl Connection {
    fn new(stream: TcpStream, record: Record) -> Self {
        let socket = Limited { stream, slowly: false, left: usize::MAX, record: record.clone() };
        Self { layer: Layer::Plain(socket), record }
    }

    /// Takes these steps, one after the other.
    pub fn take_all(&mut self, steps: &[Step], certificates: &Certificates) -> io::Result<()> {
        steps.iter().try_for_each(|step| self.take(step, certificates))
    }

    fn take(&mut self, step: &Step, certificates: &Certificates) -> io::Result<()> {
        match step {
            Step::Receive => self.read(&mut [0; 65_536]).map(drop)?,
            Step::Read => drop(read_request(self).ok_or(io::ErrorKind::UnexpectedEof)?),
            Step::Silence => drop(io::copy(self, &mut io::sink())),
            Step::Slowly => self.socket().slowly = true,
            Step::Cut(length) => self.socket().left = *length,
            Step::Reset => rustix::net::connect_unspec(&self.socket().stream)?,
            Step::HalfClose => self.socket().stream.shutdown(Shutdown::Write)?,
            Step::CloseNotify => self.close_notify()?,
            Step::Tls(name) => self.start_tls(certificates.configs[name.as_str()].clone())?,
            Step::Send(text) => self.send(text.as_bytes())?,
            Step::Hex(digits) => self.send(&bytes(digits))?,
            Step::Raw(digits) => self.socket().write_all(&bytes(digits))?,
            Step::Ok(body) => self.send(ok(body).as_bytes())?,
            Step::Many(text, times) => self.send(text.repeat(*times).as_bytes())?,
            Step::Endless(text) => {
                let some = text.repeat(1000);
                for _ in 0..ENDLESS / some.len() {
                    self.send(some.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let Layer::Plain(mut socket) = std::mem::replace(&mut self.layer, Layer::Nothing) else {
            panic!("TLS has begun")
        };
        let mut connection = ServerConnection::new(config).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        self.layer = Layer::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok(())
    }

    fn close_notify(&mut self) -> io::Result<()> {
        let Layer::Tls(stream) = &mut self.layer else { panic!("this is not TLS") };
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.flush()
    }

    fn wire(&mut self) -> &mut dyn Wire {
        match &mut self.layer {
            Layer::Plain(socket) => socket,
            Layer::Tls(stream) => stream,
            Layer::Nothing => panic!("the handshake failed"),
        }
    }

    fn socket(&mut self) -> &mut Limited {
        match &mut self.layer {
            Layer::Plain(socket) => socket,
            Layer::Tls(stream) => &mut stream.sock,
            Layer::Nothing => panic!("the handshake failed"),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.wire().read(room)?;
        if matches!(self.layer, Layer::Tls(_)) {
            self.record.note(|received| received.decrypted.extend(&room[..length]));
        }
        Ok(length)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire().flush()
    }
}

/// A socket that may be slow, or end before all is said.
struct Limited {
    stream: TcpStream,
    slowly: bool,
    left: usize,
    record: Record,
}

impl Read for Limited {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(room)?;
        self.record.note(|received| received.raw.extend(&room[..length]));
        Ok(length)
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = if self.slowly { 1 } else { self.left };
        let written = self.stream.write(&bytes[..bytes.len().min(most)])?;
        if self.slowly {
            thread::sleep(SLOWLY);
        }
        self.left -= written;
        if self.left == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(written) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| *digit != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
