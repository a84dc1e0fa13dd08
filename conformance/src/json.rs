//! JSON that keeps what `serde_json::Value` loses: the digits of numbers, and members with the same
//! name.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A JSON value with everything that the comparison looks at.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "JSON has no other values")]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object: its members in order, repeated names included.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// If the text is not strict JSON, or holds half of a surrogate pair.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let text = text.trim_ascii();
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Object(
                members(text)?
                    .into_iter()
                    .map(|(name, value)| Ok((name, Self::parse(value.get())?)))
                    .collect::<Result<_, serde_json::Error>>()?,
            ),
            Some(b'[') => Self::Array(
                serde_json::from_str::<Vec<&RawValue>>(text)?
                    .into_iter()
                    .map(|value| Self::parse(value.get()))
                    .collect::<Result<_, serde_json::Error>>()?,
            ),
            Some(b'"') => Self::String(serde_json::from_str(text)?),
            Some(b'-' | b'0'..=b'9') => {
                let number: &RawValue = serde_json::from_str(text)?;
                Self::Number(Number::from_text(number.get()))
            }
            Some(b't' | b'f') => Self::Bool(serde_json::from_str(text)?),
            _ => {
                serde_json::from_str::<()>(text)?;
                Self::Null
            }
        })
    }

    /// What `value` serialises to.
    ///
    /// # Errors
    ///
    /// If `value` cannot be serialised as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Self::parse(&serde_json::to_string(value)?)
    }

    /// The first member of an object with this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let (_, value) = members.iter().find(|(member, _)| member == name)?;
        Some(value)
    }

    /// The first member of an object with this name, to be changed.
    pub fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let (_, value) = members.iter_mut().find(|(member, _)| member == name)?;
        Some(value)
    }

    /// Takes the first member with this name out of an object.
    pub fn take_member(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let at = members.iter().position(|(member, _)| member == name)?;
        Some(members.remove(at).1)
    }

    /// The items, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The items, if it is an array, to be changed.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => {
                Self::Number(Number::from_text(&number.to_string()))
            }
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(members) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect(),
            ),
        }
    }
}

/// Writes compact JSON.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write_string(f, text),
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { '[' } else { ',' })?;
                }
                f.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Object(members) => {
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "{" } else { "," })?;
                    write_string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// A number as JSON writes it.
///
/// Integers are equal if their digits are, however many there are; floats if they are the same
/// double, so that `1e16` and `1e+16` are equal, and `-0.0` and `0.0` are not. An integer never
/// equals a float: Python writes `2` and `2.0`, and means it.
#[derive(Clone, Debug)]
pub struct Number(Box<str>);

impl Number {
    fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    fn is_integer(&self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self.is_integer(), other.is_integer()) {
            (true, true) => self.0 == other.0,
            (false, false) => match (self.0.parse::<f64>(), other.0.parse::<f64>()) {
                (Ok(one), Ok(two)) => one.to_bits() == two.to_bits(),
                _ => false,
            },
            _ => false,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn members(text: &str) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Members)?;
    reader.end()?;
    Ok(members)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_but_for_white_space() {
        let text = r#"{"b":[1,2.0,1e+16,-0.0,123456789012345678901234567890],"a":{},"a":[],"":"\n","n":null,"t":true}"#;
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
        let spaced = format!(" {} \n", text.replace(',', " , ").replace(':', " : "));
        assert_eq!(Json::parse(&spaced).unwrap(), Json::parse(text).unwrap());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "nul",
            "NaN",
            "Infinity",
            "[1,]",
            "{\"a\"}",
            "01",
            "1 2",
            "{} x",
            "[] x",
            "tru",
            "\"\\ud800\"",
            "1.",
        ] {
            assert!(Json::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_equal_as_python_writes_them() {
        for (one, two, equal) in [
            ("2", "2.0", false),
            ("2.0", "2.0", true),
            ("1e16", "1e+16", true),
            ("0.1", "0.10", true),
            ("0.0", "-0.0", false),
            ("9007199254740993", "9007199254740992", false),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567891",
                false,
            ),
            ("1e308", "1e307", false),
        ] {
            let (first, second) = (Json::parse(one).unwrap(), Json::parse(two).unwrap());
            assert_eq!(first == second, equal, "{one} and {two}");
        }
    }

    #[test]
    fn a_serialised_value_keeps_its_floats() {
        assert_eq!(Json::of(&(2.0, 2)).unwrap().to_string(), "[2.0,2]");
    }
}
