//! Cases with one wrong expectation each: does the comparison see it?

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::Json;
use crate::compare::{Tolerances, differences};

/// What became of cases of which one expected scalar was changed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Mutations {
    /// By file.
    pub files: BTreeMap<String, FileMutations>,
}

/// What became of the changed cases of a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FileMutations {
    /// Changes for which the case failed.
    pub seen: usize,
    /// Changes of values that the runner says are not compared.
    pub tolerated: usize,
    /// Changes of values that a rule replaces.
    pub replaced: usize,
    /// Changes that nobody noticed: the case, and where it was changed.
    pub unseen: Vec<(String, String)>,
}

/// What became of one changed case.
pub(crate) enum Fate {
    Seen,
    Tolerated,
    Replaced,
    /// And where it was changed.
    Unseen(String),
}

impl Mutations {
    /// Whether changes were seen in every file.
    ///
    /// Some are not to be seen: an expected dump that is read, and written again, is changed on both sides,
    /// and of a refusal we give the place and not the words.
    #[must_use]
    pub fn is_success(&self) -> bool {
        !self.files.is_empty() && self.files.values().all(|file| file.seen > 0)
    }

    /// Writes a line per file, the changes that were not seen, and the totals.
    ///
    /// # Errors
    ///
    /// Whatever `out` answers.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (mut seen, mut unseen) = (0, 0);
        for (name, file) in &self.files {
            let FileMutations {
                seen: of_file,
                tolerated,
                replaced,
                unseen: missed,
            } = file;
            let number = missed.len();
            writeln!(
                out,
                "{name}: {of_file} seen, {number} not seen, {tolerated} where nothing is compared, \
                 {replaced} where a rule replaces the value"
            )?;
            for (case, path) in missed {
                writeln!(out, "  not seen: {case}: {path}")?;
            }
            seen += of_file;
            unseen += number;
        }
        writeln!(out, "{seen} changes seen, {unseen} not seen")
    }
}

impl FileMutations {
    pub(crate) fn add(&mut self, case: &str, fate: Fate) {
        match fate {
            Fate::Seen => self.seen += 1,
            Fate::Tolerated => self.tolerated += 1,
            Fate::Replaced => self.replaced += 1,
            Fate::Unseen(path) => self.unseen.push((case.to_owned(), path)),
        }
    }
}

/// How many scalars a value has.
pub(crate) fn scalars(value: &Json) -> usize {
    match value {
        Json::Array(items) => items.iter().map(scalars).sum(),
        Json::Object(members) => members.iter().map(|(_, member)| scalars(member)).sum(),
        _ => 1,
    }
}

/// The value with another scalar in the place of the one with this number, and where that is. None
/// where the comparison overlooks it.
pub(crate) fn changed(
    value: &Json,
    number: usize,
    tolerances: &Tolerances,
) -> Option<(Json, String)> {
    let mut changed = value.clone();
    change(&mut changed, &mut { number });
    let path = differences(value, &changed, tolerances).pop()?.path;
    Some((changed, path))
}

/// Changes the scalar before which there are `left` others. Returns whether it was in here.
fn change(value: &mut Json, left: &mut usize) -> bool {
    match value {
        Json::Array(items) => items.iter_mut().any(|item| change(item, left)),
        Json::Object(members) => members.iter_mut().any(|(_, member)| change(member, left)),
        scalar if *left == 0 => {
            *scalar = other(scalar);
            true
        }
        _ => {
            *left -= 1;
            false
        }
    }
}

/// Another scalar of the same type, where there is one.
fn other(scalar: &Json) -> Json {
    match scalar {
        Json::Bool(truth) => Json::Bool(!truth),
        Json::String(text) => Json::String(format!("{text}~")),
        Json::Number(_) => {
            let [seven, eight] = ["7", "8"].map(|digits| Json::parse(digits).unwrap_or(Json::Null));
            if *scalar == seven { eight } else { seven }
        }
        _ => Json::Bool(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scalar_is_changed_once_and_nothing_else() {
        let value = Json::parse(r#"{"a":[1,"x",null,[]],"a":true,"b":{"c":7,"d":{}}}"#).unwrap();
        assert_eq!(scalars(&value), 5);
        let paths: Vec<_> = (0..scalars(&value))
            .map(|number| {
                let (changed, path) = changed(&value, number, &Tolerances::default()).unwrap();
                assert_eq!(
                    differences(&value, &changed, &Tolerances::default()).len(),
                    1
                );
                path
            })
            .collect();
        assert_eq!(paths, ["a[0]", "a[1]", "a[2]", "a", "b.c"]);
        let ignored = Tolerances {
            ignored: &["b.c"],
            ..Tolerances::default()
        };
        assert!(changed(&value, 4, &ignored).is_none());
    }
}
