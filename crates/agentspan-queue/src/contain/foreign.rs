//! Foreign values that are kept, and dropped wherever their last owner is.

use std::fmt;

use super::call;

/// A foreign value, such as a processor, a closure or an error, whose drop may panic: the panic is
/// contained and counted.
///
/// Fields of this type keep the panics apart. When two plain fields of one value panic in their drops,
/// Rust aborts the process.
#[derive(Clone, Default)]
pub struct Foreign<T>(
    /// `None` only while this is dropped.
    Option<T>,
);

impl<T> Foreign<T> {
    /// Keeps `value`.
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
