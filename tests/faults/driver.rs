//! A program in one of the languages, whose clock the test moves; `preload.c` stands between it and the system.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use serde_json::Value;

use crate::interface::ERRORS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    Rust,
    C,
    Python,
}

/// What a driver tells.
#[derive(Debug, Deserialize)]
pub struct Reply {
    pub token: Option<String>,
    pub expires_in: Option<i64>,
    pub error: Option<Failure>,
    /// In milliseconds.
    #[serde(default)]
    pub waited: u64,
    /// The token requests that have ended.
    #[serde(default)]
    pub ended: u64,
    /// All events of the provider until now, as a logger or a callback has them.
    pub log: String,
    /// All that it tells but the token.
    #[serde(skip)]
    pub besides: String,
}

#[derive(Debug, Deserialize)]
pub struct Failure {
    /// As the language calls it.
    pub kind: String,
    pub status: u16,
    pub retryable: bool,
    /// In milliseconds.
    pub retry_after: i64,
    pub message: String,
}

impl Failure {
    /// As C calls it, without CLAZAR_ERR_.
    pub fn kind(&self) -> String {
        let row = ERRORS.iter().find(|row| row.name == self.kind || row.class == self.kind);
        let Some(row) = row else { return self.kind.trim_start_matches("CLAZAR_ERR_").into() };
        let mut words = String::new();
        for letter in row.name.chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push('_');
            }
            words.push(letter.to_ascii_uppercase());
        }
        words
    }
}

/// What the drivers are made of.
pub struct Programs {
    /// For all that is written during a run; it ends with the run.
    pub folder: PathBuf,
    /// Wall time at which their clocks stand.
    pub now: i64,
}

impl Programs {
    pub fn compile() -> Self {
        let folder = format!("faults-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
        let programs = Self { folder, now };
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"]);
        run(cc.arg(programs.file("preload.so")).arg(source("preload.c")));
        let stage = std::env::var("CLAZAR_STAGE").unwrap_or_else(|_| "stage".into());
        let stage = root().join("target").join(stage);
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"]);
        cc.arg("-pthread").arg("-I").arg(stage.join("include")).arg("-o").arg(programs.file("ask"));
        cc.arg(source("ask.c")).arg("-L").arg(stage.join("lib")).arg("-lclazar_auth");
        run(cc.arg(format!("-Wl,-rpath,{}", stage.join("lib").display())));
        programs
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn command(&self, language: Language) -> Command {
        match language {
            Language::Rust => Command::new(std::env::current_exe().unwrap()),
            Language::C => Command::new(self.file("ask")),
            Language::Python => {
                let python = std::env::var("CLAZAR_PYTHON");
                let python = python.unwrap_or_else(|_| ".venv/bin/python".into());
                let mut command = Command::new(root().join(python));
                command.arg(source("ask.py"));
                command
            }
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(name: &str) -> PathBuf {
    root().join("tests/faults").join(name)
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}; has `make dev` or `make lib` run?");
}

/// The name of the file that a driver has in memory together with the test.
pub const MEMORY: &str = "TEST_MEMORY";

/// What is in that file, one number after the other.
#[derive(Clone, Copy)]
enum Shared {
    Now,
    Ahead,
    Port,
    Connections,
    DiskIsFull,
}

pub struct Driver {
    pub language: Language,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    memory: File,
}

impl Driver {
    pub fn start(programs: &Programs, language: Language) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = programs.file(&format!("memory-{number}"));
        let memory =
            OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
        memory.set_len(8 * (Shared::DiskIsFull as u64 + 1)).unwrap();
        let mut command = programs.command(language);
        command.env_clear().env("LD_PRELOAD", programs.file("preload.so")).env(MEMORY, &path);
        // Where `make coverage` has it count.
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|it| ("LLVM_PROFILE_FILE", it)));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let driver = Self { language, process, input, output: BufReader::new(output), memory };
        driver.set(Shared::Now, programs.now);
        driver
    }

    /// Has a line answered.
    pub fn ask(&mut self, line: &str) -> Reply {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let reply = reply(&answer);
        reply.unwrap_or_else(|error| panic!("{:?}, {line}: {error}: {answer}", self.language))
    }

    /// Sets its clocks so many seconds ahead.
    pub fn set_ahead(&self, seconds: i64) {
        self.set(Shared::Ahead, seconds);
    }

    /// From now on connections to this port are counted.
    pub fn count_connections(&self, port: u16) {
        self.set(Shared::Port, port.into());
        self.set(Shared::Connections, 0);
    }

    /// How many it has begun, whether anybody took them or not.
    pub fn connections(&self) -> usize {
        let mut number = [0; 8];
        self.memory.read_exact_at(&mut number, 8 * Shared::Connections as u64).unwrap();
        i64::from_ne_bytes(number) as usize
    }

    /// Whether it can write to no file.
    pub fn set_disk_full(&self, is_full: bool) {
        self.set(Shared::DiskIsFull, is_full.into());
    }

    fn set(&self, number: Shared, value: i64) {
        self.memory.write_all_at(&value.to_ne_bytes(), 8 * number as u64).unwrap();
    }
}

fn reply(answer: &str) -> serde_json::Result<Reply> {
    let mut whole: Value = serde_json::from_str(answer)?;
    let reply = Reply::deserialize(&whole)?;
    whole["token"].take();
    Ok(Reply { besides: whole.to_string(), ..reply })
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
