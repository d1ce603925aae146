//! Initialises what ureq has once in a process, where no fork can come in between.
//!
//! Its first request makes a static text (`ACCEPTS`). A child that is forked while another thread does
//! that would wait for it for ever.

use std::sync::atomic::{AtomicBool, Ordering};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};
use ureq::{Agent, Error};

use crate::sys::fork;

/// To be called before the first request, on the thread of whoever is to make one.
pub(super) fn ensure(config: &Config, uri: &Uri) {
    // Not a `Once`, for the same reason.
    static READY: AtomicBool = AtomicBool::new(false);
    if !READY.load(Ordering::Acquire) {
        let agent = || Agent::with_parts(config.clone(), Nowhere, Nowhere);
        let _never_sent = fork::hold(|| agent().post(uri).send_empty());
        READY.store(true, Ordering::Release);
    }
}

/// Where a request ends before it is sent.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        Err(Error::HostNotFound)
    }
}

impl Connector for Nowhere {
    type Out = ();

    fn connect(
        &self,
        _details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<()>, Error> {
        Err(Error::ConnectionFailed)
    }
}
