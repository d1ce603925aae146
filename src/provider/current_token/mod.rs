//! Holds the token in use, which any thread reads without a lock.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwapOption, Guard};

use super::policy::{Schedule, TokenAge};
use crate::random;
use crate::sys::clock::Moment;
use crate::sys::fork;
use crate::token::AccessToken;

/// A token in use.
pub(crate) struct CachedToken {
    pub(super) token: Arc<AccessToken>,
    schedule: Schedule,
    /// When its refresh point comes: what each call compares with the clocks.
    refresh: Moment,
    /// A forked child has another refresh point, so that not all children renew at one moment.
    forks: u32,
    /// Whether it is out of use: another took its place, or none.
    replaced: AtomicBool,
    /// Whether it was told that this token is handed out although its renewal failed or is late.
    is_told: AtomicBool,
}

impl CachedToken {
    pub(super) fn new(token: Arc<AccessToken>, now: Moment) -> Self {
        let schedule = Schedule::new(token.lifetime(), token.age(now), random::fraction());
        let refresh = token.when(schedule.refresh());
        Self {
            token,
            schedule,
            refresh,
            forks: fork::count(),
            replaced: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        }
    }

    pub(super) fn age(&self, now: Moment) -> TokenAge {
        TokenAge { elapsed: self.token.age(now), schedule: self.schedule }
    }

    /// As [`TokenAge::is_fresh`], for less.
    #[inline]
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        now.is_before(self.refresh) && !self.is_inherited()
    }

    #[inline]
    fn is_inherited(&self) -> bool {
        self.forks != fork::count()
    }

    /// For a caller that holds on to it.
    #[inline]
    pub(super) fn is_in_use_and_fresh(&self, now: Moment) -> bool {
        !self.replaced.load(Ordering::Relaxed) && self.is_fresh(now)
    }

    /// Whether it is the first time that this is asked.
    pub(super) fn is_first_told(&self) -> bool {
        !self.is_told.swap(true, Ordering::Relaxed)
    }
}

/// The token in use, if any. It is replaced under the lock of the single flight alone.
#[derive(Default)]
pub(super) struct CurrentToken(ArcSwapOption<CachedToken>);

impl CurrentToken {
    /// In passing: without a lock, an allocation or a shared counter.
    pub(super) fn read(&self) -> Guard<Option<Arc<CachedToken>>> {
        self.0.load()
    }

    pub(super) fn get(&self) -> Option<Arc<CachedToken>> {
        self.0.load_full()
    }

    /// If its age at this moment is as `wanted`.
    pub(super) fn get_if(
        &self,
        now: Moment,
        wanted: impl FnOnce(&TokenAge) -> bool,
    ) -> Option<Arc<CachedToken>> {
        self.get().filter(|cached| wanted(&cached.age(now)))
    }

    pub(super) fn age(&self, now: Moment) -> Option<TokenAge> {
        self.read().as_ref().map(|cached| cached.age(now))
    }

    pub(super) fn publish(&self, token: Arc<AccessToken>, now: Moment) {
        self.replace(Some(Arc::new(CachedToken::new(token, now))));
    }

    pub(super) fn clear(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<Arc<CachedToken>>) {
        if let Some(last) = self.0.swap(next) {
            last.replaced.store(true, Ordering::Relaxed);
        }
    }

    /// Gives the token of a parent process a refresh point of this process's own.
    pub(super) fn draw_refresh_point(&self, now: Moment) {
        let inherited = self.get();
        if let Some(cached) = inherited.as_ref().filter(|cached| cached.is_inherited()) {
            let ours = CachedToken::new(cached.token.clone(), now);
            self.0.compare_and_swap(&inherited, Some(Arc::new(ours)));
        }
    }
}
