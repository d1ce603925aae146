//! Offers the C interface: it converts types, and nothing else. `include/clazar_auth.h` is made of these
//! comments, so they speak to C programmers.
#![allow(unsafe_code, non_camel_case_types)]

mod authorization;
mod config;
mod error;
mod event;
mod event_info;
#[rustfmt::skip]
mod event_numbers;
mod failure;
mod guard;
mod library;
#[rustfmt::skip]
mod options;
mod provider;
mod seal;
mod stats;
#[rustfmt::skip]
mod stats_fields;
#[rustfmt::skip]
mod status;
mod text;
mod time;
mod token;
mod token_async;
