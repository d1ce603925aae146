//! Certificates that Windows or macOS trusts, or distrusts, by a list of its own.

/// Certificates, each in DER.
pub(crate) struct SystemRoots {
    pub(crate) trusted: Vec<Vec<u8>>,
    pub(crate) distrusted: Vec<Vec<u8>>,
    /// Whether all that are not in `trusted` are not trusted.
    pub(crate) is_complete: bool,
}
