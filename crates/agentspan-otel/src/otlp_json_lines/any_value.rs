//! Attributes in OTLP's JSON form.

use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A list of attributes, each an object with its key and its value.
pub(super) struct Attributes<'a>(pub(super) &'a [KeyValue]);

impl Attributes<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter();
        serializer.collect_seq(pairs.map(|pair| Pair(pair.key.as_str(), &pair.value)))
    }
}

/// The attributes of a scope.
pub(super) struct ScopeAttributes<'a>(pub(super) &'a InstrumentationScope);

impl ScopeAttributes<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.attributes().next().is_none()
    }
}

impl Serialize for ScopeAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.attributes();
        serializer.collect_seq(pairs.map(|pair| Pair(pair.key.as_str(), &pair.value)))
    }
}

struct Pair<'a>(&'a str, &'a Value);

impl Serialize for Pair<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_map(Some(2))?;
        pair.serialize_entry("key", self.0)?;
        pair.serialize_entry("value", &AnyValue(self.1))?;
        pair.end()
    }
}

struct AnyValue<'a>(&'a Value);

impl Serialize for AnyValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(value) => one(serializer, "boolValue", value),
            Value::I64(value) => one(serializer, "intValue", &Text(*value)),
            Value::F64(value) => one(serializer, "doubleValue", &Double(*value)),
            Value::String(value) => one(serializer, "stringValue", value.as_str()),
            Value::Array(values) => one(serializer, "arrayValue", &One("values", Values(values))),
            // OpenTelemetry has added a type of values that this does not know: an empty value.
            _ => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

struct Values<'a>(&'a Array);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Array::Bool(values) => {
                serializer.collect_seq(values.iter().map(|value| One("boolValue", *value)))
            }
            Array::I64(values) => {
                serializer.collect_seq(values.iter().map(|value| One("intValue", Text(*value))))
            }
            Array::F64(values) => serializer.collect_seq(
                values
                    .iter()
                    .map(|value| One("doubleValue", Double(*value))),
            ),
            Array::String(values) => serializer.collect_seq(
                values
                    .iter()
                    .map(|value| One("stringValue", value.as_str())),
            ),
            _ => serializer.serialize_seq(Some(0))?.end(),
        }
    }
}

/// An object of one member.
struct One<T>(&'static str, T);

impl<T: Serialize> Serialize for One<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one(serializer, self.0, &self.1)
    }
}

fn one<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    name: &'static str,
    value: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

/// Written as text: a number of 64 bits, since many readers of JSON have no such numbers, and an id, in
/// lower-case hexadecimal digits, where OTLP deviates from protobuf's form of JSON.
pub(super) struct Text<T>(pub(super) T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// JSON has no numbers that are none; protobuf's form of JSON has names for them.
struct Double(f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_finite() => serializer.serialize_f64(number),
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

/// A resource as an object of OTLP.
pub(super) fn resource_json(resource: &Resource) -> serde_json::Result<String> {
    struct Pairs<'a>(&'a Resource);

    impl Serialize for Pairs<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let pairs = self.0.iter();
            serializer.collect_seq(pairs.map(|(key, value)| Pair(key.as_str(), value)))
        }
    }

    serde_json::to_string(&One("attributes", Pairs(resource)))
}
