//! Calls of C functions, one after the other: a byte that says which, one for a size, and a text that ends in NUL.

use std::ffi::{CStr, CString, c_char};
use std::panic;
use std::ptr::{dangling_mut, null, null_mut};
use std::sync::LazyLock;

use clazar_auth::fuzzing::store;

use crate::c_api::*;
use crate::common::{CLIENT, SECRET, URL, check_text, credentials};

/// So many calls are enough to meet each state.
const MOST_CALLS: usize = 32;
const AUTHORIZATION: &str = "Bearer not-a-real-token";

/// A blob with a token.
static BLOB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    // The library lets panics print nothing from its first handle on; here they are to be seen.
    drop(Config::new());
    drop(panic::take_hook());
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970").as_millis();
    let text = format!(
        "{{\"token\":\"not-a-real-token\",\"lifetime\":86400000,\"sent\":{now},\"stamps\":[],\
         \"is_replacement\":false}}"
    );
    store::seal(URL, &credentials(), text.as_bytes())
});

pub fn run(data: &[u8]) {
    let blob = &*BLOB;
    let config = Config::new();
    config.set(clazar_config_set_client_id, CLIENT);
    config.set(clazar_config_set_client_secret, SECRET);
    config.set(clazar_config_set_auth_url, URL);
    let provider = config.provider().expect("the configuration is valid");
    // SAFETY: the provider lives, and the blob has so many bytes.
    let status =
        unsafe { clazar_provider_unseal(provider.0, blob.as_ptr(), blob.len(), null_mut()) };
    assert_eq!(status, OK);

    let mut rest = data;
    for _ in 0..MOST_CALLS {
        let [function, size, text @ ..] = rest else { break };
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        call(&config, &provider, *function, *size, &text[..end]);
        rest = text.get(end + 1..).unwrap_or_default();
    }
}

fn call(config: &Config, provider: &Provider, function: u8, size: u8, bytes: &[u8]) {
    let text = CString::new(bytes).expect("it ends at the first NUL");
    let text = if size == 0 { null() } else { text.as_ptr() };
    let is_text = size > 0 && std::str::from_utf8(bytes).is_ok() && bytes.len() <= 64 * 1024;
    let function = usize::from(function);
    match SETTERS.get(function) {
        Some(set) => {
            // SAFETY: the configuration lives; the text is NULL, or ends in NUL.
            let status = unsafe { set(config.0, text) };
            assert_eq!(status == OK, is_text, "{status}");
        }
        None => match function - SETTERS.len() {
            0 => drop(config.provider()),
            1 => check_url(provider, text),
            2 => authorization(provider, size.into()),
            3 => seal(provider, usize::from(size) * 64),
            4 => unseal(provider, bytes),
            5 => allowed_hosts(config, bytes, size),
            6 => names(size),
            // SAFETY: the configuration lives.
            7 => assert_eq!(OK, unsafe {
                clazar_config_set_timeout_ms(config.0, u64::from(size) << (size / 4))
            }),
            _ => {}
        },
    }
}

fn check_url(provider: &Provider, url: *const c_char) {
    // SAFETY: the provider lives, and the URL is NULL or ends in NUL.
    checked(|error| unsafe { clazar_provider_check_url(provider.0, url, error) });
}

/// A buffer of exactly this size, all of which is written, or nothing.
fn authorization(provider: &Provider, size: usize) {
    let mut buffer = vec![b'#'; size];
    let mut length = usize::MAX;
    let status = checked(|error| {
        let buffer = buffer.as_mut_ptr().cast();
        // SAFETY: the provider lives, and the buffer has this size.
        unsafe { clazar_provider_authorization(provider.0, buffer, size, &mut length, error) }
    });
    let needed = AUTHORIZATION.len() + 1;
    if size < needed {
        assert_eq!((status, length), (BUFFER_TOO_SMALL, needed));
        assert!(buffer.iter().all(|&b| b == b'#'));
    } else {
        assert_eq!((status, length), (OK, needed - 1));
        assert_eq!(buffer[..needed], *[AUTHORIZATION.as_bytes(), b"\0"].concat());
        assert!(buffer[needed..].iter().all(|&b| b == b'#'));
    }
}

fn seal(provider: &Provider, size: usize) {
    let mut buffer = vec![b'#'; size];
    let mut length = usize::MAX;
    let status = checked(|error| {
        // SAFETY: the provider lives, and the buffer has this size.
        unsafe { clazar_provider_seal(provider.0, buffer.as_mut_ptr(), size, &mut length, error) }
    });
    if size < length {
        assert_eq!(status, BUFFER_TOO_SMALL);
        assert!(buffer.iter().all(|&b| b == b'#'));
    } else {
        assert_eq!(status, OK);
        assert!(store::open(URL, &credentials(), &buffer[..length]).is_some());
    }
}

fn unseal(provider: &Provider, bytes: &[u8]) {
    let blob = bytes.to_vec();
    // SAFETY: the provider lives, and the blob has so many bytes.
    checked(|error| unsafe {
        clazar_provider_unseal(provider.0, blob.as_ptr(), blob.len(), error)
    });
}

/// Hosts with a line for each; an empty one is NULL.
fn allowed_hosts(config: &Config, bytes: &[u8], most: u8) {
    let lines = bytes.split(|&b| b == b'\n').take(most.into());
    let hosts: Vec<_> = lines.map(|line| CString::new(line).expect("it has no NUL")).collect();
    let pointers = hosts.iter().map(|host| if host.is_empty() { null() } else { host.as_ptr() });
    let pointers: Vec<_> = pointers.collect();
    // SAFETY: there are so many, each NULL or a text that ends in NUL.
    let status =
        unsafe { clazar_config_set_allowed_hosts(config.0, pointers.as_ptr(), pointers.len()) };
    let are_texts = hosts.iter().all(|host| !host.is_empty() && host.to_str().is_ok());
    assert_eq!(status == OK, are_texts, "{status}");
}

fn names(number: u8) {
    // SAFETY: it takes any number, and its texts end in NUL and live for ever.
    let name = unsafe { CStr::from_ptr(clazar_status_name(i32::from(number) - 128)) };
    assert!(
        name.to_str().is_ok_and(|name| name.starts_with("CLAZAR_") || name == "unknown status"),
        "{name:?}"
    );
}

/// A status, which says what the error says.
fn checked(call: impl FnOnce(*mut *mut ClazarError) -> i32) -> i32 {
    let mut error = null_mut();
    let status = call(&mut error);
    // SAFETY: it is NULL or an error, which is freed once.
    unsafe {
        assert_ne!(status, INTERNAL);
        assert_eq!(status == OK, error.is_null());
        assert_eq!(clazar_error_code(error), status);
        if status != OK {
            check_message(CStr::from_ptr(clazar_error_message(error)));
        }
        clazar_error_free(error);
    }
    status
}

fn check_message(message: &CStr) {
    check_text(message.to_str().expect("a message is UTF-8"));
}

struct Config(*mut ClazarConfig);

impl Config {
    fn new() -> Self {
        let mut config = null_mut();
        // SAFETY: the out-parameter may be written to.
        assert_eq!(checked(|error| unsafe { clazar_config_new(&mut config, error) }), OK);
        Self(config)
    }

    fn set(&self, set: Setter, text: &str) {
        let text = CString::new(text).expect("it has no NUL");
        // SAFETY: the configuration lives, and the text ends in NUL.
        assert_eq!(unsafe { set(self.0, text.as_ptr()) }, OK);
    }

    fn provider(&self) -> Option<Provider> {
        let mut provider = dangling_mut();
        // SAFETY: the configuration lives, and the out-parameter may be written to.
        let status = checked(|error| unsafe { clazar_provider_new(self.0, &mut provider, error) });
        assert_eq!(status == OK, !provider.is_null(), "NULL on failure, whatever it was before");
        (status == OK).then_some(Provider(provider))
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { clazar_config_free(self.0) };
    }
}

struct Provider(*mut ClazarProvider);

impl Drop for Provider {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { clazar_provider_free(self.0) };
    }
}
