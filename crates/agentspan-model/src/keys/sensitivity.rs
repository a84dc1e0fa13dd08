//! What the value of an attribute may give away, told by its key.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::content::CONTENT;
use super::context::CONTEXT;
use super::harmless::HARMLESS;
use super::vocabularies::{VOCABULARIES, WORDS};

/// What the value of an attribute may give away, told by its key.
///
/// Contents are known by key, by what a key begins with, and by vocabulary: the conventions for agents and
/// models grow, and every framework adds keys of its own, so that an unknown key of theirs is not trusted.
///
/// ```
/// use agentspan_model::keys::Sensitivity;
///
/// assert_eq!(Sensitivity::of("gen_ai.usage.input_tokens"), Sensitivity::Harmless);
/// assert_eq!(Sensitivity::of("user.email"), Sensitivity::Context);
/// assert_eq!(Sensitivity::of("gen_ai.prompt.0.content"), Sensitivity::Content);
/// assert_eq!(Sensitivity::of("gen_ai.new_in_the_next_release"), Sensitivity::Suspect);
/// assert_eq!(Sensitivity::of("app.step"), Sensitivity::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sensitivity {
    /// A number, an id, a name or a member of an enumeration, by the convention that has the key.
    Harmless,
    /// It says who, where or in which place, and may be about a person. It is no content.
    Context,
    /// Contents, see [`CONTENT`].
    Content,
    /// The key is of a vocabulary of agents and models, but is not known; or it is a word that usually stands
    /// for contents. A text is content; a number or a truth value is none.
    Suspect,
    /// Nothing is known of the key.
    Unknown,
}

impl Sensitivity {
    /// That of an attribute with this key.
    ///
    /// The longest part of the key that is known decides. It takes a look into a table for the key, and one for
    /// each part of it that may be known; nothing is allocated, and the length of the key does not matter.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let Known { keys, longest } = &*KNOWN;
        if key.len() <= *longest {
            if let Some((sensitivity, _)) = keys.get(key) {
                return *sensitivity;
            }
        }
        // What is before a dot may be known; no part that is longer than all that is known can be.
        let mut end = key.len().min(longest + 1);
        while let Some(dot) = key
            .as_bytes()
            .iter()
            .take(end)
            .rposition(|byte| *byte == b'.')
        {
            if let Some((sensitivity, Reach::Tree)) = key.get(..dot).and_then(|key| keys.get(key)) {
                return *sensitivity;
            }
            end = dot;
        }
        Self::Unknown
    }
}

/// What an entry tells of: the key alone, or also all keys that continue it after a dot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Key,
    Tree,
}

/// All keys that are known.
struct Known {
    keys: HashMap<&'static str, (Sensitivity, Reach)>,
    longest: usize,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let lists = [
        (HARMLESS, Reach::Key, Sensitivity::Harmless),
        (CONTEXT, Reach::Key, Sensitivity::Context),
        (CONTENT, Reach::Tree, Sensitivity::Content),
        (VOCABULARIES, Reach::Tree, Sensitivity::Suspect),
        (WORDS, Reach::Key, Sensitivity::Suspect),
    ];
    let mut keys = HashMap::new();
    for (list, reach, sensitivity) in lists {
        for key in list {
            // A word may be the name of a vocabulary, too, which says more.
            keys.entry(*key).or_insert((sensitivity, reach));
        }
    }
    let longest = keys.keys().map(|key| key.len()).max().unwrap_or_default();
    Known { keys, longest }
});

#[cfg(test)]
mod tests;
