//! The cuts in a span, and the span's note about them.

use agentspan_model::keys;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::ascii::{ascii_length, text_cost};
use super::sdk_span::push_value;

/// More is never said, and no longer key is named.
const MAX_KEYS: usize = 32;
const MAX_KEY: usize = 128;

/// How many keys are remembered of which some are named: those that are too long are not.
const CANDIDATES: usize = 4 * MAX_KEYS;

/// The quotes of a name, its colon and the comma after its value.
const FRAME: usize = 4;

/// The quotes of an item of a list, and the comma after it.
const ITEM_FRAME: usize = 3;

/// The cuts in one span.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// In the order of the cuts, and so the largest first. As many as there are candidates, so that a span of
    /// very many attributes costs no more for each.
    keys: Vec<Key>,
    count: usize,
}

impl Cuts {
    /// A value was cut, or left out.
    pub(super) fn of_value(&mut self, key: &Key) {
        self.count += 1;
        if self.keys.len() < CANDIDATES && !self.keys.contains(key) {
            self.keys.push(key.clone());
        }
    }

    /// Something else was cut or left out: an event, a link, the name, the message.
    pub(super) fn of_something(&mut self) {
        self.count += 1;
    }

    /// The attributes that say so, in at most `budget` bytes as JSON, and how many bytes they take. None
    /// if nothing was cut or there is no room.
    pub(super) fn note(&self, budget: usize) -> (Vec<KeyValue>, usize) {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        let count = KeyValue::new(keys::AGENTSPAN_TRUNCATED_COUNT, count);
        let mut cost = cost_of(&count);
        if self.count == 0 || cost > budget {
            return (Vec::new(), 0);
        }
        let mut names: Vec<StringValue> = Vec::new();
        let mut cost_of_names = cost_of(&names_of(Vec::new()));
        for key in &self.keys {
            let more = text_cost(key.as_str()) + ITEM_FRAME;
            if names.len() < MAX_KEYS && more <= MAX_KEY && cost + cost_of_names + more <= budget {
                names.push(key.as_str().to_owned().into());
                cost_of_names += more;
            }
        }
        let mut note = Vec::with_capacity(2);
        if !names.is_empty() {
            note.push(names_of(names));
            cost += cost_of_names;
        }
        note.push(count);
        (note, cost)
    }
}

/// Whether an attribute of this key is part of a note.
pub(super) fn is_note(key: &Key) -> bool {
    [
        keys::AGENTSPAN_TRUNCATED_KEYS,
        keys::AGENTSPAN_TRUNCATED_COUNT,
    ]
    .contains(&key.as_str())
}

fn names_of(names: Vec<StringValue>) -> KeyValue {
    let names = Value::Array(Array::String(names));
    KeyValue::new(keys::AGENTSPAN_TRUNCATED_KEYS, names)
}

fn cost_of(attribute: &KeyValue) -> usize {
    text_cost(attribute.key.as_str()) + value_cost(&attribute.value) + FRAME
}

/// Says that something of a text with so many bytes is missing.
pub(super) struct Note(pub(super) usize);

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "...[cut from {} bytes]", self.0)
    }
}

/// How many bytes the value takes as JSON in ASCII.
pub(super) fn value_cost(value: &Value) -> usize {
    let mut json = Vec::new();
    push_value(&mut json, value);
    ascii_length(&json)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and the count of a note, which takes no more than it says, nor than it may.
    fn note(cuts: &Cuts, budget: usize) -> Option<(Vec<String>, i64)> {
        let (note, cost) = cuts.note(budget);
        let written: usize = note.iter().map(cost_of).sum();
        assert!(written <= cost && cost <= budget, "{written} {cost}");
        let mut names = Vec::new();
        let mut count = None;
        for attribute in note {
            assert!(is_note(&attribute.key));
            match attribute.value {
                Value::Array(Array::String(items)) => {
                    names = items.iter().map(ToString::to_string).collect();
                }
                Value::I64(number) => count = Some(number),
                other => panic!("{other:?}"),
            }
        }
        Some((names, count?))
    }

    fn cuts(names: impl IntoIterator<Item = String>) -> Cuts {
        let mut cuts = Cuts::default();
        for name in names {
            cuts.of_value(&Key::from(name));
        }
        cuts
    }

    #[test]
    fn a_note_names_each_key_once_and_counts_all_cuts() {
        let mut cuts = cuts(["b", "a", "b"].map(str::to_owned));
        cuts.of_something();
        let names = vec!["b".to_owned(), "a".to_owned()];
        assert_eq!(note(&cuts, 1_000), Some((names, 4)));
    }

    #[test]
    fn a14_of_very_many_keys_only_the_candidates_are_looked_at() {
        let many = cuts((0..64_000).map(|n| format!("key {n}")));
        assert_eq!(many.keys.len(), CANDIDATES);
        let (names, count) = note(&many, 10_000).unwrap();
        assert_eq!(
            (names[0].as_str(), names.len(), count),
            ("key 0", 32, 64_000)
        );
    }

    #[test]
    fn a_note_names_as_many_as_there_is_room_for() {
        let many = cuts((0..100).map(|n| format!("key {n:02}")));
        assert_eq!(
            note(&many, 10_000).map(|(names, count)| (names.len(), count)),
            Some((32, 100))
        );
        let few = note(&many, 100).unwrap();
        assert!(few.0.len() < 5, "{few:?}");
        assert_eq!(few.1, 100);
        assert_eq!(note(&many, 10), None);
        assert_eq!(note(&Cuts::default(), 1_000), None);
        let long = cuts(["x".repeat(200), "short".to_owned()]);
        assert_eq!(note(&long, 1_000), Some((vec!["short".to_owned()], 2)));
    }
}
