//! Looks for a token that will do, and waits for the turn to ask for one.

use super::{Act, Wire};
use crate::store::properties::{self, Broken};
use crate::store::world::{Backoff, Blob, Draft, Lease, Owner, Phase, Publication, Token};

impl Act<'_> {
    /// The next command of the access.
    pub(in crate::store) fn command(&mut self, wire: Wire) -> Result<(), Broken> {
        let phase = self.access().phase;
        if self.world.is_down || wire == Wire::LosesCommand {
            self.failed();
            return Ok(());
        }
        match phase {
            Phase::Look => self.look(false),
            Phase::LookAgain => self.look(true),
            Phase::Mark { seen, with_turn } => {
                self.mark(seen)?;
                if wire == Wire::Works {
                    let again = if with_turn { Phase::LookAgain } else { Phase::Look };
                    self.access().phase = again;
                } else {
                    self.failed();
                }
                Ok(())
            }
            Phase::Lock => self.lock(wire),
            Phase::Wait | Phase::Send(_) | Phase::Flight { .. } => unreachable!("no command"),
        }
    }

    /// Tries a second time, on a new connection; then goes on without the store.
    fn failed(&mut self) {
        let looked = self.world.now;
        let is_replacement = self.host().wants_replacement;
        let access = self.access();
        access.errors += 1;
        if access.errors > 1 {
            access.phase = Phase::Send(Draft { looked, stamp: None, seen: None, is_replacement });
        }
    }

    fn look(&mut self, with_turn: bool) -> Result<(), Broken> {
        let seen = self.world.store.token;
        if let Some(token) = seen.and_then(Blob::token)
            && self.rules().remembers_replacements
        {
            self.note_replacement(token);
        }
        if let Some(Blob::Sealed(token)) = seen {
            if self.fits(token) {
                properties::serves(self.world, self.place, token, self.setup.life)?;
                self.adopt(token);
                return Ok(());
            }
            if self.host().refused.has(token) && self.rules().marks_refused {
                self.access().phase = Phase::Mark { seen: token, with_turn };
                return Ok(());
            }
        }
        if self.is_backed_off()? {
            self.finish(Publication::Nothing);
        } else if with_turn {
            self.access().phase = self.draft(seen);
        } else {
            self.access().phase = Phase::Lock;
        }
        Ok(())
    }

    fn draft(&mut self, seen: Option<Blob>) -> Phase {
        let refused = self.host().ever_refused;
        self.world.seen.marked = self.world.seen.marked.union(refused);
        let sees_mark = matches!(seen, Some(Blob::Mark(_)));
        let is_replacement = self.host().wants_replacement || sees_mark;
        let (looked, stamp) = (self.world.now, Some(self.clock()));
        Phase::Send(Draft { looked, stamp, seen, is_replacement })
    }

    fn fits(&mut self, token: Token) -> bool {
        let is_newer = self.access().newer_than.is_none_or(|than| token.stamp > than);
        let is_valid = self.age(token.stamp).is_some_and(|age| age < self.setup.life);
        is_valid && is_newer && !self.host().refused.has(token)
    }

    fn adopt(&mut self, token: Token) {
        self.note_replacement(token);
        let host = self.host();
        host.wants_replacement = false;
        host.token = Some(token);
        self.finish(Publication::Nothing);
    }

    fn note_replacement(&mut self, token: Token) {
        let replacement = token.replacement.filter(|_| self.rules().shares_replacements);
        let host = self.host();
        host.last_replacement = host.last_replacement.max(replacement);
    }

    fn is_backed_off(&mut self) -> Result<bool, Broken> {
        let (now, wall, length) = (self.world.now, self.wall(), self.setup.backoff);
        match self.world.store.backoff {
            None => Ok(false),
            Some(Backoff::Garbage) if self.rules().backoff_sealed => Ok(false),
            Some(Backoff::Garbage) => {
                Err(Broken("S3: who has no seal keeps a host from its token by a false back-off"))
            }
            Some(Backoff::Sealed { since, truly_since }) => {
                let is_on = if self.rules().backoff_length {
                    since <= now && now < since + length
                } else {
                    wall < since + length
                };
                properties::backs_off(self.world, is_on, truly_since + length)?;
                Ok(is_on)
            }
        }
    }

    fn mark(&mut self, seen: Token) -> Result<(), Broken> {
        let stored = self.world.store.token;
        if stored == Some(Blob::Sealed(seen)) || !self.rules().compare_and_mark {
            properties::marks(self.world, self.place)?;
            self.world.store.token = Some(Blob::Mark(seen));
            self.world.seen.marked = self.world.seen.marked.with(seen);
        }
        Ok(())
    }

    fn lock(&mut self, wire: Wire) -> Result<(), Broken> {
        let odd = self.access().odd;
        let ours = self.owner(odd);
        let now = self.world.now;
        let lease = self.world.store.lease;
        let is_free = lease.is_none_or(|lease| {
            let is_over = match lease.expiry {
                Some(expiry) => expiry <= now,
                None => self.rules().takes_endless_lease,
            };
            is_over || lease.owner == ours || self.takes_over(lease.owner)
        });
        if is_free {
            self.take_lease();
        }
        match (wire, is_free) {
            (Wire::Works, true) => {
                self.access().holds = true;
                self.access().phase = match self.rules().looks_again {
                    true => Phase::LookAgain,
                    false => self.draft(self.world.store.token),
                };
            }
            (Wire::Works, false) => self.wait(lease.expect("somebody has it").owner),
            _ if self.rules().knows_own_lease => {
                self.access().holds = true;
                self.failed();
            }
            // A name is drawn for each try.
            _ => {
                self.access().odd = !odd;
                self.failed();
            }
        }
        Ok(())
    }

    /// Waits for a holder, or goes on alone.
    fn wait(&mut self, owner: Owner) {
        let now = self.world.now;
        let (patience, whole, rules) =
            (self.setup.patience(), self.setup.whole_wait(), self.rules());
        let access = self.access();
        // Whom a lease belongs to that was its own before.
        access.holds = false;
        let since = match access.holder {
            Some((known, since)) if known == owner || !rules.patience_anew => since,
            None if !rules.patience_anew => access.since,
            _ => now,
        };
        access.holder = Some((owner, since));
        let is_over = now - since >= patience && !rules.takes_over;
        if !is_over && (!rules.whole_limit || now - access.since < whole) {
            access.phase = Phase::Wait;
            return;
        }
        access.phase = Phase::LookAgain;
        self.world.seen.impatient += 1;
    }

    /// Whether it takes a lease over: the holder that it has waited for has had long enough, and is still this one.
    fn takes_over(&mut self, owner: Owner) -> bool {
        let (now, patience, rules) = (self.world.now, self.setup.patience(), self.rules());
        let Some((known, since)) = self.access().holder else { return false };
        let is_known = known == owner;
        let may =
            rules.takes_over && now - since >= patience && (is_known || !rules.compares_holder);
        // With another one it has not run out of patience.
        self.world.seen.impatient += u8::from(may && is_known);
        may
    }

    fn take_lease(&mut self) {
        let odd = self.access().odd;
        let (owner, expiry) = (self.owner(odd), Some(self.world.now + self.setup.lease()));
        self.world.store.lease = Some(Lease { owner, expiry });
    }
}
