//! The message of an error with those of its causes, for the `Debug` of the errors that programs
//! return from `main`, which prints that.

use std::error::Error;
use std::fmt;

/// The number of causes that are shown. The errors of hooks are foreign, and may be their own causes.
const MAX_CAUSES: usize = 16;

/// Writes the message of an error and the messages of its causes, divided by colons.
///
/// # Errors
///
/// [`fmt::Error`] if the formatter refuses a part.
pub fn debug(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut shown = causes.take(MAX_CAUSES);
    shown.try_for_each(|cause| write!(f, ": {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is its own cause.
    struct Endless;

    impl fmt::Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            debug(self, f)
        }
    }

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }

    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn an_error_that_is_its_own_cause_is_shown_a_few_times() {
        let shown = format!("{Endless:?}");
        assert_eq!(shown.matches("again").count(), 1 + MAX_CAUSES);
    }
}
