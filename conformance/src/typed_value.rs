//! Attribute values as vectors write them: objects with one member that names the type.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value in the typed form of the vectors, such as `{"int": 1}`.
///
/// In what we return, an empty array is written `{"array": []}` whatever its type, as the vectors
/// do; [`TypedValue::normalized`] does that. A `string_repeat` of an input reads as the
/// [`String`](Self::String) that it stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", from = "Form")]
#[expect(clippy::exhaustive_enums, reason = "the vectors have no other forms")]
pub enum TypedValue {
    /// A string.
    String(String),
    /// A boolean.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// A double.
    Double(Double),
    /// An array of strings.
    StringArray(Vec<String>),
    /// An array of booleans.
    BoolArray(Vec<bool>),
    /// An array of signed integers of 64 bits.
    IntArray(Vec<i64>),
    /// An array of doubles.
    DoubleArray(Vec<Double>),
    /// Nothing; written `{"null": true}`.
    Null(bool),
    /// An integer beyond 64 bits, in decimal digits.
    Bigint(String),
    /// An array of anything.
    Array(Vec<Self>),
    /// Keys with values.
    Map(Vec<(String, Self)>),
}

impl TypedValue {
    /// Whether it is a float, or has one, that is not finite.
    pub(crate) fn is_infinite(&self) -> bool {
        match self {
            Self::Double(float) => !float.0.is_finite(),
            Self::DoubleArray(items) => items.iter().any(|item| !item.0.is_finite()),
            _ => false,
        }
    }

    /// The value with an empty array of any type in the form that vectors expect.
    #[must_use]
    pub fn normalized(self) -> Self {
        let is_empty = match &self {
            Self::StringArray(items) => items.is_empty(),
            Self::BoolArray(items) => items.is_empty(),
            Self::IntArray(items) => items.is_empty(),
            Self::DoubleArray(items) => items.is_empty(),
            _ => false,
        };
        if is_empty {
            Self::Array(Vec::new())
        } else {
            self
        }
    }
}

/// A list of keys with typed values, `[[key, value], …]`.
pub type TypedPairs = Vec<(String, TypedValue)>;

/// What a span holds after these calls of `set_attribute`: a key that is set again moves to the end, and
/// an empty key is dropped.
#[must_use]
pub fn after_calls(pairs: &[(String, TypedValue)]) -> TypedPairs {
    let mut kept: TypedPairs = Vec::new();
    for (key, typed) in pairs {
        kept.retain(|(other, _)| other != key);
        if !key.is_empty() {
            kept.push((key.clone(), typed.clone()));
        }
    }
    kept
}

/// A double, which vectors write as `"NaN"`, `"Infinity"` or `"-Infinity"` where JSON has no number
/// for it.
///
/// Equal if the bits are, so that `NaN` equals itself and `-0.0` is not `0.0`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it only gives f64 another form")]
pub struct Double(pub f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_finite() => serializer.serialize_f64(x),
            x if x.is_nan() => serializer.serialize_str("NaN"),
            x if x > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => match text.as_str() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                _ => Err(serde::de::Error::custom(format!("no double: {text:?}"))),
            },
        }
    }
}

/// The forms that are read, one more than there are values.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    String(String),
    Bool(bool),
    Int(i64),
    Double(Double),
    StringArray(Vec<String>),
    BoolArray(Vec<bool>),
    IntArray(Vec<i64>),
    DoubleArray(Vec<Double>),
    StringRepeat(Repeat),
    Null(bool),
    Bigint(String),
    Array(Vec<TypedValue>),
    Map(Vec<(String, TypedValue)>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    unit: String,
    count: usize,
}

impl From<Form> for TypedValue {
    fn from(form: Form) -> Self {
        match form {
            Form::String(value) => Self::String(value),
            Form::Bool(value) => Self::Bool(value),
            Form::Int(value) => Self::Int(value),
            Form::Double(value) => Self::Double(value),
            Form::StringArray(items) => Self::StringArray(items),
            Form::BoolArray(items) => Self::BoolArray(items),
            Form::IntArray(items) => Self::IntArray(items),
            Form::DoubleArray(items) => Self::DoubleArray(items),
            Form::StringRepeat(Repeat { unit, count }) => Self::String(unit.repeat(count)),
            Form::Null(value) => Self::Null(value),
            Form::Bigint(digits) => Self::Bigint(digits),
            Form::Array(items) => Self::Array(items),
            Form::Map(members) => Self::Map(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip(text: &str) {
        let value: TypedValue = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }

    #[test]
    fn every_form_reads_and_writes_back() {
        for text in [
            r#"{"string":"a"}"#,
            r#"{"bool":true}"#,
            r#"{"int":-9223372036854775808}"#,
            r#"{"double":-0.0}"#,
            r#"{"double":"NaN"}"#,
            r#"{"double_array":[1.5,"Infinity","-Infinity"]}"#,
            r#"{"string_array":["a",""]}"#,
            r#"{"bool_array":[false]}"#,
            r#"{"int_array":[1,2]}"#,
            r#"{"null":true}"#,
            r#"{"bigint":"-99999999999999999999"}"#,
            r#"{"array":[{"int":1},{"null":true},{"array":[]}]}"#,
            r#"{"map":[["b",{"int":1}],["a",{"map":[]}]]}"#,
        ] {
            check_round_trip(text);
        }
    }

    #[test]
    fn doubles_are_equal_if_their_bits_are() {
        assert_eq!(Double(f64::NAN), Double(f64::NAN));
        assert_ne!(Double(0.0), Double(-0.0));
    }

    #[test]
    fn a_repeated_unit_is_written_out() {
        let value: TypedValue =
            serde_json::from_str(r#"{"string_repeat":{"unit":"ab","count":3}}"#).unwrap();
        assert_eq!(value, TypedValue::String("ababab".into()));
    }

    #[test]
    fn a_key_that_is_set_again_moves_to_the_end_and_an_empty_one_is_dropped() {
        let pair = |key: &str, value| (key.to_owned(), TypedValue::Int(value));
        let calls = [pair("a", 1), pair("", 2), pair("b", 3), pair("a", 4)];
        assert_eq!(after_calls(&calls), [pair("b", 3), pair("a", 4)]);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            r#"{"float":1.0}"#,
            r#"{"int":1.5}"#,
            r#"{"int":9223372036854775808}"#,
            r#"{"int":1,"bool":true}"#,
            r#"{"double":"nan"}"#,
            r#"{"string_repeat":{"unit":"a","count":1,"x":1}}"#,
            "1",
            "{}",
        ] {
            assert!(serde_json::from_str::<TypedValue>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_array_has_no_type() {
        let empty = TypedValue::Array(Vec::new());
        assert_eq!(TypedValue::IntArray(Vec::new()).normalized(), empty);
        assert_eq!(TypedValue::StringArray(Vec::new()).normalized(), empty);
        assert_eq!(TypedValue::BoolArray(Vec::new()).normalized(), empty);
        assert_eq!(TypedValue::DoubleArray(Vec::new()).normalized(), empty);
        let full = TypedValue::IntArray(vec![1]);
        assert_eq!(full.clone().normalized(), full);
    }
}
