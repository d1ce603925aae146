//! Tells a forked child that it is one: locks, threads and connections of the parent mean nothing there.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many forks lie between this process and the one that first called [`watch`].
static FORKS: AtomicU32 = AtomicU32::new(0);

const NONE: i32 = -1;
/// Descriptors that a child must not keep.
static OURS_ALONE: [AtomicI32; 1024] = [const { AtomicI32::new(NONE) }; 1024];

/// How many forks this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);
/// How many threads fork, and how many cannot bear it just now.
static FORKING: AtomicU32 = AtomicU32::new(0);
static HOLDING: AtomicU32 = AtomicU32::new(0);
/// For how long either waits for the other; what they do takes far less.
const LONGEST_HOLD: Duration = Duration::from_secs(1);
/// In a process that forks without a pause, a child may keep what was opened this often.
const MOST_OPENED: u32 = 3;

/// The number of forks between the process that first called [`watch`] and this one: without a system
/// call.
#[inline]
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Another number in each process of those that fork from one another.
///
/// The process id tells those apart that were forked past the handlers, as `_Fork` does.
pub(crate) fn generation() -> u64 {
    u64::from(count()) << 32 | u64::from(std::process::id())
}

/// Has forks counted, held off and followed by [`in_child`] from now on.
///
/// An atomic and no `Once`: a fork in the middle of a `Once` would leave it locked in the child. Two
/// threads may both come to register; what the handlers do may be done twice.
pub(crate) fn watch() {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.load(Ordering::Acquire) {
        // SAFETY: the handlers use atomics, a clock, sched_yield() and close(), which are allowed in a
        // forked child and in a signal handler that forks, and they live as long as the library.
        let status =
            unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
        // Without memory for it, the next one tries again.
        WATCHING.store(status == 0, Ordering::Release);
    }
}

extern "C" fn before_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    wait_until(|| HOLDING.load(Ordering::SeqCst) == 0);
}

extern "C" fn in_parent() {
    MADE.fetch_add(1, Ordering::SeqCst);
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    FORKING.store(0, Ordering::SeqCst);
    HOLDING.store(0, Ordering::SeqCst);
    for slot in &OURS_ALONE {
        // Looked at first, since each write would copy a page.
        if slot.load(Ordering::Relaxed) == NONE {
            continue;
        }
        let descriptor = slot.swap(NONE, Ordering::Relaxed);
        if descriptor != NONE {
            // SAFETY: the descriptor was open in the parent at the time of the fork, and its owner is a
            // thread that the child does not have, or one that finds the slot empty.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// Runs `work`, which must be short and must not block, while no fork of another thread happens.
pub(crate) fn hold<T>(work: impl FnOnce() -> T) -> T {
    watch();
    let in_time = wait_until(|| {
        HOLDING.fetch_add(1, Ordering::SeqCst);
        let is_held = FORKING.load(Ordering::SeqCst) == 0;
        if !is_held {
            HOLDING.fetch_sub(1, Ordering::SeqCst);
        }
        is_held
    });
    // Not `then_some`, which makes and so drops one in any case.
    let _release = if in_time { Some(Release) } else { None };
    work()
}

struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        // None are left in a child of a signal handler that forked in between.
        let one_less = |holding: u32| holding.checked_sub(1);
        let _ = HOLDING.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
    }
}

/// Whether `condition` came true in time. That nobody waits for ever, whatever a handler of the host's
/// does meanwhile, is worth more.
fn wait_until(condition: impl Fn() -> bool) -> bool {
    let mut since = None;
    while !condition() {
        if since.get_or_insert_with(Instant::now).elapsed() > LONGEST_HOLD {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// A lock or a connection that a forked child neither inherits nor uses.
pub(crate) struct ClosedInChild<T> {
    inner: ManuallyDrop<T>,
    /// None if all were taken: then a child inherits the descriptor, and does not use it either.
    slot: Option<&'static AtomicI32>,
    generation: u64,
}

impl<T: AsFd> ClosedInChild<T> {
    /// What `open` opens, however long that takes; once more if a fork came in between, since the child
    /// has the first.
    pub(crate) fn open<E>(open: impl Fn() -> Result<T, E>) -> Result<Self, E> {
        watch();
        let mut opened = 0;
        loop {
            let forks = MADE.load(Ordering::SeqCst);
            let inner = open()?;
            opened += 1;
            let is_ours = || opened == MOST_OPENED || MADE.load(Ordering::SeqCst) == forks;
            match hold(|| if is_ours() { Ok(Self::registered(inner)) } else { Err(inner) }) {
                Ok(ours) => return Ok(ours),
                Err(inherited) => drop(inherited),
            }
        }
    }

    fn registered(inner: T) -> Self {
        let number = inner.as_fd().as_raw_fd();
        let free = |slot: &&AtomicI32| {
            slot.compare_exchange(NONE, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let slot = OURS_ALONE.iter().find(free);
        Self { inner: ManuallyDrop::new(inner), slot, generation: generation() }
    }

    /// `None` in a child of the process that opened it.
    pub(crate) fn get(&self) -> Option<&T> {
        (self.generation == generation()).then_some(&self.inner)
    }
}

impl<T> Drop for ClosedInChild<T> {
    fn drop(&mut self) {
        // In a child it is closed already, and the number may be another's by now.
        let is_open = self.slot.is_none_or(|slot| slot.swap(NONE, Ordering::Relaxed) != NONE);
        if is_open {
            // No fork waits for this, since a disk may take its time: a child that comes in between keeps
            // a descriptor of what its owner has unlocked or shut down.
            // SAFETY: it is used by nobody any more, here as little as anywhere.
            unsafe { ManuallyDrop::drop(&mut self.inner) };
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;
    use std::fs::File;
    use std::os::fd::BorrowedFd;
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

    use super::*;

    /// For tests that need slots, or none, or to hold off forks for long.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` while other descriptors have all slots.
    pub(crate) fn without_slots(work: impl FnOnce()) {
        let _guard = alone();
        let file = Arc::new(File::open("/dev/null").unwrap());
        let open = || ClosedInChild::open(|| Ok::<_, ()>(file.clone())).unwrap();
        let all = until_no_slot_is_left(open);
        work();
        drop(all);
        assert!(open().slot.is_some());
    }

    /// Opens so many that the last has no slot. Other tests may give theirs back at any time.
    fn until_no_slot_is_left<T>(open: impl Fn() -> ClosedInChild<T>) -> Vec<ClosedInChild<T>> {
        let mut all = vec![open()];
        while all.last().is_some_and(|last| last.slot.is_some()) {
            all.push(open());
        }
        all
    }

    /// What `work` says in a child, which is small enough to be said in an exit status.
    pub(crate) fn in_a_child(work: impl FnOnce() -> u8) -> u8 {
        // SAFETY: the child makes no use of what other threads may have locked.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let status = work();
            // SAFETY: this ends the process.
            unsafe { libc::_exit(status.into()) };
        }
        let mut status = 0;
        // SAFETY: `status` is valid for a write.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status));
        libc::WEXITSTATUS(status) as u8
    }

    fn is_open(descriptor: i32) -> bool {
        // SAFETY: any number may be asked for.
        unsafe { libc::fcntl(descriptor, libc::F_GETFD) >= 0 }
    }

    #[test]
    fn a_child_has_neither_the_descriptor_nor_a_use_for_it() {
        let check = |file: &ClosedInChild<File>| {
            let number = file.get().unwrap().as_raw_fd();
            let child =
                in_a_child(|| u8::from(is_open(number)) + 2 * u8::from(file.get().is_some()));
            assert!(is_open(number) && file.get().is_some());
            child
        };
        let open = || ClosedInChild::open(|| File::open("/dev/null")).unwrap();
        let guard = alone();
        assert_eq!(check(&open()), 0);
        drop(guard);
        without_slots(|| assert_eq!(check(until_no_slot_is_left(open).last().unwrap()), 1));
    }

    #[test]
    fn what_a_child_has_got_meanwhile_is_opened_once_more() {
        let _guard = alone();
        for (forks, opens) in [(0, 1), (1, 2), (u32::MAX, MOST_OPENED)] {
            let opened = Cell::new(0);
            let open = || {
                let file = File::open("/dev/null");
                opened.set(opened.get() + 1);
                if opened.get() <= forks {
                    in_a_child(|| 0);
                }
                file
            };
            let file = ClosedInChild::open(open).unwrap();
            assert_eq!(opened.get(), opens);
            let number = file.get().unwrap().as_raw_fd();
            assert_eq!(in_a_child(|| u8::from(is_open(number))), 0);
        }
    }

    /// As a disk that hangs.
    #[test]
    fn no_fork_waits_for_what_is_opened_or_closed() {
        struct Slow(File);
        impl AsFd for Slow {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }
        impl Drop for Slow {
            fn drop(&mut self) {
                fork_meanwhile();
            }
        }
        fn fork_meanwhile() {
            let start = Instant::now();
            in_a_child(|| 0);
            assert!(start.elapsed() < LONGEST_HOLD, "{:?}", start.elapsed());
        }
        let _guard = alone();
        let open = || {
            fork_meanwhile();
            File::open("/dev/null").map(Slow)
        };
        drop(ClosedInChild::open(open).unwrap());
    }

    #[test]
    fn a_fork_waits_for_those_who_hold_it_off() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let _guard = alone();
        let (enter, entered) = mpsc::channel();
        let holder = thread::spawn(move || {
            hold(|| {
                enter.send(()).unwrap();
                while FORKING.load(Ordering::SeqCst) == 0 {
                    thread::yield_now();
                }
                // Long enough for a fork that does not wait.
                thread::sleep(LONGEST_HOLD / 10);
                DONE.store(true, Ordering::SeqCst);
            });
        });
        entered.recv().unwrap();
        assert_eq!(in_a_child(|| u8::from(DONE.load(Ordering::SeqCst))), 1);
        holder.join().unwrap();
    }

    #[test]
    fn who_is_too_late_to_hold_it_off_ends_no_other_hold() {
        let _guard = alone();
        hold(|| {
            FORKING.fetch_add(1, Ordering::SeqCst);
            thread::spawn(|| hold(|| ())).join().unwrap();
            FORKING.fetch_sub(1, Ordering::SeqCst);
            assert_ne!(HOLDING.load(Ordering::SeqCst), 0);
        });
    }

    /// As a signal handler could.
    #[test]
    fn a_fork_in_the_middle_of_holding_it_off_goes_on_all_the_same() {
        let _guard = alone();
        let child = hold(|| in_a_child(|| hold(|| 7)));
        assert_eq!(child, 7);
    }
}
