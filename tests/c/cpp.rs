//! `clazar_auth.hpp`, with each compiler and standard that it is for.

use clazar_auth::sandbox::Sandbox;

use crate::programs::{Sanitizer, amount, compiler, link, root, run_with, shared, stage};

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
        run_with(&program, &Sandbox::start().unwrap());
    }
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
    run_with(&link(compiler, "wrapper-static"), &Sandbox::start().unwrap());
}
