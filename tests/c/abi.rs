//! What a program that was built against an earlier release relies on: `packaging/abi/` holds the
//! declarations of the last one. `CLAZAR_BLESS=1` adds what is new; nothing else can be changed.

use std::collections::BTreeSet;
use std::process::Command;

use crate::programs::{checked, compile, debug_stage, root, stage};

/// What `clazar_auth.h` declares, each declaration on a line.
fn declarations(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = String::new();
    for line in without_comments(header).lines().map(str::trim) {
        if line.starts_with("#define CLAZAR_") && line.split(' ').count() > 2 {
            found.push(line.to_owned());
        } else if !line.starts_with('#') && !line.starts_with("extern \"C\"") {
            open.extend([line, " "]);
            let balanced = open.matches('{').count() == open.matches('}').count();
            if balanced && open.trim_end().ends_with(';') {
                found.push(open.split_whitespace().collect::<Vec<_>>().join(" "));
                open.clear();
            }
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut kept = parts.next().unwrap().to_owned();
    kept.extend(parts.filter_map(|part| part.split_once("*/")).map(|(_, code)| code));
    kept
}

/// The declarations of the last release that are no longer what they were.
fn broken<'a>(last: &[&'a str], now: &[String]) -> Vec<&'a str> {
    let kept = |old: &str| match old.rsplit_once('}') {
        // A struct that names its size, or an enumeration, may grow at its end.
        Some((first, name)) => now.iter().any(|new| new.starts_with(first) && new.ends_with(name)),
        None => now.iter().any(|new| new == old),
    };
    last.iter().copied().filter(|old| !kept(old)).collect()
}

#[test]
fn nothing_of_the_last_release_is_broken() {
    let now = declarations(&std::fs::read_to_string(root().join("include/clazar_auth.h")).unwrap());
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

#[test]
fn the_check_sees_what_breaks_a_program() {
    let header = "#define CLAZAR_OK 0\n/** @brief `f`; */\nint clazar_f(int a,\n  char *b);\n\
                  typedef struct {\n size_t size;\n /** x */ int64_t x;\n} clazar_s;\n\
                  enum clazar_e\n#if defined(__cplusplus)\n  : int32_t\n#endif\n {\n CLAZAR_A = 1,\n};\n";
    let last = declarations(header);
    assert_eq!(last.len(), 4, "{last:?}");
    let last: Vec<_> = last.iter().map(String::as_str).collect();
    let breaks = |from: &str, to: &str| {
        assert!(header.contains(from));
        broken(&last, &declarations(&header.replace(from, to))).len()
    };
    assert_eq!(breaks("clazar_s;\n", "clazar_s;\nint clazar_g(void);\n"), 0);
    assert_eq!(breaks("x;\n}", "x; int64_t y;\n}"), 0);
    assert_eq!(breaks("CLAZAR_A = 1,", "CLAZAR_A = 1,\n /** B */ CLAZAR_B = 2,"), 0);
    assert_eq!(breaks("CLAZAR_A = 1", "CLAZAR_A = 2"), 1);
    assert_eq!(breaks("int32_t", "int64_t"), 1);
    assert_eq!(breaks("@brief", "another comment"), 0);
    assert_eq!(breaks("size_t size;", "size_t size; int64_t y;"), 1);
    assert_eq!(breaks("int64_t x", "int32_t x"), 1);
    assert_eq!(breaks("CLAZAR_OK 0", "CLAZAR_OK 1"), 1);
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
    let header = std::fs::read_to_string(stage("stage").join("include/clazar_auth.h")).unwrap();
    let name = |line: String| Some(line.split_once('(')?.0.rsplit([' ', '*']).next()?.to_owned());
    let declared = declarations(&header).into_iter().filter(|line| !line.starts_with("typedef"));
    declared.filter_map(name).collect()
}

#[test]
fn the_libraries_offer_the_declared_functions_and_nothing_else() {
    for (file, dynamic) in [("libclazar_auth.so", &["-D"][..]), ("libclazar_auth.a", &[])] {
        let arguments = [dynamic, &["--extern-only", "--defined-only", "--format=posix"]].concat();
        let symbols = tool("nm", &arguments, file);
        // An archive's listing begins with the names of its members.
        let symbols = symbols.lines().filter(|line| !line.ends_with(':'));
        let offered = symbols.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(functions(), offered, "{file}");
    }
    assert_eq!(tool("ar", &["t"], "libclazar_auth.a").lines().count(), 1);
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
