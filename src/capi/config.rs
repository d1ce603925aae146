//! The settings.

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use super::failure::clazar_error;
use super::status::clazar_status;
use super::{guard, text};
use crate::binding::{Config, Secret, SecretSource};
use crate::{Error, Options};

/// Settings for `clazar_provider_new` and `clazar_authenticate`, which check them.
/// For one thread at a time.
pub struct clazar_config {
    pub(super) config: Config,
}

/// Makes settings without credentials. No environment variable is read.
///
/// @param config set to the new settings, which the caller frees with `clazar_config_free`; NULL on
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

/// Makes settings from the environment variables `CLAZAR_CLIENT_ID`, `CLAZAR_CLIENT_SECRET` or
/// `CLAZAR_CLIENT_SECRET_FILE`, `CLAZAR_AUTH_URL` and `CLAZAR_STORE`, which are read now and never
/// again. Those that are unset may be set by the functions below.
///
/// @param config set to the new settings, which the caller frees with `clazar_config_free`; NULL on
///   failure.
/// @param error set to NULL, or to an error that the caller frees; may be NULL.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if a variable is not UTF-8, or both
///   secrets are set.
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
    // SAFETY: the caller vouches for the out-parameters; `needed` refuses a null one.
    unsafe {
        guard::clear(config);
        guard::run(error, || {
            guard::needed(config, "config")?;
            guard::hand_out(config, clazar_config { config: make()? });
            Ok(())
        })
    }
}

/// Frees settings, and wipes the secret in them. NULL is allowed and does nothing.
///
/// @param config settings, or NULL.
///
/// Thread-safe, as the last use of this handle.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_free(config: *mut clazar_config) {
    // SAFETY: the caller passes NULL or settings that it does not use again.
    unsafe { guard::free(config) };
}

/// Sets the client id.
///
/// @param config the settings to change.
/// @param client_id NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_client_id(
    config: *mut clazar_config,
    client_id: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe {
        set(config, client_id, |config, text| config.credentials.client_id = Some(text.into()))
    }
}

/// Sets the client secret, and forgets a file set before. The caller may wipe its own copy
/// with `clazar_memzero`.
///
/// @param config the settings to change.
/// @param client_secret NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_client_secret(
    config: *mut clazar_config,
    client_secret: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe {
        set(config, client_secret, |config, text| {
            config.credentials.client_secret = Some(SecretSource::Given(Secret::new(text)));
        })
    }
}

/// Sets the path of a file that holds the client secret, and forgets a secret set before. One
/// newline at the file's end is dropped. A provider reads it when it is made, and again when the
/// API refuses the secret; a changed one is then tried at once.
///
/// @param config the settings to change.
/// @param path NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_client_secret_file(
    config: *mut clazar_config,
    path: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe {
        set(config, path, |config, text| {
            config.credentials.client_secret = Some(SecretSource::file(text));
        })
    }
}

/// Sets a second client secret, for the time of a rotation: it is tried once when the first is
/// refused, and the one that works stays in use.
///
/// @param config the settings to change.
/// @param client_secret NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_client_secret_fallback(
    config: *mut clazar_config,
    client_secret: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe {
        set(config, client_secret, |config, text| {
            config.credentials.fallback = Some(Secret::new(text));
        })
    }
}

/// Sets where to authenticate: https, or http to a loopback host. Default:
/// "https://api.clazar.io/authenticate/", whose trailing slash matters.
///
/// @param config the settings to change.
/// @param url NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_auth_url(
    config: *mut clazar_config,
    url: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe { set_option(config, url, |options, text| options.auth_url(text)) }
}

/// Sets the path of a PEM file of certificate authorities to trust besides the system's, or of a
/// folder of such files. It is read by `clazar_provider_new`, and again when it has changed or a
/// certificate was refused.
///
/// @param config the settings to change.
/// @param path NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_ca_file(
    config: *mut clazar_config,
    path: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe { set_option(config, path, |options, text| options.ca_file(text)) }
}

/// Sets the HTTP proxy for https URLs, such as "http://user:password@proxy:3128"; "" means none.
/// Default: the environment's `HTTPS_PROXY`, except for the hosts in `NO_PROXY`.
///
/// @param config the settings to change.
/// @param url NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_proxy(
    config: *mut clazar_config,
    url: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe { set_option(config, url, |options, text| options.proxy(text)) }
}

/// Sets whether the environment may name a proxy (`HTTPS_PROXY`, `NO_PROXY`), the authorities to
/// trust in place of the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`), and the folder of the store
/// "file", which cannot be used without. Default: true. `clazar_config_new_from_env` reads its
/// variables whatever is said here.
///
/// @param config the settings to change.
/// @param trust whether these variables have a say.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_trust_env(
    config: *mut clazar_config,
    trust: bool,
) -> clazar_status {
    // SAFETY: the caller passes NULL or live settings.
    unsafe { set_value(config, |options| options.trust_env(trust)) }
}

/// Sets whether to trust the system's certificate authorities, or those that `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name in their place. Default: true. With false, those of
/// `clazar_config_set_ca_file` alone are trusted.
///
/// @param config the settings to change.
/// @param trust whether to trust others than those of the ca_file.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_system_roots(
    config: *mut clazar_config,
    trust: bool,
) -> clazar_status {
    // SAFETY: the caller passes NULL or live settings.
    unsafe { set_value(config, |options| options.system_roots(trust)) }
}

/// Sets the User-Agent header (RFC 9110 section 10.1.5). Default: "clazar-auth/<version>".
///
/// @param config the settings to change.
/// @param user_agent NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_user_agent(
    config: *mut clazar_config,
    user_agent: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe { set_option(config, user_agent, |options, text| options.user_agent(text)) }
}

/// Sets where a provider keeps its token besides memory, for other processes: "memory" (nowhere
/// else), "file" (a file of this user's: in the folder clazar-auth of `$XDG_RUNTIME_DIR`, else of
/// `$XDG_CACHE_HOME`, else of ~/.cache; these variables are read by `clazar_provider_new`), the
/// path of a folder, which no other user may enter, or the URL of a Redis or Valkey, such as
/// "rediss://user:password@host:6379/0". The token is sealed with the client secret, which must
/// have at least 32 characters. Default: "memory".
///
/// @param config the settings to change.
/// @param store NUL-terminated UTF-8, which is copied.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL or not UTF-8.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_store(
    config: *mut clazar_config,
    store: *const c_char,
) -> clazar_status {
    // SAFETY: the caller passes live settings and a NUL-terminated text.
    unsafe { set(config, store, |config, text| config.store = Some(text.into())) }
}

/// Sets the hosts to which the token may go, in the place of all that were set before: those that
/// `clazar_provider_check_url` allows. Default: api.clazar.io, and the host and port of the
/// authentication URL.
///
/// @param config the settings to change.
/// @param hosts `count` NUL-terminated UTF-8 texts, which are copied: each a host or host:port, port
///   443 if unsaid, without wildcards; `clazar_provider_new` checks them. With a `count` of 0 it may
///   be NULL, and the token may go nowhere.
/// @param count how many there are.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument or a text is NULL, or a text
///   is not UTF-8; the settings are then as before.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_allowed_hosts(
    config: *mut clazar_config,
    hosts: *const *const c_char,
    count: usize,
) -> clazar_status {
    // SAFETY: the caller passes live settings, and `count` texts or NULL.
    unsafe {
        change(config, |config| {
            config.allowed_hosts = Some(text::read_all(hosts, count, "hosts")?);
            Ok(())
        })
    }
}

/// Sets the limit for one whole exchange, in milliseconds, above 0 and at most a day. Default:
/// 20,000.
///
/// @param config the settings to change.
/// @param timeout_ms the limit in milliseconds.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
///
/// For one thread at a time, as all that changes settings.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_timeout_ms(
    config: *mut clazar_config,
    timeout_ms: u64,
) -> clazar_status {
    let timeout = Duration::from_millis(timeout_ms);
    // SAFETY: the caller passes NULL or live settings.
    unsafe { set_value(config, |options| options.timeout(timeout)) }
}

/// # Safety
/// `config` must be null or live settings.
unsafe fn set_value(
    config: *mut clazar_config,
    apply: impl FnOnce(Options) -> Options,
) -> clazar_status {
    // SAFETY: the caller vouches for `config`.
    unsafe {
        change(config, |config| {
            set_options(config, apply);
            Ok(())
        })
    }
}

/// # Safety
/// `config` must be null or live settings, `value` null or a NUL-terminated text.
unsafe fn set(
    config: *mut clazar_config,
    value: *const c_char,
    apply: impl FnOnce(&mut Config, &str),
) -> clazar_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        change(config, |config| {
            apply(config, text::read(value, "the text")?);
            Ok(())
        })
    }
}

/// # Safety
/// As [`set`].
unsafe fn set_option(
    config: *mut clazar_config,
    value: *const c_char,
    apply: impl FnOnce(Options, &str) -> Options,
) -> clazar_status {
    let apply =
        |config: &mut Config, text: &str| set_options(config, |options| apply(options, text));
    // SAFETY: the caller vouches for both.
    unsafe { set(config, value, apply) }
}

fn set_options(config: &mut Config, apply: impl FnOnce(Options) -> Options) {
    config.options = apply(std::mem::take(&mut config.options));
}

/// # Safety
/// `config` must be null or live settings.
pub(super) unsafe fn change(
    config: *mut clazar_config,
    apply: impl FnOnce(&mut Config) -> Result<(), Error>,
) -> clazar_status {
    // SAFETY: a null error is allowed; the caller vouches for `config`.
    unsafe {
        guard::run(ptr::null_mut(), || {
            let config =
                config.as_mut().ok_or_else(|| Error::invalid("config must not be NULL"))?;
            Ok(apply(&mut config.config)?)
        })
    }
}
