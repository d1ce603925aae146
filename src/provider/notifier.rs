//! Watches those that wait for a token without a thread of their own, all of them on one thread, which ends with
//! the last wait.

use std::collections::LinkedList;
use std::mem;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Wake, Waker};
use std::time::Instant;

use super::callbacks::call_each;
use crate::error::Error;
use crate::sync::{ignore_poison, lock};
use crate::sys::{memory, thread};

/// A wait, and whom to tell when it is over.
pub(super) trait Wait: Send {
    /// When it is over at the latest, as it looks now.
    fn deadline(&self) -> Option<Instant>;

    /// Wakes `waker` when it may be over.
    fn wake(&self, waker: &Waker);

    fn is_over(&self) -> bool;

    /// Called when it is over; gives itself back if it goes on after all.
    fn tell(self: Box<Self>) -> Option<Box<dyn Wait>>;
}

/// Moved from one to another without memory, of which there may be none.
type Waits = LinkedList<Box<dyn Wait>>;

#[derive(Default)]
pub(super) struct Notifier {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    waits: Waits,
    /// Whether there is a thread that watches them.
    is_watched: bool,
    /// Whether one of them may be over.
    is_woken: bool,
    /// When the thread looks at them next, if nobody wakes it.
    until: Option<Instant>,
}

impl Wake for Notifier {
    fn wake(self: Arc<Self>) {
        lock(&self.state).is_woken = true;
        self.woken.notify_one();
    }
}

impl Notifier {
    /// Tells `wait` on a thread of the library when it is over. Without one, or without memory (an error),
    /// it is never told.
    pub(super) fn watch(self: &Arc<Self>, wait: Box<dyn Wait>) -> Result<(), Error> {
        if memory::is_short() {
            return Err(Error::out_of_memory());
        }
        wait.wake(&Waker::from(self.clone()));
        let mut state = lock(&self.state);
        if !state.is_watched {
            let notifier = self.clone();
            thread::spawn(c"clazar-notify", move || notifier.run())
                .map_err(|error| Error::no_thread("the callback", &error))?;
            state.is_watched = true;
        }
        let is_earlier = wait
            .deadline()
            .is_some_and(|deadline| state.until.is_none_or(|until| deadline < until));
        // It may have woken the thread before it was there to be looked at.
        if is_earlier || wait.is_over() {
            state.is_woken = true;
            self.woken.notify_one();
        }
        state.waits.push_back(wait);
        Ok(())
    }

    fn run(&self) {
        while let Some(over) = self.next() {
            let tell = |wait: Box<dyn Wait>| {
                if let Some(wait) = wait.tell() {
                    lock(&self.state).waits.push_back(wait);
                }
            };
            if !call_each(over, tell) {
                return;
            }
        }
    }

    /// Blocks until some are over; `None` when there is none left.
    fn next(&self) -> Option<Waits> {
        let mut state = lock(&self.state);
        loop {
            state.is_woken = false;
            let over = take_those_over(&mut state.waits);
            state.until = state.waits.iter().filter_map(|wait| wait.deadline()).min();
            if !over.is_empty() {
                return Some(over);
            }
            if state.waits.is_empty() {
                state.is_watched = false;
                return None;
            }
            let left = state.until.map(|until| until.saturating_duration_since(Instant::now()));
            let asleep = |state: &mut State| !state.is_woken;
            state = match left {
                Some(left) => ignore_poison(self.woken.wait_timeout_while(state, left, asleep)).0,
                None => ignore_poison(self.woken.wait_while(state, asleep)),
            };
        }
    }
}

fn take_those_over(waits: &mut Waits) -> Waits {
    let (mut over, mut others) = (Waits::new(), Waits::new());
    while !waits.is_empty() {
        let rest = waits.split_off(1);
        let mut first = mem::replace(waits, rest);
        let is_over = first.iter().any(|wait| wait.is_over());
        if is_over { &mut over } else { &mut others }.append(&mut first);
    }
    *waits = others;
    over
}
