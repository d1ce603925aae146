//! The headers, as compilers see them.

use std::path::PathBuf;
use std::process::Command;

use crate::programs::{checked, folder, stage};

const C: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP: &[&str] = &["c++11", "c++14", "c++17", "c++20", "c++2b"];

/// What a strict project asks for.
const STRICT: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"];
const STRICT_C: &[&str] = &["-Wstrict-prototypes", "-Wmissing-prototypes"];
const STRICT_CPP: &[&str] = &["-Wold-style-cast", "-Wsign-conversion"];
/// All that clang knows, but for what says that a program is not C++98.
const EVERYTHING: &[&str] = &[
    "-Weverything",
    "-Wno-c++98-compat",
    "-Wno-c++98-compat-pedantic",
    "-Wno-unknown-warning-option",
];

#[test]
fn the_headers_for_c_compile_alone_and_twice_without_a_warning() {
    for header in ["clazar_auth", "clazar_auth_dlopen"] {
        let text = format!("#include <{header}.h>\n").repeat(2);
        for (compiler, extension, standards, options) in [
            ("gcc", "c", C, STRICT_C),
            ("clang", "c", C, EVERYTHING),
            ("g++", "cc", CPP, STRICT_CPP),
            ("clang++", "cc", CPP, EVERYTHING),
        ] {
            let source = folder().join(format!("{header}-{}.{extension}", std::process::id()));
            std::fs::write(&source, &text).unwrap();
            for standard in standards {
                let mut command = Command::new(compiler);
                command.arg(format!("-std={standard}")).args(STRICT).args(options);
                command.arg("-fsyntax-only").arg("-I").arg(stage("stage").join("include"));
                command.arg(&source);
                checked(command);
            }
        }
    }
}

/// What a compiler says of a program, and the object that it makes.
fn compiled(compiler: &str, options: &[&str], program: &str) -> (String, PathBuf) {
    let language = if compiler.ends_with("++") { "cc" } else { "c" };
    let name = format!("header-{}-{:?}", std::process::id(), std::thread::current().id());
    let source = folder().join(format!("{name}.{language}"));
    let object = source.with_extension("o");
    let text = format!("#include <clazar_auth.h>\n#include <stdlib.h>\n{program}\n");
    std::fs::write(&source, text).unwrap();
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-g"]).args(options);
    command.arg("-I").arg(stage("stage").join("include"));
    command.arg("-c").arg(&source).arg("-o").arg(&object);
    (String::from_utf8(checked(command).stderr).unwrap(), object)
}

/// In C++, as in C23, the type is the enum itself.
#[test]
fn a_switch_that_forgets_a_status_draws_a_warning() {
    let switch = "int f(clazar_status s) {\n    switch (s) {\n    case CLAZAR_OK: return 1;\n    \
                  case CLAZAR_ERR_TIMEOUT: return 2;\n    }\n    return 0;\n}";
    for compiler in ["g++", "clang++"] {
        let (said, _) = compiled(compiler, &["-std=c++11"], switch);
        assert!(said.contains("CLAZAR_ERR_TRANSPORT") && said.contains("[-Wswitch]"), "{said}");
    }
    for compiler in ["gcc", "clang"] {
        assert_eq!(compiled(compiler, &["-std=c99"], switch).0, "");
    }
}

#[test]
fn a_debugger_knows_the_names_of_the_statuses() {
    for compiler in ["gcc", "clang", "g++", "clang++"] {
        let program = "int f(clazar_status s) { return s == CLAZAR_OK; }";
        let (_, object) = compiled(compiler, &[], program);
        let mut readelf = Command::new("readelf");
        readelf.arg("--debug-dump=info").arg(object);
        let known = String::from_utf8(checked(readelf).stdout).unwrap();
        for name in ["clazar_status", "CLAZAR_ERR_TIMEOUT", "CLAZAR_ERR_INTERNAL"] {
            assert!(known.contains(name), "{compiler}: {name}");
        }
    }
}
