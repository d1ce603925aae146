//! Programs of the tests: compiled, run, and watched.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use clazar_auth::sandbox::Sandbox;

/// What looks over a program's shoulder.
#[derive(Clone, Copy, PartialEq)]
pub enum Sanitizer {
    Nothing,
    Valgrind,
    /// With UndefinedBehaviorSanitizer, which goes with it at no cost.
    Address,
    Thread,
}

impl Sanitizer {
    pub fn now() -> Self {
        match std::env::var("CLAZAR_SANITIZER").as_deref() {
            Err(_) => Self::Nothing,
            Ok("valgrind") => Self::Valgrind,
            Ok("address") => Self::Address,
            Ok("thread") => Self::Thread,
            Ok(other) => panic!("CLAZAR_SANITIZER is {other}"),
        }
    }

    fn compiler_options(self) -> &'static [&'static str] {
        match self {
            Self::Nothing | Self::Valgrind => &[],
            Self::Address => &[
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-fno-omit-frame-pointer",
            ],
            Self::Thread => &["-fsanitize=thread"],
        }
    }
}

/// How much of something: what is watched is slow, and valgrind runs one thread at a time.
pub fn amount<T>(plain: T, watched: T) -> T {
    if Sanitizer::now() == Sanitizer::Nothing { plain } else { watched }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A prefix into which `make lib` installed, or the one that `CLAZAR_STAGE` names, such as that of `make dev`.
pub fn stage(name: &str) -> PathBuf {
    let name = debug_stage().unwrap_or_else(|| name.into());
    let stage = root().join("target").join(name);
    let header = stage.join("include/clazar_auth.h");
    assert!(header.exists(), "{} is missing; run `make lib`", header.display());
    stage
}

/// What is built for debugging is neither small nor free of the folders that it was built in.
pub fn debug_stage() -> Option<String> {
    std::env::var("CLAZAR_STAGE").ok()
}

/// Whether the programs are for Windows, and run under Wine.
pub fn is_windows() -> bool {
    debug_stage().is_some_and(|stage| stage == "stage-windows")
}

/// Where programs and what they need are put.
pub fn folder() -> PathBuf {
    let folder = root().join("target/c-tests");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn checked(mut command: Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    output
}

/// Compiles `tests/c/<name>.c` against the shared library in `stage`.
pub fn compile(name: &str, stage: &Path) -> PathBuf {
    let label = stage.file_name().unwrap().to_str().unwrap();
    let mut cc = compiler("cc", stage);
    cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L"]);
    cc.arg(root().join("tests/c").join(format!("{name}.c"))).args(shared(stage));
    link(cc, &format!("{label}-{name}"))
}

/// A compiler with the warnings and the sanitizer of all tests, for what is installed in `stage`.
pub fn compiler(name: &str, stage: &Path) -> Command {
    let mut command = Command::new(name);
    command.args(["-g", "-pthread", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]);
    command.args(Sanitizer::now().compiler_options());
    command.arg("-I").arg(stage.join("include"));
    command
}

/// What links the shared library of `stage`.
pub fn shared(stage: &Path) -> [String; 3] {
    let folder = stage.join("lib");
    let folder = folder.display();
    [format!("-L{folder}"), "-lclazar_auth".into(), format!("-Wl,-rpath,{folder}")]
}

/// Has `compiler` make the program `name`, in a file of its own: another test may make the same at a time.
pub fn link(mut compiler: Command, name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let program = folder().join(format!("{name}-{}-{number}", std::process::id()));
    compiler.arg("-o").arg(&program);
    checked(compiler);
    program
}

/// Says what is not tested here, past the capture of the test runner.
pub fn skipped(what: &str, why: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{what} is tested: {why}").unwrap();
}

/// A run of `program` with nothing but `variables` of the library's own in its environment, which must
/// succeed and write nothing to standard error.
pub fn run(program: &Path, variables: &[(&str, &str)]) -> Output {
    let output = checked(command(program, variables));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "", "{program:?} wrote to standard error");
    output
}

/// What runs `program`, for a test that starts it itself.
pub fn command(program: &Path, variables: &[(&str, &str)]) -> Command {
    // What belongs to a thread of the parent is lost in a child, whatever a library does.
    let forks = variables.iter().any(|(name, _)| *name == "TEST_CHILDREN");
    let mut command = if Sanitizer::now() == Sanitizer::Valgrind {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=99"]);
        valgrind.arg(if forks { "--leak-check=no" } else { "--leak-check=full" });
        for which in ["show", "errors-for"] {
            valgrind.arg(format!("--{which}-leak-kinds=definite,indirect"));
        }
        if variables.iter().any(|(_, value)| value.starts_with("https:")) {
            // valgrind takes what ring's SHA-256 assembly computes for uninitialised; all else counts.
            valgrind.arg("--undef-value-errors=no");
        }
        valgrind.arg(program);
        valgrind
    } else {
        Command::new(program)
    };
    clear_environment(&mut command);
    if forks {
        command.env("ASAN_OPTIONS", "detect_leaks=0").env("TSAN_OPTIONS", "die_after_fork=0");
    }
    command.env("TEST_VERSION", env!("CARGO_PKG_VERSION")).envs(variables.iter().copied());
    command
}

/// Leaves nothing in it but where programs are, and where `make coverage` has them count.
pub fn clear_environment(command: &mut Command) -> &mut Command {
    let kept = ["PATH", "LLVM_PROFILE_FILE"];
    command.env_clear().envs(kept.into_iter().filter_map(|it| Some((it, std::env::var_os(it)?))))
}

fn variables(sandbox: &Sandbox) -> [(String, String); 3] {
    [
        ("CLAZAR_AUTH_URL".into(), sandbox.auth_url()),
        ("CLAZAR_CLIENT_ID".into(), sandbox.client_id()),
        ("CLAZAR_CLIENT_SECRET".into(), sandbox.client_secret()),
    ]
}

pub fn run_with(program: &Path, sandbox: &Sandbox) -> Output {
    run_case(program, sandbox, &[])
}

/// With `more` variables of the test's own.
pub fn run_case(program: &Path, sandbox: &Sandbox, more: &[(&str, &str)]) -> Output {
    let variables = variables(sandbox);
    let mut variables: Vec<_> = variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    variables.extend(more);
    run(program, &variables)
}

/// That a sanitizer is on shows where something is wrong; what it says of that goes to the log.
#[test]
fn the_sanitizer_sees_what_is_wrong() {
    let faults: &[(&str, &str)] = match Sanitizer::now() {
        Sanitizer::Nothing => return,
        Sanitizer::Valgrind => &[("overflow", "Invalid write"), ("leak", "definitely lost")],
        Sanitizer::Address => &[
            ("overflow", "AddressSanitizer: heap-buffer-overflow"),
            ("leak", "LeakSanitizer: detected memory leaks"),
            ("shift", "runtime error: left shift"),
        ],
        Sanitizer::Thread => &[
            ("race", "ThreadSanitizer: data race"),
            ("race in the library", "ThreadSanitizer: data race"),
        ],
    };
    let program = compile("fault", &stage("stage"));
    for (fault, expected) in faults {
        let output = command(&program, &[("TEST_FAULT", fault)]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(expected), "{fault}: {stderr}");
        let line = stderr.lines().find(|line| line.contains(expected)).unwrap();
        // Past the capture of the test runner.
        writeln!(std::io::stderr(), "the sanitizer is on: {line}").unwrap();
    }
}
