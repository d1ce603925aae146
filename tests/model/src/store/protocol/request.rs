//! Makes the token request, and lets go who waits for it.

use super::{Act, Answer, spend};
use crate::store::properties::{self, Broken};
use crate::store::world::{Access, Blob, Draft, Phase, Publication, Rest, Ticks, Token};

impl Act<'_> {
    pub(in crate::store) fn send(&mut self) -> Result<(), Broken> {
        let Phase::Send(draft) = self.access().phase else { unreachable!("it has no turn") };
        self.world.seen.requests += 1;
        let (sent, number) = (self.world.now, self.world.seen.requests);
        self.access().phase = Phase::Flight { draft, sent, number };
        properties::sends(self.setup, self.world)
    }

    pub(in crate::store) fn answer(&mut self, answer: Answer) -> Result<(), Broken> {
        let Phase::Flight { draft, sent, number } = self.access().phase else {
            unreachable!("no request is under way")
        };
        match answer {
            Answer::Token => {
                self.got_token(draft, sent, number);
                // One that was to be sent anyway is none more.
                if draft.is_replacement {
                    return properties::replaces(self.setup, self.world, sent);
                }
            }
            Answer::Failure => {
                spend(&mut self.world.left.failures);
                self.finish(Publication::Backoff);
            }
            Answer::OwnTrouble => {
                spend(&mut self.world.left.own_troubles);
                self.finish(Publication::Nothing);
            }
        }
        Ok(())
    }

    fn got_token(&mut self, draft: Draft, sent: Ticks, number: u8) {
        let rules = self.rules();
        let stamp = if rules.stamp_before { draft.stamp } else { Some(self.clock()) };
        let looked = draft.looked;
        let now = self.world.now;
        let between = self.setup.between_replacements;
        let host = self.host();
        let of_before = host
            .last_replacement
            .filter(|last| rules.remembers_replacements && now - last < between);
        let is_replacement = host.wants_replacement || draft.is_replacement && rules.marks_say_why;
        let replacement = if is_replacement { Some(looked) } else { of_before };
        if host.wants_replacement {
            host.last_replacement = Some(now);
        }
        host.wants_replacement = false;
        let token = Token { number, stamp: stamp.unwrap_or(looked), replacement, looked, sent };
        host.token = Some(token);
        self.finish(match stamp {
            Some(_) => {
                let before = draft.seen.and_then(Blob::token);
                Publication::Token { token, before, seen: draft.seen, tries: 0 }
            }
            None => Publication::Nothing,
        });
    }

    /// Lets go who waits; what is left to do is done after that.
    pub(super) fn finish(&mut self, what: Publication) {
        let access = self.host().access.take().expect("an access is under way");
        let Access { odd, holds, .. } = access;
        self.host().rest = Some(Rest { what, odd, holds, errors: 0 });
        self.settle();
    }
}
