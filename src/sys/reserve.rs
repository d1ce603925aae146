//! Keeps memory for the time in which the system has none: Rust ends the process where an allocation fails.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// For most of what a token request asks for.
static SMALL: Reserve<{ 64 * PIECES }, 64> = Reserve::new();
/// For the rest, such as what TLS receives into. No larger block comes from here: who asks for one must be
/// able to do without.
static LARGE: Reserve<{ 1024 * PIECES }, 8> = Reserve::new();

/// So many pieces, one bit each, are told apart in a group.
const PIECES: usize = u64::BITS as usize;

/// Zeroed memory of `size` bytes, aligned to `align`; null if there is not enough.
pub(super) fn take(size: usize, align: usize) -> *mut u8 {
    let small = SMALL.take(size, align);
    if small.is_null() { LARGE.take(size, align) } else { small }
}

/// Takes back what [`take`] gave, which must be zeroed, and of which `size` bytes were asked for. False if
/// it is not from here.
pub(super) fn give_back(memory: *mut u8, size: usize) -> bool {
    SMALL.give_back(memory, size) || LARGE.give_back(memory, size)
}

/// Whether more than half of either is in use.
pub(super) fn is_half_taken() -> bool {
    SMALL.is_half_taken() || LARGE.is_half_taken()
}

/// Groups of pieces of equal size. No lock, since a fork may come at any time: what another thread holds at
/// that moment is lost to the child.
#[repr(C, align(4096))]
struct Reserve<const GROUP: usize, const GROUPS: usize> {
    /// Never touched until it is needed, so that it costs no memory.
    room: UnsafeCell<[[u8; GROUP]; GROUPS]>,
    /// Which pieces are taken.
    taken: [AtomicU64; GROUPS],
}

// SAFETY: `room` is handed out in pieces, each to one owner at a time.
unsafe impl<const GROUP: usize, const GROUPS: usize> Sync for Reserve<GROUP, GROUPS> {}

impl<const GROUP: usize, const GROUPS: usize> Reserve<GROUP, GROUPS> {
    const PIECE: usize = GROUP / PIECES;

    const fn new() -> Self {
        let taken = [const { AtomicU64::new(0) }; GROUPS];
        Self { room: UnsafeCell::new([[0; GROUP]; GROUPS]), taken }
    }

    fn take(&self, size: usize, align: usize) -> *mut u8 {
        if size > GROUP || align > Self::PIECE {
            return std::ptr::null_mut();
        }
        let wanted = Self::pieces(size);
        let found =
            self.taken.iter().enumerate().find_map(|(group, taken)| {
                Some(group * GROUP + claim(taken, wanted)? * Self::PIECE)
            });
        found.map_or(std::ptr::null_mut(), |at| self.room.get().cast::<u8>().wrapping_add(at))
    }

    fn give_back(&self, memory: *mut u8, size: usize) -> bool {
        let at = memory.addr().wrapping_sub(self.room.get().addr());
        let Some(taken) = self.taken.get(at / GROUP) else { return false };
        let pieces = Self::pieces(size) << (at % GROUP / Self::PIECE);
        taken.fetch_and(!pieces, Ordering::Release);
        true
    }

    fn is_half_taken(&self) -> bool {
        let taken =
            self.taken.iter().map(|group| group.load(Ordering::Relaxed).count_ones() as usize);
        taken.sum::<usize>() > GROUPS * PIECES / 2
    }

    /// The bits of as many pieces as it takes, from the lowest on.
    fn pieces(size: usize) -> u64 {
        u64::MAX >> (PIECES - size.div_ceil(Self::PIECE).max(1))
    }
}

/// Takes pieces that stand side by side as those in `wanted`; the number of the first.
fn claim(taken: &AtomicU64, wanted: u64) -> Option<usize> {
    let mut now = taken.load(Ordering::Relaxed);
    loop {
        let is_free = |first: &u32| now & (wanted << first) == 0;
        let first = (0..=wanted.leading_zeros()).find(is_free)?;
        let next = now | (wanted << first);
        match taken.compare_exchange_weak(now, next, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return Some(first as usize),
            Err(changed) => now = changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// What a block is filled with as long as it has an owner.
    fn fill(memory: *mut u8, size: usize, with: u8) {
        // SAFETY: the block is this test's, and has so many bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory, size) };
        assert!(bytes.iter().all(|byte| *byte == 0), "a block of {size} bytes is zeroed");
        bytes.fill(with);
    }

    fn wipe(memory: *mut u8, size: usize, with: u8) {
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory, size) };
        assert!(bytes.iter().all(|byte| *byte == with), "nobody else has a block of {size} bytes");
        bytes.fill(0);
    }

    #[test]
    fn all_of_it_can_be_had_and_is_given_back() {
        static RESERVE: Reserve<{ 16 * PIECES }, 3> = Reserve::new();
        for size in [0_usize, 1, 16, 17, 40, 500, 1023, 1024] {
            let blocks = 3 * (PIECES / size.div_ceil(16).max(1));
            for _ in 0..2 {
                let taken: Vec<_> = (0..blocks).map(|_| RESERVE.take(size, 16)).collect();
                taken.iter().enumerate().for_each(|(i, block)| fill(*block, size, i as u8 + 1));
                assert!(RESERVE.is_half_taken(), "{size}");
                // What is left of each group is too small.
                assert!(size <= 16 || RESERVE.take(size, 1).is_null(), "{size}");
                for (i, block) in taken.into_iter().enumerate() {
                    wipe(block, size, i as u8 + 1);
                    assert!(RESERVE.give_back(block, size), "{size}");
                }
                assert!(!RESERVE.is_half_taken(), "{size}");
            }
        }
        assert!(RESERVE.take(1025, 1).is_null());
        assert!(RESERVE.take(1, 32).is_null());
        let elsewhere = [0_u8; 2];
        assert!(!RESERVE.give_back(elsewhere.as_ptr().cast_mut(), 2));
        let end = RESERVE.room.get().wrapping_add(1).cast();
        assert!(!RESERVE.give_back(end, 1));
    }

    #[test]
    fn a_block_that_is_aligned_or_large_comes_from_where_it_fits() {
        for (size, align) in [(1, 1), (64, 64), (4096, 8), (4097, 8), (100, 1024), (65_536, 16)] {
            let block = take(size, align);
            assert!(!block.is_null() && block.addr().is_multiple_of(align), "{size} {align}");
            assert!(give_back(block, size), "{size} {align}");
        }
        assert!(take(65_537, 1).is_null() && take(1, 2048).is_null());
    }

    #[test]
    fn no_two_threads_get_the_same_piece() {
        static RESERVE: Reserve<{ 16 * PIECES }, 2> = Reserve::new();
        const THREADS: u8 = 4;
        let start = Barrier::new(THREADS.into());
        let work = &|thread: u8| {
            start.wait();
            for turn in 0..20_000 {
                let size = 1 + turn * 7 % 200;
                let blocks: Vec<_> = (0..3).map(|_| RESERVE.take(size, 8)).collect();
                let got = || blocks.iter().filter(|block| !block.is_null());
                got().for_each(|block| fill(*block, size, thread));
                got().for_each(|block| wipe(*block, size, thread));
                got().for_each(|block| assert!(RESERVE.give_back(*block, size)));
            }
        };
        thread::scope(|scope| {
            (1..=THREADS).for_each(|number| drop(scope.spawn(move || work(number))))
        });
        assert!(RESERVE.taken.iter().all(|group| group.load(Ordering::Relaxed) == 0));
    }
}
