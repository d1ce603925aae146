//! When a token is due for renewal: pure arithmetic over plain values.

use std::time::Duration;

/// The last part of a token's life, in which it might die on its way to the API.
fn margin(lifetime: Duration) -> Duration {
    (lifetime / 20).min(Duration::from_secs(30))
}

/// Whether a token of this age must be replaced before it is used.
pub(super) fn is_due(age: Duration, lifetime: Duration) -> bool {
    age >= lifetime - margin(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_due_one_margin_before_its_end() {
        let seconds = Duration::from_secs;
        assert!(!is_due(seconds(86_369), seconds(86_400)));
        assert!(is_due(seconds(86_370), seconds(86_400)));
        assert!(!is_due(seconds(94), seconds(100)));
        assert!(is_due(seconds(95), seconds(100)));
    }
}
