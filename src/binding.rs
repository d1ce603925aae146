//! Lists what the bindings use besides the public items of this crate.

pub(crate) use crate::doctor::{Finding, Step, examine};
pub(crate) use crate::error::catch_panic;
pub(crate) use crate::interface::{
    Cause, EventKind, Level, OptionName, OptionRow, OptionType, Scope,
};
pub(crate) use crate::option_values::OptionValue;
pub(crate) use crate::provider::{CachedToken, Config, Event, Listener, Pending, TokenPoll};
pub(crate) use crate::queue::Queue;
pub(crate) use crate::secret::{Secret, SecretFunction, SourceError};
pub(crate) use crate::store::LONGEST_SEALED;
pub(crate) use crate::sync::lock;
#[cfg(feature = "python")]
pub(crate) use crate::sys::thread_end::held;
pub(crate) use crate::sys::{cancel, wipe};
pub(crate) use crate::token::LONGEST_VALUE;
pub(crate) use crate::unix_time::since_1970;
