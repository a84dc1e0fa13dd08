//! What the value of an attribute may give away, told by its key.

use std::cmp::Ordering;
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
    /// The longest part of the key that is known decides. It takes one search in a sorted table, and no
    /// allocation.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let table = &*TABLE;
        let after = table.partition_point(|entry| entry.order(key) != Ordering::Greater);
        let mut candidate = after.checked_sub(1);
        while let Some(entry) = candidate.and_then(|index| table.get(index)) {
            if entry.covers(key) {
                return entry.sensitivity;
            }
            candidate = entry.parent;
        }
        Self::Unknown
    }
}

/// A key that is known, and what it tells of itself and of the keys that continue it.
struct Entry {
    key: &'static str,
    reach: Reach,
    sensitivity: Sensitivity,
    /// The nearest entry that this one continues.
    parent: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The key alone.
    Key,
    /// The key, and all that continue it after a dot.
    Tree,
}

impl Entry {
    /// Compares so that whatever continues a key stands right behind it: a dot comes before all else.
    fn order(&self, key: &str) -> Ordering {
        let rank = |byte: u8| if byte == b'.' { 0 } else { byte };
        self.key.bytes().map(rank).cmp(key.bytes().map(rank))
    }

    fn covers(&self, key: &str) -> bool {
        match key.strip_prefix(self.key) {
            Some("") => true,
            Some(rest) => self.reach == Reach::Tree && rest.starts_with('.'),
            None => false,
        }
    }
}

/// All that is known, sorted. Where lists overlap, the earlier one decides.
static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let lists = [
        (HARMLESS, Reach::Key, Sensitivity::Harmless),
        (CONTEXT, Reach::Key, Sensitivity::Context),
        (CONTENT, Reach::Tree, Sensitivity::Content),
        (VOCABULARIES, Reach::Tree, Sensitivity::Suspect),
        (WORDS, Reach::Key, Sensitivity::Suspect),
    ];
    let entries = lists.into_iter().flat_map(|(keys, reach, sensitivity)| {
        keys.iter().map(move |key| Entry {
            key,
            reach,
            sensitivity,
            parent: None,
        })
    });
    let mut table: Vec<Entry> = entries.collect();
    // A stable sort: of the same key, the entry of the earlier list stays first.
    table.sort_by(|one, other| one.order(other.key));
    table.dedup_by_key(|entry| entry.key);
    let mut open: Vec<(usize, &'static str)> = Vec::new();
    for (index, entry) in table.iter_mut().enumerate() {
        let continues = |other: &str| {
            let rest = entry.key.strip_prefix(other);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        while open.last().is_some_and(|(_, key)| !continues(key)) {
            open.pop();
        }
        entry.parent = open.last().map(|(index, _)| *index);
        open.push((index, entry.key));
    }
    table
});

#[cfg(test)]
mod tests;
