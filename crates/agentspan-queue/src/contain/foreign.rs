//! Foreign values whose drops may panic.

use std::fmt;

use super::call;

/// Holds a foreign value, such as a processor, a closure or an error. A panic in its drop is caught
/// and counted.
///
/// Use it for each foreign field: if two plain fields of one value panic in their drops, Rust
/// aborts the process.
#[derive(Clone, Default)]
pub struct Foreign<T>(
    /// `None` only while this is dropped.
    Option<T>,
);

impl<T> Foreign<T> {
    /// Wraps `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value. `None` only while this is dropped.
    #[inline]
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> From<T> for Foreign<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Drop for Foreign<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            // The panic is counted.
            let _ = call(|| drop(value));
        }
    }
}

/// Shows the value as its own `Debug` does.
impl<T: fmt::Debug> fmt::Debug for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("Foreign(..)"),
        }
    }
}
