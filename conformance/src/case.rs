//! A vector file and its cases, as they stand on the disk.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::reviewed::sha256;
use crate::{Failure, Json};

/// One case: an input, and what the reference package did with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// Marks of cases that a port may treat differently.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What kind of case it is, where a file has several.
    #[serde(default)]
    pub class: Option<String>,
    /// A word to people who read the file.
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
    input: Box<RawValue>,
    /// What the reference did, defects included.
    pub expected: Json,
}

impl Case {
    /// The input as a type of the runner.
    ///
    /// A field that the type does not know is a failure, whether or not the type denies it: what a
    /// runner overlooks, it does not test.
    ///
    /// # Errors
    ///
    /// [`Failure::Input`] if the input has other fields or types than `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let mut overlooked = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(self.input.get());
        let input = serde_ignored::deserialize(&mut reader, |path| {
            overlooked.push(path.to_string());
        })?;
        if overlooked.is_empty() {
            Ok(input)
        } else {
            Err(Failure::Overlooked(overlooked.join(", ")))
        }
    }

    /// The whole input, for predicates and for inputs without a schema.
    ///
    /// # Errors
    ///
    /// [`Failure::Input`] if a string in it is not Unicode.
    pub fn input_json(&self) -> Result<Json, Failure> {
        Ok(Json::parse(self.input.get())?)
    }

    /// By what a case is known: the start of the SHA-256 of its input.
    pub(crate) fn digest(&self) -> String {
        let mut digits = sha256(self.input.get().as_bytes());
        digits.truncate(10);
        digits
    }

    /// Whether the case carries a flag.
    #[must_use]
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }
}

/// A vector file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VectorFile {
    #[serde(rename = "reference")]
    _reference: String,
    #[serde(rename = "what")]
    _what: String,
    #[serde(default, rename = "generated_with")]
    _generated_with: IgnoredAny,
    /// The cases one by one, so that one that cannot be read does not hide the others.
    pub(crate) cases: Vec<Box<RawValue>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Input {
        a: u8,
        inner: Inner,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        b: Option<u8>,
    }

    fn case(input: &str) -> Case {
        serde_json::from_str(&format!(
            r#"{{"name":"n","input":{input},"expected":{{}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn an_input_with_all_fields_known_is_read() {
        let input: Input = case(r#"{"a":1,"inner":{}}"#).input().unwrap();
        assert_eq!(
            input,
            Input {
                a: 1,
                inner: Inner { b: None }
            }
        );
    }

    #[test]
    fn a_field_that_the_runner_overlooks_is_a_failure() {
        let failure = case(r#"{"a":1,"inner":{"b":2,"c":3},"d":4}"#)
            .input::<Input>()
            .unwrap_err();
        assert_eq!(
            failure.to_string(),
            "the runner does not know these input fields: inner.c, d"
        );
    }

    #[test]
    fn a_case_with_an_unknown_member_is_refused() {
        let text = r#"{"name":"n","input":{},"expected":{},"only_if":1}"#;
        assert!(serde_json::from_str::<Case>(text).is_err());
    }
}
