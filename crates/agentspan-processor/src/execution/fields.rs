//! Combines values of different types into one object.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Named inputs, for [`Execution::with_inputs`](super::Execution::with_inputs). They are borrowed,
/// and serialised only if a processor observes the trace.
///
/// ```
/// use agentspan_model::agentspec::Tool;
/// use agentspan_processor::execution::{Fields, ToolExecution};
///
/// let (city, days) = ("Zürich", 3);
/// let execution = ToolExecution::of(&Tool::new("forecast"))
///     .with_inputs(&Fields::new().with("city", &city).with("days", &days));
/// # drop(execution);
/// ```
#[derive(Clone, Copy)]
#[must_use = "fields are there to be inputs"]
pub struct Fields<F>(F);

/// A list of fields.
trait List {
    const LENGTH: usize;

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

impl List for () {
    const LENGTH: usize = 0;

    fn write<M: SerializeMap>(&self, _map: &mut M) -> Result<(), M::Error> {
        Ok(())
    }
}

impl<F: List, T: Serialize + ?Sized> List for (F, &'static str, &T) {
    const LENGTH: usize = F::LENGTH + 1;

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (before, name, value) = self;
        before.write(map)?;
        map.serialize_entry(name, value)
    }
}

impl Fields<()> {
    /// No fields.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Default for Fields<()> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> Fields<F> {
    /// Adds a field. Each name must be different.
    pub const fn with<'a, T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &'a T,
    ) -> Fields<(F, &'static str, &'a T)>
    where
        F: Copy,
    {
        Fields((self.0, name, value))
    }
}

impl<F: List> Serialize for Fields<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(F::LENGTH))?;
        self.0.write(&mut map)?;
        map.end()
    }
}

/// Shows no values.
impl<F> std::fmt::Debug for Fields<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}
