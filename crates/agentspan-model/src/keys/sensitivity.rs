//! Classifies the values of attributes by their keys.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::content::CONTENT;
use super::context::CONTEXT;
use super::harmless::HARMLESS;
use super::vocabularies::{FRAMEWORKS, VOCABULARIES, WORDS};
use crate::invisible::is_invisible;

/// The sensitivity of an attribute's value, by its key.
///
/// Contents are recognised by key, by prefix and by vocabulary. The conventions for agents and
/// models grow, and every framework adds keys, so an unknown key in their vocabularies is not
/// trusted. Upper case, invisible characters and blanks in a key do not change its class.
///
/// ```
/// use agentspan_model::keys::Sensitivity;
///
/// assert_eq!(Sensitivity::of("gen_ai.usage.input_tokens"), Sensitivity::Harmless);
/// assert_eq!(Sensitivity::of("user.email"), Sensitivity::Context);
/// assert_eq!(Sensitivity::of("gen_ai.prompt.0.content"), Sensitivity::Content);
/// assert_eq!(Sensitivity::of("gen_ai.new_in_the_next_release"), Sensitivity::Suspect);
/// assert_eq!(Sensitivity::of("GEN_AI.PROMPT"), Sensitivity::Content);
/// assert_eq!(Sensitivity::of("crew_tasks"), Sensitivity::Suspect);
/// assert_eq!(Sensitivity::of("app.step"), Sensitivity::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sensitivity {
    /// A number, an id, a name or a member of an enumeration, by the convention that defines the
    /// key.
    Harmless,
    /// A person, a place or a name. It may be personal data, but is not content.
    Context,
    /// Contents, see [`CONTENT`].
    Content,
    /// The key is unknown, but belongs to a vocabulary of agents and models, or is a word that
    /// usually names contents. A text counts as content; a number or a boolean does not.
    Suspect,
    /// The key is unknown.
    Unknown,
}

impl Sensitivity {
    /// The sensitivity of an attribute with this key.
    ///
    /// The longest known part of the key decides; a part ends before one of `.:/[`. Lower-case ASCII
    /// keys do not allocate.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let known = &*KNOWN;
        if let Some(sensitivity) = known.exactly(key) {
            return sensitivity;
        }
        match Shape::of(key) {
            Some(shape) => known.by_parts(key, shape),
            None => Self::of_disguised(known, &plain(key)),
        }
    }

    /// The sensitivity of a key in an unusual spelling.
    #[cold]
    fn of_disguised(known: &Known, plain: &str) -> Self {
        match known.exactly(plain) {
            // Harmless keys and context are so only under their exact key.
            Some(Self::Harmless | Self::Context) => Self::Suspect,
            Some(sensitivity) => sensitivity,
            None => known.by_parts(plain, Shape::of_any(plain)),
        }
    }
}

/// No key that is known has as many bytes: each of these has a bit.
const POSITIONS: usize = u128::BITS as usize;

/// Where the parts of a key end that may be known, a bit for each byte.
#[derive(Clone, Copy, Default)]
struct Shape {
    parts: u128,
    /// Within the first part.
    joints: u128,
}

impl Shape {
    /// The shape of a key that is in lower case and has visible characters only; `None` for others.
    fn of(key: &str) -> Option<Self> {
        let bytes = key.as_bytes();
        let start = bytes.get(..POSITIONS).unwrap_or(bytes).iter();
        let is_odd = |byte: &u8| !matches!(byte, b'!'..=b'@' | b'['..=b'~');
        // All of them, and not up to the first: in steps of many bytes.
        let odd: u32 = start.map(|byte| u32::from(is_odd(byte))).sum();
        (odd == 0).then(|| Self::of_any(key))
    }

    fn of_any(key: &str) -> Self {
        let mut shape = Self::default();
        for (at, byte) in key.bytes().take(POSITIONS).enumerate() {
            match byte {
                b'.' | b':' | b'/' | b'[' => shape.parts |= 1 << at,
                b'_' | b'-' if shape.parts == 0 => shape.joints |= 1 << at,
                _ => {}
            }
        }
        shape
    }
}

/// The key in lower case and without characters that show nothing. Complete up to more than what the longest key has
/// that is known.
fn plain(key: &str) -> String {
    let visible = key.chars().filter(|c| !shows_nothing(*c));
    let start = visible.take(POSITIONS);
    start.flat_map(char::to_lowercase).collect()
}

fn shows_nothing(c: char) -> bool {
    const BRAILLE_BLANK: char = '\u{2800}';
    c.is_control() || c.is_whitespace() || c == BRAILLE_BLANK || is_invisible(c)
}

/// The reach of an entry: the key alone, or also all keys that continue it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Key,
    Tree,
    /// Also what continues it within a word.
    Joined,
}

/// All keys that are known, those with upper case also in lower case.
#[derive(Default)]
struct Known {
    keys: HashMap<Cow<'static, str>, (Sensitivity, Reach), BuildHasherDefault<KeyHasher>>,
    /// How long those are that tell of longer ones, a bit for each length.
    trees: u128,
    joined: u128,
}

impl Known {
    fn exactly(&self, key: &str) -> Option<Sensitivity> {
        let entry = (key.len() < POSITIONS).then(|| self.keys.get(key));
        entry.flatten().map(|(sensitivity, _)| *sensitivity)
    }

    /// The longest part decides. What is before a joint is part of the first, and of frameworks only.
    fn by_parts(&self, key: &str, shape: Shape) -> Sensitivity {
        let part = |at| key.get(..at).and_then(|part| self.keys.get(part));
        for at in ones(shape.parts & self.trees) {
            if let Some((sensitivity, Reach::Tree | Reach::Joined)) = part(at) {
                return *sensitivity;
            }
        }
        for at in ones(shape.joints & self.joined) {
            if let Some((sensitivity, Reach::Joined)) = part(at) {
                return *sensitivity;
            }
        }
        Sensitivity::Unknown
    }

    fn add(&mut self, key: Cow<'static, str>, sensitivity: Sensitivity, reach: Reach) {
        let length = 1_u128
            .checked_shl(u32::try_from(key.len()).unwrap_or(u32::MAX))
            .unwrap_or(0);
        if reach != Reach::Key {
            self.trees |= length;
        }
        if reach == Reach::Joined {
            self.joined |= length;
        }
        // A word may be the name of a vocabulary, too, which says more.
        self.keys.entry(key).or_insert((sensitivity, reach));
    }
}

/// The bits that are set, the highest first.
fn ones(mut bits: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let highest = bits.checked_ilog2()?;
        bits ^= 1 << highest;
        usize::try_from(highest).ok()
    })
}

/// A fast hash: three words of a key and its length tell most keys apart. Keys that others choose are
/// looked for, and never added.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        const WORD: usize = size_of::<u64>();
        let word = |at: usize| {
            let word = bytes
                .get(at..at + WORD)
                .and_then(|word| word.try_into().ok());
            word.map_or(0, u64::from_le_bytes)
        };
        if let Some(last) = bytes.len().checked_sub(WORD) {
            [0, last / 2, last]
                .into_iter()
                .for_each(|at| self.mix(word(at)));
        } else {
            let shift = |all, byte: &u8| (all << 8) | u64::from(*byte);
            self.mix(bytes.iter().fold(0, shift));
        }
        self.mix(bytes.len() as u64);
    }

    fn write_u8(&mut self, _end_of_text: u8) {}

    fn finish(&self) -> u64 {
        // The table takes the highest bits for one thing, and the lowest for another.
        self.0.rotate_left(26)
    }
}

impl KeyHasher {
    fn mix(&mut self, word: u64) {
        let mixed = self.0.rotate_left(5) ^ word;
        self.0 = mixed.wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let lists = [
        (HARMLESS, Reach::Key, Sensitivity::Harmless),
        (CONTEXT, Reach::Key, Sensitivity::Context),
        (CONTENT, Reach::Tree, Sensitivity::Content),
        (VOCABULARIES, Reach::Tree, Sensitivity::Suspect),
        (FRAMEWORKS, Reach::Joined, Sensitivity::Suspect),
        (WORDS, Reach::Key, Sensitivity::Suspect),
    ];
    let mut known = Known::default();
    for (list, reach, sensitivity) in lists {
        for key in list {
            known.add(Cow::Borrowed(*key), sensitivity, reach);
        }
    }
    for (list, reach, sensitivity) in lists {
        let sensitivity = match sensitivity {
            Sensitivity::Harmless | Sensitivity::Context => Sensitivity::Suspect,
            other => other,
        };
        for key in list.iter().filter(|key| key.contains(char::is_uppercase)) {
            known.add(Cow::Owned(key.to_lowercase()), sensitivity, reach);
        }
    }
    known
});

#[cfg(test)]
mod tests;
