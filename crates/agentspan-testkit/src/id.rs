//! Ids of tenants, applications and users, which are the same in whatever case.

/// An id in lower case, by which ids are compared everywhere: GUIDs have no case, and names that tests use in
/// their place are to follow the same rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(String);

impl Id {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }
}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}
