//! Holds what is sent and received: as much as it takes, wiped before it is given back.

use std::io;
use std::ops::{Deref, DerefMut, Range};

use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::transport::Buffers;
use zeroize::Zeroize;

use super::limits::BODY_LIMIT;

/// What most pieces of a handshake, headers and bodies fit into.
pub(super) const FIRST: usize = 4 * 1024;

/// Bytes that are wiped on drop, all at once: `Zeroizing<Vec<u8>>` takes one after the other.
#[derive(Default)]
pub(super) struct Room(Box<[u8]>);

impl Room {
    pub(super) fn new(size: usize) -> io::Result<Self> {
        let mut room = Vec::new();
        room.try_reserve_exact(size)?;
        room.resize(size, 0);
        Ok(Self(room.into()))
    }

    /// Doubles the room, up to `most`, and leaves no copy behind.
    pub(super) fn grow(&mut self, most: usize) -> io::Result<()> {
        let mut larger = Self::new((2 * self.len()).min(most))?;
        larger[..self.len()].copy_from_slice(self);
        *self = larger;
        Ok(())
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        (*self.0).zeroize();
    }
}

/// The buffers of one connection, or of one layer of it.
pub(super) struct WipedBuffers {
    input: Room,
    unread: Range<usize>,
    most_input: usize,
    /// Whether the last look at the input was worth it; if not, more is needed.
    progress: bool,
    output: Room,
    held: usize,
}

impl WipedBuffers {
    pub(super) fn new(config: &Config) -> io::Result<Self> {
        Ok(Self {
            input: Room::new(FIRST)?,
            unread: 0..0,
            // More than a header may have, so that a longer one is seen to be longer.
            most_input: config.max_response_header_size() + FIRST,
            progress: false,
            output: Room::new(config.output_buffer_size())?,
            held: 0,
        })
    }

    /// Sees to it that more input can be taken.
    ///
    /// # Errors
    /// Also if all that may be kept is unread: without room for more, it would look like the end.
    pub(super) fn make_room(&mut self) -> Result<(), Error> {
        if self.unread.len() == self.most_input {
            return Err(Error::BodyExceedsLimit(BODY_LIMIT as u64));
        }
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.input.len() && self.input.len() < self.most_input {
            self.input.grow(self.most_input)?;
        }
        Ok(())
    }

    /// Keeps output until an answer is awaited, so that it goes out in one piece. Whether there is
    /// too much of it for that.
    pub(super) fn hold_back(&mut self, amount: usize) -> bool {
        self.held += amount;
        self.held > self.output.len() / 2
    }

    pub(super) fn held_back(&self) -> &[u8] {
        &self.output[..self.held]
    }

    /// What was held back has been sent.
    pub(super) fn sent(&mut self) {
        self.held = 0;
    }
}

impl Buffers for WipedBuffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output[self.held..]
    }

    fn input(&self) -> &[u8] {
        &self.input[self.unread.clone()]
    }

    /// What there is after [`make_room`](WipedBuffers::make_room).
    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut self.input[self.unread.end..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.unread.end += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.unread.start += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        (&mut self.input[self.unread.end..], &mut self.output[self.held..])
    }

    fn can_use_input(&self) -> bool {
        self.progress && !self.unread.is_empty()
    }
}
