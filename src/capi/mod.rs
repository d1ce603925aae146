//! Offers the C interface: it converts types, and nothing else. `include/clazar_auth.h` is made of these
//! comments, so they speak to C programmers.
#![allow(unsafe_code, non_camel_case_types)]

mod config;
mod error;
mod event;
// The constants are for C alone.
#[allow(dead_code)]
#[rustfmt::skip]
mod event_kind;
mod failure;
mod guard;
mod library;
#[rustfmt::skip]
mod options;
mod provider;
mod stats;
#[rustfmt::skip]
mod stats_fields;
#[rustfmt::skip]
mod status;
mod text;
mod token;
mod token_async;
