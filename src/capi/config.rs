//! Makes and frees configurations.

use std::ffi::c_char;
use std::ptr;

use super::failure::clazar_error;
use super::status::clazar_status;
use super::{guard, text};
use crate::Error;
use crate::binding::{Config, OptionName, OptionValue};

/// Settings for `clazar_provider_new` and `clazar_authenticate`, which check them.
/// For one thread at a time.
pub struct clazar_config {
    pub(super) config: Config,
}

/// Makes a configuration without credentials. No environment variable is read.
///
/// @param config set to the new configuration, which the caller frees with `clazar_config_free`; NULL on
///   failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK` or `CLAZAR_ERR_INVALID_ARGUMENT`.
///
/// Thread-safe.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_new(
    config: *mut *mut clazar_config,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes valid out-parameters.
    unsafe { new(config, error, || Ok(Config::default())) }
}

/// Makes a configuration from the environment variables `CLAZAR_CLIENT_ID`, `CLAZAR_CLIENT_SECRET` or
/// `CLAZAR_CLIENT_SECRET_FILE`, `CLAZAR_AUTH_URL` and `CLAZAR_STORE`, which are read now and never
/// again. Those that are unset may be set by the functions below.
///
/// @param config set to the new configuration, which the caller frees with `clazar_config_free`; NULL on
///   failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if a variable is not UTF-8.
///
/// No other thread may change the environment during the call.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_new_from_env(
    config: *mut *mut clazar_config,
    error: *mut *mut clazar_error,
) -> clazar_status {
    // SAFETY: the caller passes valid out-parameters.
    unsafe {
        new(config, error, || {
            let mut config = Config::default();
            config.fill_from_env()?;
            Ok(config)
        })
    }
}

/// # Safety
/// The out-parameters must be null or valid for a write.
unsafe fn new(
    config: *mut *mut clazar_config,
    error: *mut *mut clazar_error,
    make: impl FnOnce() -> Result<Config, Error>,
) -> clazar_status {
    guard::silence_panics();
    // SAFETY: the caller vouches for the out-parameters; `check_not_null` refuses a null one.
    unsafe {
        guard::clear(config);
        guard::run(error, || {
            guard::check_not_null(config, "config")?;
            guard::write_handle(config, clazar_config { config: make()? });
            Ok(())
        })
    }
}

/// Frees a configuration, and wipes the secret in them. NULL is allowed and does nothing.
///
/// @param config a configuration, or NULL.
///
/// Thread-safe, as the last use of this handle.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_free(config: *mut clazar_config) {
    // SAFETY: the caller passes NULL or a configuration that it does not use again.
    unsafe { guard::free(config) };
}

/// Sets an option to what `value` makes of its name.
///
/// # Safety
/// `config` must be null or a live configuration.
pub(super) unsafe fn set(
    config: *mut clazar_config,
    option: OptionName,
    value: impl FnOnce(&str) -> Result<OptionValue, Error>,
) -> clazar_status {
    // SAFETY: the caller vouches for `config`.
    unsafe {
        change(config, |config| {
            config.set(option, value(option.row().name)?);
            Ok(())
        })
    }
}

/// As [`set`], to a text.
///
/// # Safety
/// `config` must be null or a live configuration, `text` null or a NUL-terminated text.
pub(super) unsafe fn set_text(
    config: *mut clazar_config,
    option: OptionName,
    text: *const c_char,
    value: impl FnOnce(&str) -> OptionValue,
) -> clazar_status {
    // SAFETY: the caller vouches for both.
    unsafe { set(config, option, |name| Ok(value(text::read(text, name)?))) }
}

/// # Safety
/// `config` must be null or a live configuration.
pub(super) unsafe fn change(
    config: *mut clazar_config,
    apply: impl FnOnce(&mut Config) -> Result<(), Error>,
) -> clazar_status {
    // SAFETY: a null error is allowed; the caller vouches for `config`.
    unsafe {
        guard::run(ptr::null_mut(), || {
            let config = config.as_mut().ok_or_else(|| guard::null("config"))?;
            Ok(apply(&mut config.config)?)
        })
    }
}
