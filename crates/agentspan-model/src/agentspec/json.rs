//! JSON that the model does not interpret.

use std::{fmt, hash};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

mod finite;

/// Any JSON value, kept as its text.
///
/// The text preserves the order of members, and numbers of any size and precision, unlike a tree of
/// values. It needs one allocation, and writing it copies bytes. White space outside of strings is
/// removed, so the text fits on one line. Two values are equal if their texts are equal.
///
/// It uses `serde_json`'s raw values, so other serde formats are not supported.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Serialises a value to JSON.
    ///
    /// # Errors
    ///
    /// The value has no JSON form: a number is not finite, a map has keys that are not strings, or
    /// its `Serialize` fails.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        let raw = serde_json::value::to_raw_value(value).map_err(|_| JsonError::NotJson)?;
        // The walk for other numbers is only worth its while if one may have been written as null.
        if raw.get().contains("null") && !finite::is_finite(value) {
            return Err(JsonError::NotFinite);
        }
        // Only raw JSON in the value can have brought white space.
        Ok(match without_white_space(raw.get()) {
            Some(_) => Self::from_raw(&raw),
            None => Self(raw),
        })
    }

    /// Reads the text of one JSON value.
    ///
    /// # Errors
    ///
    /// The text is not JSON.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| JsonError::Syntax {
            line: error.line(),
            // Zero where the text ends behind a line break.
            column: error.column().max(1),
        })?;
        Ok(Self::from_raw(raw))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Deserialises the text to a type of yours, or to a [`serde_json::Value`].
    ///
    /// # Errors
    ///
    /// The text does not fit the type, or is nested deeper than `serde_json` allows (128).
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        // The error of serde_json would quote the text, which may be sensitive.
        serde_json::from_str(self.as_str()).map_err(|_| JsonError::OtherShape)
    }

    /// Whether it is a number, a truth value or null, which say nothing by themselves.
    pub(crate) fn is_harmless(&self) -> bool {
        !self.as_str().starts_with(['"', '{', '['])
    }

    pub(crate) fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// Keeps a part of a document that has been read as JSON already.
    pub(crate) fn from_raw(raw: &RawValue) -> Self {
        match without_white_space(raw.get()) {
            // Text without its white space is the same JSON, so this does not fail.
            Some(text) => Self(RawValue::from_string(text).unwrap_or_else(|_| raw.to_owned())),
            None => Self(raw.to_owned()),
        }
    }
}

/// Writes the value as JSON. Serialising a `Value` cannot fail: its keys are strings.
impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        let text = value.to_string();
        Self(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

/// Shows only the length, because the text may be content.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.as_str().len())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl hash::Hash for Json {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::from_raw(&raw))
    }
}

/// A JSON object, kept as its text: inputs, outputs, metadata. See [`Json`].
///
/// The default is the empty object, without an allocation.
///
/// ```
/// use agentspan_model::agentspec::JsonObject;
///
/// # fn main() -> Result<(), agentspan_model::agentspec::JsonError> {
/// let inputs = JsonObject::from_serialize(&serde_json::json!({"city": "Zürich", "days": 3}))?;
/// assert_eq!(inputs.as_str(), r#"{"city":"Zürich","days":3}"#);
/// assert_eq!(inputs.to_map()?.get("days"), Some(&serde_json::json!(3)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct JsonObject(Option<Json>);

impl JsonObject {
    /// The empty object.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Serialises a value, for instance a struct, a map or `serde_json::json!({…})`, to a JSON
    /// object.
    ///
    /// # Errors
    ///
    /// The value has no JSON form, see [`Json::from_serialize`], or is not an object.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        Self::try_from(Json::from_serialize(value)?)
    }

    /// Reads the text of a JSON object.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or not an object.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        Self::try_from(Json::parse(text)?)
    }

    /// Whether the object has no members.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("{}", Json::as_str)
    }

    /// Deserialises the text to a type of yours.
    ///
    /// # Errors
    ///
    /// The text does not fit the type, or is nested deeper than `serde_json` allows (128).
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.as_str()).map_err(|_| JsonError::OtherShape)
    }

    /// Reads the members.
    ///
    /// # Errors
    ///
    /// The text is nested deeper than `serde_json` allows (128).
    pub fn to_map(&self) -> Result<serde_json::Map<String, serde_json::Value>, JsonError> {
        self.to()
    }
}

impl TryFrom<Json> for JsonObject {
    type Error = JsonError;

    fn try_from(json: Json) -> Result<Self, JsonError> {
        if !json.as_str().starts_with('{') {
            return Err(JsonError::NotAnObject);
        }
        Ok(Self((json.as_str() != "{}").then_some(json)))
    }
}

impl From<JsonObject> for Json {
    fn from(object: JsonObject) -> Self {
        let empty = serde_json::Map::new();
        object
            .0
            .unwrap_or_else(|| Self::from(serde_json::Value::Object(empty)))
    }
}

impl TryFrom<serde_json::Value> for JsonObject {
    type Error = JsonError;

    fn try_from(value: serde_json::Value) -> Result<Self, JsonError> {
        Self::try_from(Json::from(value))
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for JsonObject {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        Self::try_from(Json::from(serde_json::Value::Object(map))).unwrap_or_default()
    }
}

/// Shows only the length, because the text may be content.
impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonObject({} bytes)", self.as_str().len())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(json) => json.serialize(serializer),
            None => serializer.collect_map::<&str, &str, _>([]),
        }
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::try_from(json).map_err(serde::de::Error::custom)
    }
}

/// Why a value or a text is not the expected JSON. The error does not show the content, which may
/// be sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not JSON at this place; both numbers count from one.
    Syntax {
        /// The line of the text.
        line: usize,
        /// The byte of the line.
        column: usize,
    },
    /// The value cannot be written as JSON, for instance because a key is not a string. Change the value.
    NotJson,
    /// The value holds `NaN` or an infinity, which JSON does not support. Write it as text, or
    /// leave it out.
    NotFinite,
    /// The JSON is not an object. Wrap it in an object.
    NotAnObject,
    /// The JSON does not fit the requested type. Request another type.
    OtherShape,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => write!(f, "not JSON: line {line}, column {column}"),
            Self::NotJson => f.write_str("the value cannot be written as JSON"),
            Self::NotFinite => f.write_str("the value holds a number that is not finite"),
            Self::NotAnObject => f.write_str("the JSON is not an object"),
            Self::OtherShape => f.write_str("the JSON does not have the shape of the asked type"),
        }
    }
}

impl std::error::Error for JsonError {}

/// The text without white space outside of strings, or `None` when there is none to remove.
fn without_white_space(text: &str) -> Option<String> {
    let mut kept: Option<String> = None;
    let mut rest = text;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        let (before, found) = rest.split_at(at);
        let (part, next) = if found.starts_with('"') {
            rest.split_at(at + string_length(found))
        } else {
            let consumed = text.len() - found.len();
            kept.get_or_insert_with(|| {
                text.get(..consumed - before.len())
                    .unwrap_or_default()
                    .to_owned()
            });
            (before, found.trim_ascii_start())
        };
        if let Some(kept) = &mut kept {
            kept.push_str(part);
        }
        rest = next;
    }
    if let Some(kept) = &mut kept {
        kept.push_str(rest);
    }
    kept
}

/// The length of the JSON string at the start of a text, quotes included.
pub(crate) fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = !escaped && byte == b'"';
        escaped = !escaped && byte == b'\\';
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parse(text: &str, expected: &str) {
        assert_eq!(Json::parse(text).unwrap().as_str(), expected);
    }

    #[test]
    fn white_space_goes_but_not_from_strings() {
        check_parse(
            "{ \"a b\" :\n [1, 2.50,\t\"x \\\" y\\\\\" , \"\\\\\" ] }",
            "{\"a b\":[1,2.50,\"x \\\" y\\\\\",\"\\\\\"]}",
        );
    }

    #[test]
    fn order_and_numbers_are_kept_as_they_came() {
        check_parse(
            r#"{"z":123456789012345678901234567890,"a":1.50}"#,
            r#"{"z":123456789012345678901234567890,"a":1.50}"#,
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_and_not_turned_into_null() {
        let refused =
            JsonObject::from_serialize(&std::collections::BTreeMap::from([("a", f64::NAN)]));
        assert_eq!(refused, Err(JsonError::NotFinite));
        assert_eq!(
            Json::from_serialize(&(Some("null"), None::<f64>))
                .unwrap()
                .as_str(),
            r#"["null",null]"#
        );
    }

    #[test]
    fn only_objects_are_objects() {
        assert_eq!(JsonObject::parse("[1]"), Err(JsonError::NotAnObject));
        assert_eq!(
            JsonObject::parse("{"),
            Err(JsonError::Syntax { line: 1, column: 1 })
        );
        assert!(JsonObject::parse("{ }").unwrap().is_empty());
        assert_eq!(JsonObject::parse("{ }").unwrap(), JsonObject::default());
    }
}
