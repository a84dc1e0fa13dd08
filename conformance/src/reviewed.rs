//! How our outcomes of the shipped cases differ from the reference's, where a rule allows it.
//!
//! `reviewed.json` is written by `cargo run -p conformance -- --review`, and its change is reviewed like
//! code. A case is known by the digest of its input, wherever its file is. One that is known passes only if
//! the differences of its outcome are the ones that are listed, or none if none are: a value that changes
//! on either side is seen.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use crate::Case;
use crate::compare::Difference;

/// Where [`Reviewed`] is written.
pub const REVIEWED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reviewed.json");

/// Longer values are given by their digest.
const SHOWN_BYTES: usize = 400;

/// The differences that somebody has reviewed, by vector file.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reviewed(BTreeMap<String, Known>);

/// The cases of a vector file that somebody has seen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// The digests of the inputs with which we do as the reference does.
    same: String,
    cases: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// For people.
    case: String,
    /// The digest of the input.
    input: String,
    /// Where the outcomes differ, what the reference did, and what we do.
    differences: Vec<[String; 3]>,
}

impl Reviewed {
    pub(crate) fn shipped() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../reviewed.json"))
    }

    /// The differences of a case, if it is known.
    pub(crate) fn of(&self, file: &str, case: &Case) -> Option<&[[String; 3]]> {
        let known = self.0.get(file)?;
        let input = case.digest();
        let mut cases = known.cases.iter();
        match cases.find(|entry| entry.input == input) {
            Some(entry) => Some(&entry.differences),
            None => known
                .same
                .split(' ')
                .any(|same| same == input)
                .then_some(&[]),
        }
    }

    pub(crate) fn add(&mut self, file: &str, case: &Case, differences: &[Difference]) {
        let known = self.0.entry(file.to_owned()).or_default();
        if differences.is_empty() {
            known.same += &format!("{} ", case.digest());
            return;
        }
        known.cases.push(Entry {
            case: case.name.clone(),
            input: case.digest(),
            differences: written(differences),
        });
    }

    /// The text of `reviewed.json`, with a line for each difference.
    ///
    /// # Errors
    ///
    /// Never: these are texts.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut files = Vec::new();
        for (file, known) in &self.0 {
            let mut cases = Vec::new();
            for entry in &known.cases {
                let [case, input] = [&entry.case, &entry.input].map(serde_json::to_string);
                let rows = entry.differences.iter().map(serde_json::to_string);
                let rows = rows.collect::<Result<Vec<_>, _>>()?.join(",\n   ");
                let (case, input) = (case?, input?);
                cases.push(format!(
                    "{{\"case\": {case}, \"input\": {input}, \"differences\": [\n   {rows}]}}"
                ));
            }
            let (same, cases) = (known.same.trim_end(), cases.join(",\n  "));
            files.push(format!(
                " {file:?}: {{\"same\": {same:?}, \"cases\": [\n  {cases}]}}"
            ));
        }
        Ok(format!("{{\n{}\n}}\n", files.join(",\n")))
    }
}

/// Differences as they are listed.
pub(crate) fn written(differences: &[Difference]) -> Vec<[String; 3]> {
    let rows = differences.iter().map(|difference| {
        [
            difference.path.clone(),
            shown(&difference.expected),
            shown(&difference.found),
        ]
    });
    rows.collect()
}

fn shown(value: &str) -> String {
    match value.len() {
        ..=SHOWN_BYTES => value.to_owned(),
        length => format!("{length} bytes, sha256 {}", sha256(value.as_bytes())),
    }
}

/// The digest of bytes, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}
