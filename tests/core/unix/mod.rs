//! What only the systems of POSIX have.

mod files;
mod store;
mod text;
mod trust;
