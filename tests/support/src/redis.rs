//! A real Redis for one test: `redis-server`, or what `CLAZAR_REDIS_SERVER` names.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::certificates::Authority;
use crate::wait_until;

/// Of the default user, and of all that a test adds.
pub const PASSWORD: &str = "not-a-real-password";

/// A server that ends with the test.
pub struct Redis {
    process: Child,
    port: u16,
    /// Besides those that all have.
    options: Vec<String>,
}

impl Redis {
    /// With `more` options.
    pub fn start(more: &[&str]) -> Self {
        // The port may be taken by another before Redis has it, so more than one is tried.
        let started = (0..10).find_map(|_| Self::try_start(more));
        started.expect("redis-server starts; `tests/tools.sh` installs it")
    }

    /// One that speaks TLS alone, with a certificate for `names`; `clients` says whether one has to have a
    /// certificate (`yes` or `no`).
    pub fn start_with_tls(authority: &Authority, names: &[&str], clients: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = format!("clazar-auth-redis-{}-{port}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let files = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        for (file, pem) in files.iter().zip(authority.certificate(names)) {
            std::fs::write(file, pem).unwrap();
        }
        let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
        let ca_file = authority.pem_file.to_str().unwrap();
        let options = ["--port", "0", "--tls-cert-file", certificate, "--tls-key-file", key];
        let more = ["--tls-ca-cert-file", ca_file, "--tls-auth-clients", clients];
        let redis = Self::start(&[&options[..], &more].concat());
        std::fs::remove_dir_all(&folder).unwrap();
        redis
    }

    fn try_start(more: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options: Vec<_> = more.iter().map(|&option| option.to_owned()).collect();
        Some(Self { process: spawn(port, &options)?, port, options })
    }

    /// Puts an empty one in the place of one that was killed.
    pub fn start_again(&mut self) {
        // Until then the port may be that of somebody's connection.
        wait_until(|| {
            let process = spawn(self.port, &self.options);
            process.map(|process| self.process = process).is_some()
        });
    }

    /// Of loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// With the password, and a database that is not the first.
    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/2", self.port)
    }

    /// The URL of a new user with these rules, such as `+@all -set ~*`.
    pub fn url_of_user(&self, name: &str, rules: &str) -> String {
        self.add_user(name, rules);
        self.url().replace("://:", &format!("://{name}:"))
    }

    /// Adds a user with these rules and the password.
    pub fn add_user(&self, name: &str, rules: &str) {
        let answer = self.ask(&format!("ACL SETUSER {name} on >{PASSWORD} {rules}"));
        let answer = String::from_utf8_lossy(&answer);
        // After AUTH, and SELECT, which a cluster has not.
        assert_eq!(answer.lines().nth(2), Some("+OK"), "{answer}");
    }

    /// What Redis answers to some commands, one on a line.
    pub fn ask(&self, commands: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "AUTH {PASSWORD}\r\nSELECT 2\r\n{commands}\r\nQUIT\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// The keys in it that hold something: what is released is empty until it is gone, a moment later.
    pub fn keys(&self) -> Vec<String> {
        let answer = String::from_utf8(self.ask("KEYS *")).unwrap();
        let keys = answer.lines().filter(|line| line.starts_with("clazar-auth:"));
        keys.filter(|key| !self.is_empty(key)).map(str::to_owned).collect()
    }

    /// Lets so much of the time pass for which keys are kept.
    pub fn pass(&self, time: Duration) {
        let script = format!(
            "for _, key in ipairs(redis.call('KEYS', '*')) do \
             local left = redis.call('PTTL', key) \
             if left > {0} then redis.call('PEXPIRE', key, left - {0}) \
             elseif left >= 0 then redis.call('DEL', key) end end return 'passed'",
            time.as_millis()
        );
        let answer = self.ask(&format!("EVAL \"{script}\" 0"));
        assert!(String::from_utf8_lossy(&answer).contains("passed"), "{answer:?}");
    }

    fn is_empty(&self, key: &str) -> bool {
        let answer = String::from_utf8(self.ask(&format!("STRLEN {key}"))).unwrap();
        answer.lines().any(|line| line == ":0")
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that listens; `None` if it does not.
fn spawn(port: u16, options: &[String]) -> Option<Child> {
    let port_option = if options.iter().any(|option| option == "--tls-cert-file") {
        "--tls-port"
    } else {
        "--port"
    };
    let program = std::env::var_os("CLAZAR_REDIS_SERVER").unwrap_or("redis-server".into());
    let mut process = Command::new(program)
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        // A replica writes no file either, and its master waits for no other one.
        .args(["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"])
        .args(["--repl-diskless-load", "swapdb"])
        .args(["--requirepass", PASSWORD, port_option, &port.to_string()])
        .args(options)
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let mut listens = false;
    wait_until(|| {
        listens = TcpStream::connect(("127.0.0.1", port)).is_ok();
        listens || process.try_wait().unwrap().is_some()
    });
    listens.then_some(process)
}
