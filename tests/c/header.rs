//! The headers, as compilers see them.

use std::path::PathBuf;
use std::process::Command;

use crate::programs::{Sanitizer, checked, compiler, folder, link, root, run, shared, stage};

const C: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP: &[&str] = &["c++11", "c++14", "c++17", "c++20", "c++2b"];

/// What a strict project asks for.
const STRICT: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"];
const STRICT_C: &[&str] = &["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wc++-compat"];
const STRICT_CPP: &[&str] = &["-Wold-style-cast", "-Wsign-conversion"];
/// All that clang knows, but for what says that a program is not C++98, or not C17.
const EVERYTHING: &[&str] = &[
    "-Weverything",
    "-Wno-c++98-compat",
    "-Wno-c++98-compat-pedantic",
    "-Wno-pre-c23-compat",
    "-Wno-unknown-warning-option",
];

#[test]
fn the_headers_for_c_compile_alone_and_twice_without_a_warning() {
    let use_it = "#if !CLAZAR_AUTH_AT_LEAST(0, 1, 0) || CLAZAR_AUTH_AT_LEAST(255, 0, 0)\n#error\n#endif\n\
                  clazar_stats f(void);\n\
                  clazar_stats f(void) { clazar_stats stats = CLAZAR_STATS_INIT; return stats; }\n";
    for header in ["clazar_auth", "clazar_auth_dlopen"] {
        let text = format!("#include <{header}.h>\n").repeat(2) + use_it;
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

const ALL: &[&str] = &["gcc", "g++", "clang", "clang++"];
const GCC: &[&str] = &["gcc", "g++"];
const CLANG: &[&str] = &["clang", "clang++"];

/// Compilers, and the option by which they warn.
type Warning = (&'static [&'static str], &'static str);

/// What is in the body of a function with a provider, and who is to warn of it.
const WRONG: &[(&str, &[Warning])] = &[
    (
        "clazar_token *token = NULL; clazar_provider_token(provider, &token, NULL);",
        &[(ALL, "-Wunused-result")],
    ),
    (
        "clazar_provider_check_url(provider, \"https://example.com/\", NULL);",
        &[(ALL, "-Wunused-result")],
    ),
    ("clazar_provider_clone(provider);", &[(ALL, "-Wunused-result")]),
    ("if (clazar_provider_token(provider, NULL, NULL)) abort();", &[(CLANG, "-Wnonnull")]),
    ("clazar_provider_invalidate(provider, NULL, NULL);", &[(CLANG, "-Wnonnull")]),
    (
        "char header[100];\n\
         if (clazar_provider_authorization(provider, header, CLAZAR_AUTHORIZATION_MAX, NULL, NULL)) abort();",
        &[(GCC, "-Wstringop-overflow="), (CLANG, "-Wuser-defined-warnings")],
    ),
    (
        "uint8_t *blob = (uint8_t *)malloc(100);\n\
         if (clazar_provider_seal(provider, blob, CLAZAR_SEALED_MAX, NULL, NULL)) abort();",
        &[(GCC, "-Wstringop-overflow=")],
    ),
    (
        "if (clazar_provider_authorization(provider, NULL, 100, NULL, NULL)) abort();",
        &[(GCC, "-Wnonnull")],
    ),
    (
        "const uint8_t blob[8] = {0}; clazar_provider_unseal(provider, blob, 80, NULL);",
        &[(GCC, "-Wstringop-overread"), (CLANG, "-Wuser-defined-warnings")],
    ),
    (
        "char copy[8]; (void)provider; clazar_memzero(copy, 80);",
        &[(GCC, "-Wstringop-overflow="), (CLANG, "-Wuser-defined-warnings")],
    ),
    (
        "CLAZAR_DEPRECATED(\"ask clazar_version\") const char *old(void); (void)provider; old();",
        &[(ALL, "-Wdeprecated-declarations")],
    ),
];

/// What must draw no warning.
const RIGHT: &[&str] = &[
    "char header[CLAZAR_AUTHORIZATION_MAX]; size_t length = 0;\n\
     if (clazar_provider_authorization(provider, header, sizeof header, NULL, NULL)) abort();\n\
     if (clazar_provider_authorization(provider, NULL, 0, &length, NULL)) abort();\n\
     clazar_memzero(header, length);",
    "clazar_provider_close(NULL); clazar_provider_free(provider); clazar_token_free(NULL);",
    "clazar_token *token = NULL;\n\
     if (clazar_provider_peek(provider, &token, NULL) != CLAZAR_OK) abort();",
];

fn in_a_function(body: &str) -> String {
    format!("void f(clazar_provider *provider);\nvoid f(clazar_provider *provider) {{\n{body}\n}}")
}

#[test]
fn compilers_warn_of_what_is_wrong() {
    for (body, expected) in WRONG {
        for compiler in ALL {
            let (said, _) = compiled(compiler, &[], &in_a_function(body));
            match expected.iter().find(|(compilers, _)| compilers.contains(compiler)) {
                Some((_, option)) => {
                    let is_said = said.contains(&format!("[{option}]"));
                    assert!(is_said, "{compiler} is to warn by {option} of\n{body}\n{said}");
                }
                None => assert_eq!(said, "", "{compiler}: {body}"),
            }
        }
    }
    let (deprecated, _) = WRONG.last().unwrap();
    for compiler in ALL {
        let without = ["-DCLAZAR_DISABLE_DEPRECATION"];
        assert_eq!(compiled(compiler, &without, &in_a_function(deprecated)).0, "");
    }
    for body in RIGHT {
        for compiler in ALL {
            assert_eq!(compiled(compiler, &[], &in_a_function(body)).0, "");
        }
    }
}

/// The library checks its arguments, and so may a program, before or after a call.
#[test]
fn no_compiler_takes_for_granted_that_a_pointer_is_not_null() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // It is about the code that a compiler makes.
    }
    let stage = stage("stage");
    for (name, language) in [("gcc", "c"), ("clang", "c"), ("g++", "c++"), ("clang++", "c++")] {
        let mut compiler = compiler(name, &stage);
        compiler.args(["-O2", "-x", language]).arg(root().join("tests/c/null.c"));
        compiler.args(shared(&stage));
        run(&link(compiler, &format!("null-{name}")), &[]);
    }
}

/// What a program says of its own functions is not said of these.
#[test]
fn a_program_whose_functions_are_hidden_links_to_these() {
    let stage = stage("stage");
    let source = folder().join(format!("hidden-{}.c", std::process::id()));
    let text = "#pragma GCC visibility push(hidden)\n#include <clazar_auth.h>\n\
                #pragma GCC visibility pop\nint main(void) { return clazar_version() == 0; }\n";
    std::fs::write(&source, text).unwrap();
    let mut compiler = compiler("cc", &stage);
    compiler.arg("-fvisibility=hidden").arg(source).args(shared(&stage));
    run(&link(compiler, "hidden"), &[]);
}
