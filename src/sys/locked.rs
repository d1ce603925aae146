//! Holds a text in pages of its own, which are neither swapped nor dumped where the system allows that.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;

use zeroize::Zeroizing;

use super::system::pages;
use super::wipe;

/// A text that is wiped on drop, and `[redacted]` where it is shown.
///
/// Locked as far as RLIMIT_MEMLOCK lets it (mlock(2)), or the working set on Windows (VirtualLock); left out of core
/// files on Linux (MADV_DONTDUMP). A forked child goes on with it, so it is not wiped there (MADV_WIPEONFORK); the
/// child's copy is not locked.
pub(crate) struct LockedText(Inner);

enum Inner {
    Pages(Pages),
    /// What there are no pages for.
    Heap(Zeroizing<String>),
}

impl LockedText {
    /// One text from several.
    pub(crate) fn concat(parts: &[&str]) -> Self {
        let size = parts.iter().map(|part| part.len()).sum();
        let Some(mut pages) = Pages::new(size) else {
            let mut text = Zeroizing::new(String::with_capacity(size));
            parts.iter().for_each(|part| text.push_str(part));
            return Self(Inner::Heap(text));
        };
        let mut rest = pages.bytes_mut();
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part.as_bytes());
            rest = after;
        }
        Self(Inner::Pages(pages))
    }
}

impl Deref for LockedText {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match &self.0 {
            // SAFETY: they are filled with whole texts.
            Inner::Pages(pages) => unsafe { str::from_utf8_unchecked(pages.bytes()) },
            Inner::Heap(text) => text,
        }
    }
}

impl fmt::Debug for LockedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whole pages that nothing else is in.
struct Pages {
    start: NonNull<u8>,
    /// How much is used.
    size: usize,
}

// SAFETY: nobody else has the pages, and what is in them changes only through `&mut self`.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// Zeroed; `None` if the system has none, or if `size` is 0.
    fn new(size: usize) -> Option<Self> {
        let start = pages::map(size)?;
        Some(Self { start, size })
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping has so many bytes, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.size) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and nobody else has it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and is used no more.
        unsafe {
            wipe::memory(self.start.as_ptr(), self.size);
            pages::unmap(self.start, self.size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_was_made_of() {
        for parts in [&[][..], &[""], &["a"], &["Bearer ", "", "tökén", "\0"]] {
            let text = LockedText::concat(parts);
            assert_eq!(*text, parts.concat());
            assert_eq!(format!("{text:?}"), "[redacted]");
        }
        let long = "x".repeat(100_000);
        assert_eq!(*LockedText::concat(&[&long, "y"]), long + "y");
    }
}
