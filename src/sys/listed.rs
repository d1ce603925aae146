//! What a system says of certificate authorities, where it keeps that elsewhere than in files.

/// Certificates, each in DER.
pub(crate) struct Listed {
    pub(crate) trusted: Vec<Vec<u8>>,
    pub(crate) distrusted: Vec<Vec<u8>>,
    /// Whether all that are not in `trusted` are not trusted.
    pub(crate) is_whole: bool,
}
