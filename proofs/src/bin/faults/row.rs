//! A row of the matrix: a fault, the fronts it is played to, and the defences that it needs.

use crate::Failure;
use crate::defence::Defence;
use crate::front::Front;
use crate::outcome::Outcome;

/// Plays the fault to a front, perhaps with a defence taken away.
pub(crate) type Run = Box<dyn Fn(Front, Option<Defence>) -> Result<Outcome, Failure>>;

pub(crate) struct Row {
    /// Its number in the matrix.
    pub(crate) fault: &'static str,
    pub(crate) what: String,
    pub(crate) fronts: &'static [Front],
    /// Each of them is needed: without it, the row shows a difference.
    pub(crate) defences: &'static [Defence],
    /// Why nothing can be taken away, if there is no such defence.
    pub(crate) because: Option<&'static str>,
    pub(crate) run: Run,
}

impl Row {
    /// Says why nothing can be taken away.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.because = Some(reason);
        self
    }
}
