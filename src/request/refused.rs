//! Remembers which tokens the API refused.

use std::sync::Arc;

use crate::token::AccessToken;

/// Who may write to a store can play back no more tokens than this to a process that was told of each.
const MOST: usize = 64;

/// The hashes of the last of them, the newest first. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Refused(Arc<[[u8; 32]]>);

impl Refused {
    pub(crate) fn add(&mut self, token: &AccessToken) {
        let older = self.0.iter().copied().take(MOST - 1);
        self.0 = std::iter::once(token.digest()).chain(older).collect();
    }

    pub(crate) fn contains(&self, token: &AccessToken) -> bool {
        self.0.contains(&token.digest())
    }
}
