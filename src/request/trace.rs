//! Records how far an attempt got, for the doctor.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::sync::lock;
use rustls::ProtocolVersion;
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Transport};

/// Where an attempt notes how far it got; by default nowhere.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<Traced>>);

struct Traced {
    reached: Mutex<Milestones>,
    /// Called after each change.
    watch: Box<dyn Fn(&Milestones) + Send + Sync>,
}

/// How far the last attempt got. The host is the API's, or the proxy's if one is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Milestones {
    pub(crate) found: Option<Found>,
    pub(crate) connected: bool,
    /// Whether the proxy opened the way to the API.
    pub(crate) tunnelled: bool,
    /// Of TLS with the API.
    pub(crate) protocol: Option<ProtocolVersion>,
    /// What the server's clock showed when it answered, and what ours did.
    pub(crate) clocks: Option<(SystemTime, SystemTime)>,
    /// Whether the certificate was refused because by our clock it has expired, or is not valid yet.
    pub(crate) is_out_of_time: bool,
}

/// A host and its addresses.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) addresses: Vec<IpAddr>,
}

impl Trace {
    pub(crate) fn new(watch: impl Fn(&Milestones) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Traced { reached: Mutex::default(), watch: Box::new(watch) })))
    }

    pub(crate) fn milestones(&self) -> Milestones {
        self.0.as_ref().map(|traced| lock(&traced.reached).clone()).unwrap_or_default()
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Milestones)) {
        if let Some(traced) = &self.0 {
            let mut reached = lock(&traced.reached);
            change(&mut reached);
            (traced.watch)(&reached);
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

/// Right after TCP: notes the connection, and then, on top of that, the proxy's tunnel.
impl<In: Transport> Connector<In> for Trace {
    type Out = In;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<In>, Error> {
        // The connection to the proxy itself is made without one.
        let is_tunnel = details.config.proxy().is_some();
        self.note(|reached| match is_tunnel {
            // A protocol that is known by now is the one spoken with the proxy.
            true => (reached.tunnelled, reached.protocol) = (true, None),
            false => reached.connected = true,
        });
        Ok(chained)
    }
}
