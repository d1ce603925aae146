//! Keeping a token outside the process.

mod seal;
