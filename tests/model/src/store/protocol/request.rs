//! Makes the token request, and lets go who waits for it.

use super::{Act, Answer, spend};
use crate::store::properties::{self, Broken};
use crate::store::world::{Draft, Phase, Publication, Rest, Ticks, Token, Visit};

impl Act<'_> {
    pub(in crate::store) fn send(&mut self) -> Result<(), Broken> {
        let Phase::Send(draft) = self.visit().phase else { unreachable!("it has no turn") };
        self.world.seen.requests += 1;
        let (sent, number) = (self.world.now, self.world.seen.requests);
        self.visit().phase = Phase::Flight { draft, sent, number };
        properties::sends(self.setup, self.world)
    }

    pub(in crate::store) fn answer(&mut self, answer: Answer) -> Result<(), Broken> {
        let Phase::Flight { draft, sent, number } = self.visit().phase else {
            unreachable!("no request is under way")
        };
        match answer {
            Answer::Token => {
                self.got_token(draft, sent, number);
                // One that was to be sent anyway is none more.
                if draft.is_forced {
                    return properties::forces(self.setup, self.world, sent);
                }
            }
            Answer::Refusal => {
                spend(&mut self.world.left.refusals);
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
        let between = self.setup.between_forced;
        let host = self.host();
        let of_before =
            host.forced.filter(|forced| rules.renewal_keeps_mark && now - forced < between);
        let forced = if host.is_forcing { Some(looked) } else { of_before };
        if host.is_forcing {
            host.forced = Some(now);
        }
        host.is_forcing = false;
        let token = Token { number, stamp: stamp.unwrap_or(looked), forced, looked, sent };
        host.token = Some(token);
        self.finish(match stamp {
            Some(_) => Publication::Token { token, seen: draft.seen, tries: 0 },
            None => Publication::Nothing,
        });
    }

    /// Lets go who waits; what is left to do is done after that.
    pub(super) fn finish(&mut self, what: Publication) {
        let visit = self.host().visit.take().expect("a visit is under way");
        let Visit { odd, holds, .. } = visit;
        self.host().rest = Some(Rest { what, odd, holds, errors: 0 });
        self.settle();
    }
}
