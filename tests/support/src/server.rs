//! Purpose-made loopback servers: each does one thing, well or badly, and counts who came.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use socket2::{SockRef, Socket};

/// What a server talks over: a socket, or TLS on one.
pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// The bytes of each request that came.
pub type Requests = Arc<Mutex<Vec<Vec<u8>>>>;

/// Listens on loopback, and ends with all its connections when it goes.
pub struct Server {
    listener: TcpListener,
    requests: Requests,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Runs `serve` for each connection to a port of `host`.
    pub fn on(host: &str, serve: impl Fn(TcpStream, &Requests) + Clone + Send + 'static) -> Self {
        Self::of(TcpListener::bind((host, 0)).unwrap(), serve)
    }

    /// Runs `serve` for each connection to `listener`.
    pub fn of(
        listener: TcpListener,
        serve: impl Fn(TcpStream, &Requests) + Clone + Send + 'static,
    ) -> Self {
        let (requests, connections) = (Requests::default(), Arc::<Mutex<Vec<_>>>::default());
        let stopping = Arc::new(AtomicBool::new(false));
        let accept = {
            let listener = listener.try_clone().unwrap();
            let (requests, connections) = (requests.clone(), connections.clone());
            let stopping = stopping.clone();
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if stopping.load(Ordering::SeqCst) {
                        break;
                    }
                    connections.lock().unwrap().push(stream.try_clone().unwrap());
                    let (serve, requests) = (serve.clone(), requests.clone());
                    thread::spawn(move || {
                        let whole = stream.try_clone().unwrap();
                        serve(stream, &requests);
                        let _ = whole.shutdown(Shutdown::Both);
                    });
                }
            }
        };
        let thread = Some(thread::spawn(accept));
        Self { listener, requests, connections, stopping, thread }
    }

    /// Runs `serve` for each connection.
    pub fn new(serve: impl Fn(TcpStream, &Requests) + Clone + Send + 'static) -> Self {
        Self::on("127.0.0.1", serve)
    }

    /// Reads one request on each connection and answers with exactly `bytes`.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        Self::on("127.0.0.1", answer_with(bytes))
    }

    /// Answers the first request with the first of `answers` and so on, and all others with the last.
    pub fn script(answers: Vec<String>) -> Self {
        Self::new(move |mut stream, requests| {
            if let Some(request) = read_request(&mut stream) {
                let mut requests = requests.lock().unwrap();
                requests.push(request);
                let answer = &answers[requests.len().min(answers.len()) - 1];
                let _ = stream.write_all(answer.as_bytes());
            }
        })
    }

    /// The port that the system gave it.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Where to authenticate.
    pub fn url(&self) -> String {
        format!("http://{}/authenticate/", self.listener.local_addr().unwrap())
    }

    /// How many came.
    pub fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// What came.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, and then those that serve.
        let _ = TcpStream::connect(self.listener.local_addr().unwrap());
        let _ = self.thread.take().unwrap().join();
        end_listening(&SockRef::from(&self.listener));
        for stream in self.connections.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Also where a child process that is about to start has the descriptor still.
pub(crate) fn end_listening(listener: &Socket) {
    let _ = listener.shutdown(Shutdown::Both);
}

/// Reads one request and answers with exactly `bytes`.
pub fn answer_with(
    bytes: impl Into<Vec<u8>>,
) -> impl Fn(TcpStream, &Requests) + Clone + Send + 'static {
    let bytes = bytes.into();
    move |mut stream, requests| {
        talk(&mut stream, requests, &bytes);
    }
}

/// One request in, `answer` out.
pub fn talk(wire: &mut dyn Wire, requests: &Requests, answer: &[u8]) {
    if let Some(request) = read_request(wire) {
        requests.lock().unwrap().push(request);
        let _ = wire.write_all(answer).and_then(|()| wire.flush());
    }
}

/// The bytes of one request, header and body.
pub fn read_request(wire: &mut dyn Wire) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(read_byte(wire)?);
    }
    let header_length = request.len();
    let header = String::from_utf8_lossy(&request).to_lowercase();
    let length = header
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    request.resize(header_length + length, 0);
    wire.read_exact(&mut request[header_length..]).ok()?;
    Some(request)
}

fn read_byte(wire: &mut dyn Wire) -> Option<u8> {
    let mut byte = [0];
    wire.read_exact(&mut byte).ok().map(|()| byte[0])
}

/// An HTTP/1.1 answer with a right length.
pub fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer with the status 200 and a body in JSON.
pub fn ok(body: &str) -> String {
    http("200 OK", "Content-Type: application/json\r\n", body)
}

/// What the API answers with.
pub const TOKEN_BODY: &str =
    r#"{"access_token":"not-a-real-token","token_type":"bearer","expires_in":86400}"#;
