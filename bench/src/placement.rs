//! On which processors a process runs.
//!
//! A request that is handed from thread to thread costs up to three times as much CPU time when the
//! threads sit on different processors, and where they sit is luck that lasts for a whole run. So contenders
//! that take turns share one processor, and the service that they send to has another. A worker that is to
//! run beside its caller needs a processor of its own: such contenders run where the system puts them.

#[cfg(not(target_os = "linux"))]
mod anywhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use self::anywhere as system;
#[cfg(target_os = "linux")]
use self::linux as system;

/// Where threads are to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// All on the first processor.
    One,
    /// Where the system puts them.
    All,
    /// All on the last processor: the service.
    Last,
}

/// Whether a process has a processor of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// It keeps to one.
    Fixed,
    /// It runs where the system puts it: there is only one, or processes cannot choose here.
    Free,
}

/// The processors that this process may use.
#[derive(Clone, Debug)]
pub(crate) struct Processors(Vec<usize>);

impl Processors {
    /// Asks the system. A process that is kept to some is not told of others.
    pub(crate) fn allowed() -> Self {
        Self(system::allowed())
    }

    /// How many there are; 0 where the system does not tell.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Keeps this thread, and the threads and processes that it starts from now on, in this place.
    pub(crate) fn take(&self, place: Place) -> Placement {
        let chosen = match (place, self.0.as_slice()) {
            (Place::All, all) => all,
            (Place::One, [first, _, ..]) => std::slice::from_ref(first),
            (Place::Last, [_, .., last]) => std::slice::from_ref(last),
            (Place::One | Place::Last, _) => return Placement::Free,
        };
        let kept = !chosen.is_empty() && system::keep_to(chosen);
        match place {
            Place::One | Place::Last if kept => Placement::Fixed,
            _ => Placement::Free,
        }
    }
}
