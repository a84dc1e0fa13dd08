//! Makes text of spans and files safe for a terminal.

use std::borrow::Cow;
use std::path::Path;

use serde_json::Value;

/// The text on one line, with control characters and invisible ones escaped, such as those that turn the direction of
/// writing.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == ' ' || matches!(character, '"' | '\'' | '\\') {
            shown.push(character);
        } else {
            shown.extend(character.escape_debug());
        }
    }
    shown
}

/// As [`shown`], with at most so many characters of the text.
pub(crate) fn shown_cut(text: &str, characters: usize) -> String {
    let mut cut: String = text.chars().take(characters).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    shown(&cut)
}

/// The name of a file.
pub(crate) fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

/// JSON on one line. What a terminal could obey is written as `\u202e`, which says the same in JSON.
pub(crate) fn shown_json(value: &Value) -> String {
    harmless(value.to_string())
}

/// JSON on several lines, as harmless as [`shown_json`].
pub(crate) fn shown_pretty_json(value: &Value) -> String {
    harmless(format!("{value:#}"))
}

/// Such characters stand in strings only, so that an escape may take their place.
fn harmless(json: String) -> String {
    let is_obeyed = |character: char| {
        character == '\u{7f}'
            || (!character.is_ascii() && character.escape_debug().nth(1).is_some())
    };
    if !json.contains(is_obeyed) {
        return json;
    }
    let mut units = [0; 2];
    let pieces = json.chars().map(|character| match is_obeyed(character) {
        true => {
            let units = character.encode_utf16(&mut units).iter();
            Cow::Owned(units.map(|unit| format!("\\u{unit:04x}")).collect())
        }
        false => Cow::<str>::Owned(character.to_string()),
    });
    pieces.collect()
}

/// As [`counted`], with a verb.
pub(crate) fn were(count: usize, name: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(count, name))
}

/// A number of things, whose name gets an `s` unless there is one.
pub(crate) fn counted(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    }
}
