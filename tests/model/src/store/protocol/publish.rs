//! Leaves what came of a request in the store, and releases the lease.

use super::{Act, Wire};
use crate::store::properties::{self, Broken};
use crate::store::world::{Backoff, Blob, Publication, Rest, Token};

/// How often the write of a token is tried.
const TRIES: u8 = 3;

impl Act<'_> {
    fn rest(&mut self) -> &mut Rest {
        self.host().rest.as_mut().expect("something remains to be done")
    }

    pub(super) fn settle(&mut self) {
        let rest = self.host().rest;
        if rest.is_some_and(|rest| rest.what == Publication::Nothing && !rest.holds) {
            self.host().rest = None;
        }
    }

    /// The next command of what remains to be done.
    pub(in crate::store) fn publish(&mut self, wire: Wire) -> Result<(), Broken> {
        let what = self.rest().what;
        let is_left = match what {
            Publication::Token { token, before, seen, .. } => {
                self.is_kept_back(token) || self.leaves(seen, before, token)?
            }
            _ => false,
        };
        if is_left {
            self.rest().what = Publication::Nothing;
            self.settle();
            return Ok(());
        }
        let works = wire != Wire::LosesCommand && !self.world.is_down;
        let next = if works { self.publication(what)? } else { what };
        let is_lost = !works || wire == Wire::LosesAnswer;
        let rest = self.rest();
        rest.what = if is_lost { what } else { next };
        rest.errors += u8::from(is_lost);
        let is_released = !is_lost && what == Publication::Nothing;
        if is_released || rest.errors > 1 {
            self.host().rest = None;
        }
        self.settle();
        Ok(())
    }

    /// Lets a command take effect; gives what is then to be done.
    fn publication(&mut self, what: Publication) -> Result<Publication, Broken> {
        match what {
            Publication::Token { token, before, seen, tries } => {
                if self.world.store.token != seen && self.rules().compare_and_set {
                    let is_last = tries + 1 >= TRIES;
                    let again = Publication::LookFor { token, before, tries: tries + 1 };
                    return Ok(if is_last { Publication::Nothing } else { again });
                }
                self.write(token)?;
                Ok(Publication::Nothing)
            }
            Publication::LookFor { token, before, tries } => {
                let seen = self.world.store.token;
                Ok(Publication::Token { token, before, seen, tries })
            }
            Publication::Backoff => {
                let truly_since = self.world.now;
                let by_store = self.rules().backoff_length;
                let since = if by_store { truly_since } else { self.wall() };
                self.world.store.backoff = Some(Backoff::Sealed { since, truly_since });
                Ok(Publication::Nothing)
            }
            Publication::Nothing => {
                self.release();
                Ok(Publication::Nothing)
            }
        }
    }

    fn is_kept_back(&mut self, token: Token) -> bool {
        self.rules().keeps_back_refused && self.host().refused.has(token)
    }

    /// Whether what was seen stays, rather than being written over by `token`.
    fn leaves(
        &mut self,
        seen: Option<Blob>,
        before: Option<Token>,
        token: Token,
    ) -> Result<bool, Broken> {
        let Some(seen) = seen else { return Ok(false) };
        let other = seen.token();
        let age = other.and_then(|other| self.age(other.stamp));
        let (Some(other), Some(_)) = (other, age) else {
            if self.rules().overwrites_unusable {
                return Ok(false);
            }
            return Err(Broken("S3: what nobody can use is left where the token belongs"));
        };
        let was_there = before == Some(other) && self.rules().knows_what_was_there;
        Ok(!was_there && other.stamp >= token.stamp && self.rules().leaves_newer)
    }

    fn write(&mut self, token: Token) -> Result<(), Broken> {
        properties::publishes(self.world, self.place, token)?;
        self.world.store.token = Some(Blob::Sealed(token));
        if self.world.left.replays > 0 {
            self.world.copies.push(token);
        }
        Ok(())
    }

    fn release(&mut self) {
        let odd = self.rest().odd;
        let ours = self.owner(odd);
        let is_ours = self.world.store.lease.is_some_and(|lease| lease.owner == ours);
        if is_ours || !self.rules().release_checks_owner {
            self.world.store.lease = None;
        }
    }
}
