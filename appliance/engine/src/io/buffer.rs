//! Pooled buffers.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Bytes of a large buffer, for bodies and tunnels: fewer system calls a megabyte.
pub(crate) const LARGE: usize = 64 * 1024;
/// Asks for a small buffer, of `tune.bufsize` bytes: for message heads.
pub(crate) const SMALL: usize = 0;

/// Free buffers kept for each size; more are given back to the allocator.
const KEEP: usize = 64;

/// The free buffers of one worker.
#[derive(Clone)]
pub(crate) struct BufferPool {
    free: Rc<Free>,
}

struct Free {
    small_size: usize,
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
}

/// A buffer with filled bytes in `data()`; it goes back to its pool when dropped.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    home: Rc<Free>,
}

impl BufferPool {
    /// A pool whose small buffers have `small` bytes.
    pub(crate) fn new(small: usize) -> Self {
        let free = Free {
            small_size: small,
            small: RefCell::default(),
            large: RefCell::default(),
        };
        Self {
            free: Rc::new(free),
        }
    }

    /// An empty buffer of at least `size` bytes, [`SMALL`] or [`LARGE`].
    pub(crate) fn take(&self, size: usize) -> Buffer {
        let small = size <= self.free.small_size;
        let free = if small {
            &self.free.small
        } else {
            &self.free.large
        };
        let len = if small { self.free.small_size } else { LARGE };
        let bytes = free
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| vec![0; len].into_boxed_slice());
        Buffer {
            bytes,
            start: 0,
            end: 0,
            home: self.free.clone(),
        }
    }
}

impl Buffer {
    /// The filled bytes that were not consumed.
    pub(crate) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing more fits, even after moving the data to the front.
    pub(crate) fn is_full(&self) -> bool {
        self.len() == self.bytes.len()
    }

    /// Drops `n` bytes from the front.
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Room behind the data; the data is moved to the front when there is none.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts `n` bytes that were written to [`Buffer::spare`].
    pub(crate) fn filled(&mut self, n: usize) {
        self.end = (self.end + n).min(self.bytes.len());
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let small = bytes.len() == self.home.small_size;
        let free = if small {
            &self.home.small
        } else {
            &self.home.large
        };
        let mut free = free.borrow_mut();
        if free.len() < KEEP {
            free.push(bytes);
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Buffer({}..{} of {})",
            self.start,
            self.end,
            self.bytes.len()
        )
    }
}
