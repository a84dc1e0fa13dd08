//! The data of a span that the page loads on demand: the rest of long texts, and media.
//!
//! Without this, a prompt of a megabyte, or an image in base64, would slow down the page.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

/// How much of a text is sent at once, in bytes of UTF-8.
pub(crate) const SLICE: usize = 64 << 10;

/// When the texts of a span have this many bytes together, no more than the beginning of others is sent.
const ENOUGH: usize = 1 << 20;
const BEGINNING: usize = 1 << 10;

/// The least length of media, in bytes; anything shorter is text.
const SHORTEST_MEDIA: usize = 16;

/// The members of a span's contents in which media are looked for.
const CONTENTS: [&str; 4] = ["messages", "output", "arguments", "result"];

/// Base64 of senders, some of whom leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A long text, of which the contents of a span show only a part, or media that they leave out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// A long text.
    Text(String),
    /// Media, in base64.
    Media(String),
}

/// Cuts long texts, and takes media out. The answer says in `kept` where, and has the rest in that order.
pub(crate) fn take(answer: &mut Value) -> Vec<Kept> {
    let mut taker = Taker::default();
    if let Value::Object(members) = &mut *answer {
        for (name, member) in members {
            let is_contents = CONTENTS.contains(&name.as_str());
            taker.path.push(name.as_str().into());
            taker.value(member, is_contents);
            taker.path.pop();
        }
    }
    answer["kept"] = Value::Array(taker.places);
    taker.kept
}

#[derive(Debug, Default)]
struct Taker {
    path: Vec<Value>,
    places: Vec<Value>,
    kept: Vec<Kept>,
    sent: usize,
}

impl Taker {
    fn value(&mut self, value: &mut Value, is_contents: bool) {
        match value {
            Value::String(text) => self.text(text, is_contents && is_data_url(text)),
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.path.push(at.into());
                    self.value(item, is_contents);
                    self.path.pop();
                }
            }
            Value::Object(members) => {
                let media = if is_contents { media_of(members) } else { None };
                for (name, member) in members.iter_mut() {
                    self.path.push(name.as_str().into());
                    match member {
                        Value::String(text) if media == Some(name) => self.text(text, true),
                        member => self.value(member, is_contents),
                    }
                    self.path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &mut String, is_media: bool) {
        if is_media && text.len() >= SHORTEST_MEDIA {
            let base64 = match text.split_once(";base64,") {
                Some((_, base64)) if is_data_url(text) => base64.to_owned(),
                _ => std::mem::take(text),
            };
            text.clear();
            let image = image_type(&begin(&base64));
            self.places
                .push(json!({"at": self.path, "size": base64.len() / 4 * 3, "image": image}));
            self.kept.push(Kept::Media(base64));
            return;
        }
        let limit = if self.sent < ENOUGH { SLICE } else { BEGINNING };
        let end = boundary(text, limit);
        self.sent += end;
        if end < text.len() {
            let size = text.chars().count();
            self.places
                .push(json!({"at": self.path, "size": size, "next": end}));
            let beginning = text.get(..end).unwrap_or_default().to_owned();
            self.kept
                .push(Kept::Text(std::mem::replace(text, beginning)));
        }
    }
}

/// The member in which the media of a part are: as the GenAI conventions, MCP and others write it.
fn media_of(members: &Map<String, Value>) -> Option<&'static str> {
    let has = |name: &str| members.get(name).is_some_and(Value::is_string);
    let kind = members.get("type").and_then(Value::as_str);
    let is_named = ["mimeType", "mime_type", "media_type"].into_iter().any(has);
    match kind {
        Some("blob") if has("content") => Some("content"),
        _ if is_named && has("data") => Some("data"),
        _ => None,
    }
}

fn is_data_url(text: &str) -> bool {
    text.starts_with("data:") && text.contains(";base64,")
}

/// The bytes with which media begin, enough to see what they are.
fn begin(base64: &str) -> Vec<u8> {
    let beginning = base64.get(..32.min(base64.len() / 4 * 4));
    BASE64
        .decode(beginning.unwrap_or_default())
        .unwrap_or_default()
}

/// The type of a picture that has no markup and no script in it, by its bytes and not by what the sender says.
fn image_type(bytes: &[u8]) -> Option<&'static str> {
    let is_riff = |form: &[u8]| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(form);
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ if is_riff(b"WEBP") => Some("image/webp"),
        _ => None,
    }
}

/// The longest beginning of a text of at most so many bytes, in whole characters.
fn boundary(text: &str, at: usize) -> usize {
    let mut ends = (0..=at.min(text.len())).rev();
    ends.find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

impl Kept {
    /// A piece of a text from a byte on, and where the next one begins.
    pub(crate) fn slice(&self, from: usize) -> Option<Value> {
        let Self::Text(text) = self else {
            return None;
        };
        let rest = text.get(boundary(text, from)..)?;
        let end = boundary(rest, SLICE);
        let next = (end < rest.len()).then(|| text.len() - rest.len() + end);
        Some(json!({"text": rest.get(..end)?, "next": next}))
    }

    /// A picture and its type. None of anything else.
    pub(crate) fn image(&self) -> Option<(&'static str, Vec<u8>)> {
        let Self::Media(base64) = self else {
            return None;
        };
        let kind = image_type(&begin(base64))?;
        Some((kind, decoded(base64)?))
    }

    /// All of it, to be stored as a file.
    pub(crate) fn whole(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.as_bytes().to_vec()),
            Self::Media(base64) => decoded(base64),
        }
    }
}

fn decoded(base64: &str) -> Option<Vec<u8>> {
    let lines = || base64.split_ascii_whitespace().collect::<String>();
    let decoded = BASE64.decode(base64).or_else(|_| BASE64.decode(lines()));
    decoded.ok()
}

#[cfg(test)]
mod tests;
