//! Declares the C functions that are called, as `include/clazar_auth.h` does.

use std::ffi::c_char;

pub const OK: i32 = 0;
pub const BUFFER_TOO_SMALL: i32 = 2;
pub const INTERNAL: i32 = 13;

#[repr(C)]
pub struct ClazarConfig([u8; 0]);
#[repr(C)]
pub struct ClazarProvider([u8; 0]);
#[repr(C)]
pub struct ClazarError([u8; 0]);

pub type Setter = unsafe extern "C" fn(*mut ClazarConfig, *const c_char) -> i32;

/// All that set a text.
pub const SETTERS: [Setter; 9] = [
    clazar_config_set_client_id,
    clazar_config_set_client_secret,
    clazar_config_set_client_secret_file,
    clazar_config_set_client_secret_fallback,
    clazar_config_set_auth_url,
    clazar_config_set_ca_file,
    clazar_config_set_proxy,
    clazar_config_set_user_agent,
    clazar_config_set_store,
];

unsafe extern "C" {
    pub fn clazar_config_new(config: *mut *mut ClazarConfig, error: *mut *mut ClazarError) -> i32;
    pub fn clazar_config_free(config: *mut ClazarConfig);
    pub fn clazar_config_set_client_id(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_client_secret(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_client_secret_file(
        config: *mut ClazarConfig,
        text: *const c_char,
    ) -> i32;
    pub fn clazar_config_set_client_secret_fallback(
        config: *mut ClazarConfig,
        text: *const c_char,
    ) -> i32;
    pub fn clazar_config_set_auth_url(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_ca_file(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_proxy(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_user_agent(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_store(config: *mut ClazarConfig, text: *const c_char) -> i32;
    pub fn clazar_config_set_timeout_ms(config: *mut ClazarConfig, timeout_ms: u64) -> i32;
    pub fn clazar_config_set_allowed_hosts(
        config: *mut ClazarConfig,
        hosts: *const *const c_char,
        count: usize,
    ) -> i32;
    pub fn clazar_provider_new(
        config: *const ClazarConfig,
        provider: *mut *mut ClazarProvider,
        error: *mut *mut ClazarError,
    ) -> i32;
    pub fn clazar_provider_free(provider: *mut ClazarProvider);
    pub fn clazar_provider_check_url(
        provider: *const ClazarProvider,
        url: *const c_char,
        error: *mut *mut ClazarError,
    ) -> i32;
    pub fn clazar_provider_authorization(
        provider: *const ClazarProvider,
        buffer: *mut c_char,
        size: usize,
        length: *mut usize,
        error: *mut *mut ClazarError,
    ) -> i32;
    pub fn clazar_provider_seal(
        provider: *const ClazarProvider,
        buffer: *mut u8,
        size: usize,
        length: *mut usize,
        error: *mut *mut ClazarError,
    ) -> i32;
    pub fn clazar_provider_unseal(
        provider: *const ClazarProvider,
        blob: *const u8,
        size: usize,
        error: *mut *mut ClazarError,
    ) -> i32;
    pub fn clazar_error_code(error: *const ClazarError) -> i32;
    pub fn clazar_error_message(error: *const ClazarError) -> *const c_char;
    pub fn clazar_error_free(error: *mut ClazarError);
    pub fn clazar_status_name(status: i32) -> *const c_char;
}
