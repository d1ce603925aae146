//! Tells whether this process may do more than the user who started it.

/// Never: Windows starts no program with the rights of its file's owner.
pub(crate) fn are_raised() -> bool {
    false
}
