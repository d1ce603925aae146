//! What several tests share: servers on loopback, certificates for them, and a look at the sources.

pub mod certificates;
pub mod server;
pub mod sources;
