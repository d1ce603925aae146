//! What only the systems of POSIX have.

mod environment;
mod files;
mod store;
mod text;
mod trust;
