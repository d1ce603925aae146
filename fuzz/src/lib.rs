//! Feeds what reads text from outside with arbitrary bytes, and says what must hold whatever they are.

mod c_api;
mod c_strings;
mod ca_file;
mod common;
mod credentials;
mod redis;
mod response;
mod retry_after;
mod sealed;
mod store_file;
mod url;

/// Panics if something does not hold.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: [(&str, Target); 9] = [
    ("c_strings", c_strings::run),
    ("ca_file", ca_file::run),
    ("credentials", credentials::run),
    ("redis", redis::run),
    ("response", response::run),
    ("retry_after", retry_after::run),
    ("sealed", sealed::run),
    ("store_file", store_file::run),
    ("url", url::run),
];
