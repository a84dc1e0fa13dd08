//! Components as JSON text.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{Component, ComponentValue, Inner, MAX_DEPTH, references::REFERENCE};

/// How large a dump with every component written out may be, in bytes.
const MAX_SIZE: usize = 64 << 20;

impl Component {
    /// The component as JSON text, as dumps of spans and events hold it. It is created once.
    ///
    /// A component in several places is written out in each of them. Small documents can describe
    /// components with a huge dump. If the dump would exceed 64 MiB, each component is written out
    /// only in its first place, and is a reference (`{"$component_ref":"<id>"}`) in all others. So is a
    /// component nested more than 300 levels deep, which only code can create.
    #[must_use]
    pub fn dump(&self) -> &str {
        self.raw_dump().get()
    }

    fn raw_dump(&self) -> &RawValue {
        self.0.dump.get_or_init(|| {
            // Texts and raw JSON under string keys: writing them cannot fail.
            let dump = if self.is_large() {
                serde_json::value::to_raw_value(&Once(self, &Written::default()))
            } else {
                serde_json::value::to_raw_value(&Members(self))
            };
            dump.unwrap_or_else(|_| RawValue::NULL.to_owned())
        })
    }

    fn is_large(&self) -> bool {
        self.0.size > MAX_SIZE || self.0.depth > MAX_DEPTH
    }
}

/// Equal if their dumps are.
impl PartialEq for Component {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.dump() == other.dump()
    }
}

impl Eq for Component {}

/// Writes the [dump](Component::dump).
impl Serialize for Component {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw_dump().serialize(serializer)
    }
}

/// Reads like [`Component::from_json`].
impl<'de> Deserialize<'de> for Component {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// Writes the members of a component, and nested ones member by member: only the dump of the outermost
/// one is kept.
struct Members<'a>(&'a Component);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &self.0.0;
        if let Some(dump) = inner.dump.get() {
            return dump.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(inner.members.len()))?;
        for (name, value) in &inner.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for ComponentValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Component(component) if component.is_large() => component.serialize(serializer),
            Self::Component(component) => Members(component).serialize(serializer),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(pairs) => {
                serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
            }
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

/// The components that a dump has written out.
#[derive(Default)]
struct Written {
    components: RefCell<HashSet<*const Inner>>,
    /// How many components, lists and objects are around.
    level: Cell<usize>,
}

impl Written {
    /// Whether a component is to be written out here: not twice, and not too deep.
    fn adds(&self, component: &Component) -> bool {
        let inner = Arc::as_ptr(&component.0);
        self.level.get() < MAX_DEPTH && self.components.borrow_mut().insert(inner)
    }

    /// Writes something one level down.
    fn within<T>(&self, write: impl FnOnce() -> T) -> T {
        self.level.set(self.level.get() + 1);
        let written = write();
        self.level.set(self.level.get() - 1);
        written
    }
}

/// Writes a component or a value out, with each component once.
struct Once<'a, T>(&'a T, &'a Written);

impl Serialize for Once<'_, Component> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(component, written) = *self;
        if !written.adds(component) {
            return serializer.collect_map([(REFERENCE, component.id())]);
        }
        let members = component.0.members.iter();
        written.within(|| {
            serializer.collect_map(members.map(|(name, value)| (name, Once(value, written))))
        })
    }
}

impl Serialize for Once<'_, ComponentValue> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, written) = *self;
        match value {
            ComponentValue::Component(component) => Once(component, written).serialize(serializer),
            ComponentValue::List(values) => {
                let values = values.iter().map(|value| Once(value, written));
                written.within(|| serializer.collect_seq(values))
            }
            ComponentValue::Map(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(name, value)| (name, Once(value, written)));
                written.within(|| serializer.collect_map(pairs))
            }
            ComponentValue::Json(json) => json.serialize(serializer),
        }
    }
}
