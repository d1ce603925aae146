//! The headers, as compilers see them.

use std::process::Command;

use crate::programs::{checked, folder, stage};

const C: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP: &[&str] = &["c++11", "c++14", "c++17", "c++20", "c++2b"];

/// What a strict project asks for.
const STRICT: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"];
const STRICT_C: &[&str] = &["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wc++-compat"];
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
