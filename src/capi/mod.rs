//! The C interface: it converts types, and nothing else. `include/clazar_auth.h` is made of these
//! comments, so they speak to C programmers.
#![allow(unsafe_code, non_camel_case_types)]

mod config;
mod error;
mod event;
mod failure;
mod guard;
mod library;
mod provider;
mod stats;
mod status;
mod text;
mod token;
