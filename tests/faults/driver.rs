//! A program in one of the languages, whose clock the test moves.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

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
        run(cc.arg(programs.file("clock.so")).arg(source("clock.c")));
        let stage = std::env::var("CLAZAR_STAGE").unwrap_or_else(|_| "stage".into());
        let stage = root().join("target").join(stage);
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"]);
        cc.arg("-I").arg(stage.join("include")).arg("-o").arg(programs.file("ask"));
        cc.arg(source("ask.c")).arg("-L").arg(stage.join("lib")).arg("-lclazar_auth");
        run(cc.arg(format!("-Wl,-rpath,{}", stage.join("lib").display())));
        programs
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn command(&self, language: Language) -> Command {
        match language {
            Language::Rust => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg("ask");
                command
            }
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

pub struct Driver {
    pub language: Language,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    clock: File,
}

impl Driver {
    pub fn start(programs: &Programs, language: Language) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = programs.file(&format!("clock-{number}"));
        let clock = File::create(&path).unwrap();
        clock.write_all_at(&programs.now.to_ne_bytes(), 0).unwrap();
        clock.write_all_at(&[0; 8], 8).unwrap();
        let mut command = programs.command(language);
        command.env_clear().env("LD_PRELOAD", programs.file("clock.so")).env("TEST_CLOCK", &path);
        // Where `make coverage` has it count.
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|it| ("LLVM_PROFILE_FILE", it)));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { language, process, input, output: BufReader::new(output), clock }
    }

    /// Has a line answered.
    pub fn ask(&mut self, line: &str) -> Reply {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let reply = serde_json::from_str(&answer);
        reply.unwrap_or_else(|error| panic!("{:?}, {line}: {error}: {answer}", self.language))
    }

    /// Sets its clocks so many seconds ahead.
    pub fn set_ahead(&self, seconds: i64) {
        self.clock.write_all_at(&seconds.to_ne_bytes(), 8).unwrap();
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
