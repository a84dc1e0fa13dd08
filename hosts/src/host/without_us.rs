//! A host that does not depend on us.

pub(crate) fn deliver(_: &str) -> String {
    "not linked".to_owned()
}
