//! Reads what `look.lua` says.

use std::time::Duration;

use super::answer::Answer;
use crate::store::session::StoredItem;
use crate::store::stamp::Stamp;

/// The store's time, and what its items hold.
pub(super) type Looked = (Stamp, Vec<Option<StoredItem>>);

pub(super) fn looked(answer: Answer) -> Option<Looked> {
    let Answer::List(answers) = answer else { return None };
    let mut answers = answers.into_iter();
    let [seconds, micros] = [decimal(&answers.next()?)?, decimal(&answers.next()?)?];
    let now = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros))?;
    let mut items = Vec::new();
    while let Some(value) = answers.next() {
        items.push(stored(value, answers.next()?)?);
    }
    Some((Stamp::unix(now), items))
}

fn decimal(answer: &Answer) -> Option<u64> {
    let Answer::Bytes(digits) = answer else { return None };
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What has no end has a negative number there.
fn stored(value: Answer, left: Answer) -> Option<Option<StoredItem>> {
    let (Answer::Bytes(blob), Answer::Number(left)) = (value, left) else { return None };
    let left = u64::try_from(left).ok().map(Duration::from_millis);
    Some((!blob.is_empty()).then_some(StoredItem { blob, left }))
}
