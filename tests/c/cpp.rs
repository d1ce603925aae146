//! `clazar_auth.hpp`, with each compiler and standard that it is for.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use clazar_auth::sandbox::Sandbox;

use crate::programs::{
    Sanitizer, amount, checked, compiler, folder, link, root, run_case, run_with, shared, skipped,
    stage,
};

#[test]
fn the_cpp_header_works_and_draws_no_warning() {
    let stage = stage("stage");
    let all = ["g++ c++17", "g++ c++20", "clang++ c++17", "clang++ c++20"];
    for which in amount(&all[..], &all[..1]) {
        let (name, standard) = which.split_once(' ').unwrap();
        let mut compiler = compiler(name, &stage);
        compiler.arg(format!("-std={standard}")).arg("-Wshadow");
        compiler.arg(root().join("tests/cpp/wrapper.cc")).args(shared(&stage));
        let program = link(compiler, &format!("wrapper-{name}-{standard}"));
        run_wrapper(&program);
    }
}

/// With a server that accepts connections and never answers.
fn run_wrapper(program: &Path) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    run_case(program, &Sandbox::start().unwrap(), &[("TEST_SILENT_URL", &url)]);
}

/// A callback that throws, an error that is thrown: with the library linked in, one unwinder serves both.
#[test]
fn the_cpp_header_works_with_the_static_library() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // The same code as above.
    }
    let stage = stage("stage");
    let mut compiler = compiler("g++", &stage);
    compiler.arg("-std=c++17").arg(root().join("tests/cpp/wrapper.cc"));
    compiler.arg(stage.join("lib/libclazar_auth.a"));
    run_wrapper(&link(compiler, "wrapper-static"));
}

fn source(name: &str) -> PathBuf {
    root().join("tests/cpp").join(name)
}

#[test]
fn the_cpp_header_works_without_exceptions() {
    let stage = stage("stage");
    for name in amount(&["g++", "clang++"][..], &["g++"]) {
        let mut compiler = compiler(name, &stage);
        compiler.args(["-std=c++17", "-fno-exceptions", "-fno-rtti"]);
        compiler.arg(source("no_exceptions.cc")).args(shared(&stage));
        let program = link(compiler, &format!("no-exceptions-{name}"));
        run_with(&program, &Sandbox::start().unwrap());
    }
}

#[test]
fn a_token_that_does_not_fit_is_an_error() {
    let stage = stage("stage");
    let mut compiler = compiler("g++", &stage);
    compiler.args(["-std=c++17", "-fstack-protector-all"]);
    compiler.arg(source("longer.cc")).args(shared(&stage));
    run_with(&link(compiler, "longer"), &Sandbox::start().unwrap());
}

/// What the compiler says of a program, which is not linked.
fn complaints(compiler: &str, standard: &str, code: &str) -> String {
    let file = folder().join(format!("wrong-{}-{:x}.cc", std::process::id(), code.len()));
    std::fs::write(&file, format!("#include <clazar_auth.hpp>\n{code}\n")).unwrap();
    let mut command = Command::new(compiler);
    command.args([&format!("-std={standard}"), "-fsyntax-only", "-Wall", "-Wextra"]);
    let include = stage("stage").join("include");
    let output = command.arg("-I").arg(include).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), !said.contains("error"), "{said}");
    said
}

#[test]
fn what_would_outlive_its_token_does_not_compile() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // Nothing is run.
    }
    let all = [
        "auto x(const clazar::Provider& p) { return p.token().value().size(); }",
        "auto x(const clazar::Provider& p) { return p.token().authorization().size(); }",
        "auto x(const clazar::Provider& p) { return p.authorization().view().size(); }",
        "auto x(const clazar::Provider& p) { return p.authorization().c_str(); }",
        "std::string_view x(const clazar::Provider& p) { return p.authorization(); }",
        "auto x(const clazar::Provider& p) { return p.try_token().error()->code(); }",
    ];
    for name in ["g++", "clang++"] {
        for code in all {
            let said = complaints(name, "c++17", code);
            assert!(said.contains("deleted"), "{name}: {code}\n{said}");
        }
        let kept =
            "auto x(const clazar::Provider& p) { auto t = p.token(); return t.value().size(); }";
        assert_eq!(complaints(name, "c++17", kept), "");
    }
}

#[test]
fn an_older_standard_is_refused_in_one_line() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // Nothing is run.
    }
    for name in ["g++", "clang++"] {
        let said = complaints(name, "c++14", "");
        assert!(said.contains("clazar_auth.hpp needs C++17"), "{name}: {said}");
    }
}

/// A shared object from a file of tests/cpp.
fn shared_object(compiler: &str, options: &[&str], name: &str, stage: &Path) -> PathBuf {
    let library = folder().join(format!("lib{name}-{compiler}-{}.so", std::process::id()));
    let mut command = Command::new(compiler);
    command.args(["-std=c++17", "-fvisibility=hidden", "-shared", "-fPIC"]).args(options);
    command.arg("-I").arg(stage.join("include")).arg(source(&format!("{name}.cc")));
    command.args(shared(stage)).arg("-o").arg(&library);
    checked(command);
    library
}

#[test]
fn an_error_is_caught_across_shared_objects_that_hide_their_symbols() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // It is about names.
    }
    let stage = stage("stage");
    for (name, options) in [("g++", &[][..]), ("clang++", &[]), ("clang++", &["-stdlib=libc++"])] {
        if !options.is_empty() && !has_libcxx() {
            continue;
        }
        let library = shared_object(name, options, "caught", &stage);
        let mut compiler = compiler(name, &stage);
        compiler.args(["-std=c++17", "-fvisibility=hidden", "-DCATCHES"]).args(options);
        compiler.arg(source("caught.cc")).arg(&library).args(shared(&stage));
        run_with(&link(compiler, &format!("caught-{name}")), &Sandbox::start().unwrap());
        std::fs::remove_file(library).unwrap();
    }
}

#[test]
fn two_standard_libraries_use_it_in_one_process() {
    if Sanitizer::now() != Sanitizer::Nothing || !has_libcxx() {
        return;
    }
    let stage = stage("stage");
    let library = shared_object("clang++", &["-stdlib=libc++"], "two_libraries", &stage);
    let mut compiler = compiler("g++", &stage);
    compiler.args(["-std=c++17", "-DMAIN"]).arg(source("two_libraries.cc"));
    compiler.arg(&library).args(shared(&stage));
    run_with(&link(compiler, "two-libraries"), &Sandbox::start().unwrap());
    std::fs::remove_file(library).unwrap();
}

#[test]
fn files_with_and_without_exceptions_are_linked_to_one_program() {
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // It is about names.
    }
    let stage = stage("stage");
    let object = folder().join(format!("without-exceptions-{}.o", std::process::id()));
    let mut half = compiler("g++", &stage);
    half.args(["-std=c++17", "-fno-exceptions", "-c"]).arg(source("two_libraries.cc"));
    half.arg("-o").arg(&object);
    checked(half);
    let mut compiler = compiler("g++", &stage);
    // The linker takes what it finds first, were the names the same.
    compiler.args(["-std=c++17", "-DMAIN"]).arg(&object).arg(source("two_libraries.cc"));
    compiler.args(shared(&stage));
    run_with(&link(compiler, "two-modes"), &Sandbox::start().unwrap());
    std::fs::remove_file(object).unwrap();
}

fn has_libcxx() -> bool {
    let mut command = Command::new("clang++");
    command.args([
        "-stdlib=libc++",
        "-x",
        "c++",
        "-fsyntax-only",
        "-include",
        "string",
        "/dev/null",
    ]);
    let has = command.output().unwrap().status.success();
    if !has {
        skipped("no libc++", "libc++-dev is not installed");
    }
    has
}
