//! What a program that was built against an earlier release relies on: `packaging/abi/` holds the
//! declarations of the last one. `CLAZAR_BLESS=1` adds what is new; nothing else can be changed.

use std::collections::{BTreeSet, HashSet};
use std::process::Command;

use clazar_auth::sandbox::Sandbox;

use crate::programs::{checked, compile, debug_stage, root, run_case, skipped, stage};

const VERSION: &str = "CLAZAR_AUTH_0";

/// What the plain header declares, each declaration on a line.
fn declarations(header: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in header.split_whitespace() {
        let line = found.last_mut().unwrap();
        *line += if line.is_empty() { "" } else { " " };
        *line += word;
        if word.ends_with(';') && line.matches('{').count() == line.matches('}').count() {
            found.push(String::new());
        }
    }
    assert_eq!(found.pop().unwrap(), "", "the header ends with a declaration");
    found
}

/// The declarations of the last release that are no longer what they were.
fn broken<'a>(last: &[&'a str], now: &[String]) -> Vec<&'a str> {
    last.iter().copied().filter(|old| !is_kept(old, now)).collect()
}

fn is_kept(old: &str, now: &[String]) -> bool {
    let Some((head, rest)) = old.split_once('{') else { return now.iter().any(|new| new == old) };
    let (body, end) = rest.rsplit_once('}').unwrap();
    let body_of = |new: &String| {
        let rest = new.strip_prefix(head)?.strip_prefix('{')?.strip_suffix(end)?;
        Some(rest.strip_suffix('}')?.to_owned())
    };
    let mut bodies = now.iter().filter_map(body_of);
    // An enum may grow anywhere, and a struct that names its size at its end.
    if head.starts_with("enum") {
        let numbers = |body: &str| body.split(',').map(|part| part.trim().to_owned()).collect();
        let kept: HashSet<String> = bodies.flat_map(|body| -> Vec<_> { numbers(&body) }).collect();
        let old: Vec<_> = numbers(body);
        old.iter().all(|number| kept.contains(number))
    } else {
        bodies.any(|new| new.starts_with(body))
    }
}

#[test]
fn nothing_of_the_last_release_is_broken() {
    let header = std::fs::read_to_string(root().join("include/clazar_auth.ffi.h")).unwrap();
    // Its first part names the version, which changes.
    let now = declarations(header.split_once("\n\n").unwrap().1);
    let path = root().join("packaging/abi/libclazar_auth.so.0");
    let last = std::fs::read_to_string(&path).unwrap_or_default();
    let last: Vec<_> = last.lines().collect();
    assert_eq!(broken(&last, &now), [""; 0], "changed or gone: this needs a new soname");
    if std::env::var_os("CLAZAR_BLESS").is_some() {
        std::fs::write(&path, now.join("\n") + "\n").unwrap();
    } else {
        assert!(last == now, "the interface has grown; run `make abi`");
    }
}

/// It was compiled once, and asks for the functions by their version; packaging/abi/program.c says how.
#[test]
fn a_program_that_was_compiled_with_the_first_header_runs_on_this_library() {
    let program = root().join("packaging/abi/program-x86_64");
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return skipped("no program of the first header", "it is for x86-64 and glibc");
    }
    let mut readelf = Command::new("readelf");
    readelf.args(["--version-info", "--wide"]).arg(&program);
    let needed = String::from_utf8(checked(readelf).stdout).unwrap();
    assert!(needed.contains(VERSION) && needed.contains("libclazar_auth.so.0"), "{needed}");
    let libraries = stage("stage").join("lib");
    let libraries = [("LD_LIBRARY_PATH", libraries.to_str().unwrap())];
    run_case(&program, &Sandbox::start().unwrap(), &libraries);
}

#[test]
fn the_check_sees_what_breaks_a_program() {
    let header = "enum { CLAZAR_MAX = 8, CLAZAR_OK = 0 };\nint clazar_f(int a,\n  char *b);\n\
                  typedef struct clazar_s {\n size_t size;\n int64_t x;\n} clazar_s;\n";
    let last = declarations(header);
    assert_eq!(last.len(), 3, "{last:?}");
    let last: Vec<_> = last.iter().map(String::as_str).collect();
    let breaks = |from: &str, to: &str| {
        assert!(header.contains(from));
        broken(&last, &declarations(&header.replace(from, to))).len()
    };
    assert_eq!(breaks("clazar_s;\n", "clazar_s;\nint clazar_g(void);\n"), 0);
    assert_eq!(breaks("x;\n}", "x; int64_t y;\n}"), 0);
    assert_eq!(breaks("= 8,", "= 8, CLAZAR_ERR = 1,"), 0);
    assert_eq!(breaks("size_t size;", "size_t size; int64_t y;"), 1);
    assert_eq!(breaks("int64_t x", "int32_t x"), 1);
    assert_eq!(breaks("CLAZAR_OK = 0", "CLAZAR_OK = 1"), 1);
    assert_eq!(breaks("CLAZAR_MAX = 8", "CLAZAR_MAX = 88"), 1);
    assert_eq!(breaks("int a,", "long a,"), 1);
    assert_eq!(breaks("clazar_f", "clazar_h"), 1);
}

#[test]
fn sizes_and_numbers_are_what_they_were() {
    compile("abi", &stage("stage"));
}

fn tool(name: &str, arguments: &[&str], file: &str) -> String {
    let mut command = Command::new(name);
    command.args(arguments).arg(stage("stage").join("lib").join(file));
    String::from_utf8(checked(command).stdout).unwrap()
}

/// The functions that the header declares.
fn functions() -> BTreeSet<String> {
    let header = stage("stage").join("include/clazar_auth.ffi.h");
    let name = |line: String| Some(line.split_once('(')?.0.rsplit([' ', '*']).next()?.to_owned());
    let declared = declarations(&std::fs::read_to_string(header).unwrap()).into_iter();
    declared.filter(|line| !line.starts_with("typedef")).filter_map(name).collect()
}

#[test]
fn the_libraries_offer_the_declared_functions_and_nothing_else() {
    for (file, dynamic) in [("libclazar_auth.so", &["-D"][..]), ("libclazar_auth.a", &[])] {
        let arguments = [dynamic, &["--extern-only", "--defined-only", "--format=posix"]].concat();
        let symbols = tool("nm", &arguments, file);
        // An archive's listing begins with the names of its members; the version is a symbol too.
        let symbols = symbols.lines().filter(|line| !line.ends_with(':'));
        let symbols = symbols.filter(|line| !line.starts_with(VERSION));
        let offered = symbols.map(|line| line.split([' ', '@']).next().unwrap().to_owned());
        assert_eq!(functions(), offered.collect(), "{file}");
    }
    assert_eq!(tool("ar", &["t"], "libclazar_auth.a").lines().count(), 1);
}

/// So that no other library's function of the same name is taken for one of these.
#[test]
fn each_function_of_the_shared_library_has_a_version() {
    let symbols = tool("readelf", &["--dyn-syms", "--wide"], "libclazar_auth.so");
    for function in functions() {
        let name = format!(" {function}@@{VERSION}");
        assert!(symbols.lines().any(|line| line.ends_with(&name)), "{function} has no version");
    }
}

#[test]
fn the_shared_library_has_its_soname_and_stays_loaded() {
    let dynamic = tool("readelf", &["--dynamic", "--wide"], "libclazar_auth.so");
    assert!(dynamic.contains("Library soname: [libclazar_auth.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(!dynamic.contains("python"), "{dynamic}");
}

/// In the library itself nothing is left of them; gdb finds them by the link and by the build id.
#[test]
fn what_debuggers_read_lies_beside_the_shared_library() {
    if debug_stage().is_some() {
        return;
    }
    let library = tool("readelf", &["--notes", "--sections", "--wide"], "libclazar_auth.so");
    let symbols = format!(".debug/libclazar_auth.so.{}.debug", env!("CARGO_PKG_VERSION"));
    let beside = tool("readelf", &["--notes", "--sections", "--wide"], &symbols);
    let id =
        |text: &str| text.split_once("Build ID: ").unwrap().1.lines().next().map(str::to_owned);
    assert_eq!(id(&library), id(&beside));
    assert!(library.contains(".gnu_debuglink"), "{library}");
    for section in [".symtab", ".debug_line"] {
        assert!(!library.contains(section), "{section}");
        assert!(beside.contains(section), "{section}");
    }
    let strings = ["--decompress", "--string-dump=.debug_str", "--string-dump=.debug_line_str"];
    let strings = tool("readelf", &strings, &symbols);
    assert!(strings.contains("/clazar-auth"), "{symbols} names its sources");
    assert!(!strings.contains(root().to_str().unwrap()), "{symbols} names the checkout");
}

#[test]
fn the_shared_library_is_small() {
    if debug_stage().is_some() {
        return;
    }
    let size = std::fs::metadata(stage("stage").join("lib/libclazar_auth.so")).unwrap().len();
    assert!(size < 3_000_000, "{size} bytes");
}
