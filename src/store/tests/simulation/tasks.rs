//! Plans what the hosts of a fleet do, each until its process ends.

use std::time::Duration;

use super::schedule::State;
use super::turns::Runner;

/// What runs on a host, until the next one is started there.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Process {
    pub(crate) host: usize,
    number: u32,
}

impl Process {
    const ANY: u32 = u32::MAX;
}

/// Something that a process does.
pub(super) struct Task {
    pub(super) process: Process,
    /// Whether time may pass meanwhile.
    takes_time: bool,
    act: Box<dyn FnOnce() + Send>,
}

impl Task {
    /// What takes no time needs no thread of its own, except that of one who waits for that very host.
    pub(super) fn may_run_on(&self, here: Option<Runner>) -> bool {
        !self.takes_time && here.is_none_or(|here| here.host != self.process.host)
    }

    pub(super) fn run(self) {
        (self.act)();
    }
}

impl State {
    /// What runs on a host now.
    pub(crate) fn process(&self, host: usize) -> Process {
        Process { host, number: self.hosts[host].process }
    }

    /// Ends what runs on a host; gives what runs there next.
    pub(crate) fn kill(&mut self, host: usize) -> Process {
        self.hosts[host].process += 1;
        self.process(host)
    }

    /// Has a process do something at some time that takes none, unless it has ended by then.
    pub(crate) fn plan(
        &mut self,
        at: Duration,
        process: Process,
        act: impl FnOnce() + Send + 'static,
    ) {
        self.plan_task(at, Task { process, takes_time: false, act: Box::new(act) });
    }

    /// The same for whichever process runs on a host by then.
    pub(crate) fn plan_for_host(
        &mut self,
        at: Duration,
        host: usize,
        act: impl FnOnce() + Send + 'static,
    ) {
        let process = Process { host, number: Process::ANY };
        self.plan(at, process, act);
    }

    /// Has a process do something now that lets time pass.
    pub(crate) fn plan_work(&mut self, process: Process, act: impl FnOnce() + Send + 'static) {
        self.plan_task(self.now, Task { process, takes_time: true, act: Box::new(act) });
    }

    /// Whether the process of a task still runs.
    pub(super) fn is_wanted(&self, task: &Task) -> bool {
        let Process { host, number } = task.process;
        !self.is_over() && (number == Process::ANY || number == self.hosts[host].process)
    }
}
