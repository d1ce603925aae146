//! Tells events to a callback.

use std::ffi::c_void;
use std::sync::Arc;

use super::config::{change, clazar_config};
use super::event_info::{clazar_event_info, with_info};
use super::status::clazar_status;
use crate::binding::{Event, Listener};

/// Takes an event, which is never NULL and valid during the call, as is all that it points to.
///
/// It is called on a thread of the library, on which all signals are blocked; on several at once if
/// need be, so that an event may overtake another. If none can be started, the next one tells what has
/// happened since, the last 100 events at most. Those that waited for the token have it by then, no lock
/// is held, and nobody waits for the callback: it may call any function of the library, even close the
/// provider or free its last handle, and may take as long as it likes, though each event that it has not
/// returned from keeps its thread. It must return: a C++ exception must not leave it, nor may it call
/// `pthread_exit` or cancel its own thread, which aborts the process.
pub type clazar_event_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const clazar_event_info)>;

/// Frees what belongs to a callback. It may be called on any thread; a C++ exception must not leave
/// it.
pub type clazar_destroy_callback = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// Sets the function that gets the events of each provider made with this configuration; it replaces one
/// set before. A provider keeps the callback and the context that it was made with: two of one
/// configuration are told apart by another context, set before the second `clazar_provider_new`.
///
/// @param config the configuration to change.
/// @param callback what to call; NULL for none.
/// @param context passed to it as it is; any thread may use it. May be NULL.
/// @param destroy called once with `context`, after the last event: when the configuration is freed or
///   got another callback, all handles on providers made with it are freed, and no token request
///   is under way. May be NULL.
/// @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL; `destroy` is then not
///   called.
///
/// For one thread at a time, as all that changes a configuration.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clazar_config_set_event_callback(
    config: *mut clazar_config,
    callback: clazar_event_callback,
    context: *mut c_void,
    destroy: clazar_destroy_callback,
) -> clazar_status {
    // SAFETY: the caller passes NULL or a live configuration.
    unsafe {
        change(config, |config| {
            let told = Arc::new(Callback { callback, context, destroy });
            config.config.listener =
                Some(Listener::Callback(Arc::new(move |event| told.call(event))));
            Ok(())
        })
    }
}

struct Callback {
    callback: clazar_event_callback,
    context: *mut c_void,
    destroy: clazar_destroy_callback,
}

// SAFETY: the caller promises that any thread may use the context.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Callback {
    fn call(&self, event: &Event) {
        if let Some(callback) = self.callback {
            // SAFETY: the caller gave the function for this context, and the event outlives the call.
            with_info(event, |info| unsafe { callback(self.context, info) });
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the caller gave the function for this context, and nobody calls back any more.
            unsafe { destroy(self.context) };
        }
    }
}
