//! What `Debug` shows in place of contents.

use std::fmt;

/// Stands for a text that must not be shown.
pub(super) struct Masked;

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** MASKED **")
    }
}
