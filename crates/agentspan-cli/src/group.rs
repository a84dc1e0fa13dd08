//! The resource and the scope, which spans of one program share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use serde_json::Value;

/// How many groups are looked through for one that is the same. Programs send theirs again with every request.
const REMEMBERED: usize = 64;

/// The resource and the scope that spans of one program share.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The resource, as it arrived.
    pub(crate) resource: Value,
    /// The instrumentation scope, as it arrived.
    pub(crate) scope: Value,
    held: Option<Held>,
}

/// Bytes that count as long as the group is there.
#[derive(Debug)]
struct Held {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

impl Group {
    /// A group that nobody counts.
    pub(crate) fn new(resource: Value, scope: Value) -> Self {
        Self {
            resource,
            scope,
            held: None,
        }
    }
}

/// The groups of a store, each once.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    latest: VecDeque<Weak<Group>>,
    bytes: Arc<AtomicUsize>,
}

impl Groups {
    /// The group with this resource and this scope.
    pub(crate) fn of(&mut self, resource: &Value, scope: &Value) -> Arc<Group> {
        let mut latest = self.latest.iter().filter_map(Weak::upgrade);
        let is_same = |group: &Arc<Group>| group.resource == *resource && group.scope == *scope;
        if let Some(group) = latest.find(is_same) {
            return group;
        }
        let bytes = size_of::<Group>() + memory(resource) + memory(scope);
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        let group = Arc::new(Group {
            resource: resource.clone(),
            scope: scope.clone(),
            held: Some(Held {
                bytes,
                all: Arc::clone(&self.bytes),
            }),
        });
        self.latest.push_front(Arc::downgrade(&group));
        self.latest.truncate(REMEMBERED);
        group
    }

    /// How many bytes all groups take that are still there, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }
}

/// How many bytes these groups take, each of which counts once.
pub(crate) fn bytes_of<'a>(groups: impl Iterator<Item = &'a Group>) -> usize {
    let bytes = |group: &Group| group.held.as_ref().map_or(0, |held| held.bytes);
    let each: HashMap<*const Group, usize> = groups
        .map(|group| (std::ptr::from_ref(group), bytes(group)))
        .collect();
    each.values().sum()
}

/// About how much memory a value takes. The least that a map takes is for four members.
fn memory(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(memory).sum(),
        Value::Object(members) => {
            let each = members
                .iter()
                .map(|(key, value)| 64 + key.len() + memory(value));
            200 + each.sum::<usize>()
        }
    };
    size_of::<Value>() + inside
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::Groups;

    #[test]
    fn groups_are_kept_once_and_count_as_long_as_a_span_has_them() {
        let mut groups = Groups::default();
        let resource = |name: &str| json!({"attributes": {"service.name": name.repeat(1_000)}});
        let first = groups.of(&resource("a"), &json!(null));
        let bytes = groups.bytes();
        assert!(bytes > 1_000);
        assert!(Arc::ptr_eq(
            &first,
            &groups.of(&resource("a"), &json!(null))
        ));
        assert_eq!(groups.bytes(), bytes);
        let other = groups.of(&resource("b"), &json!({"name": "s"}));
        assert!(!Arc::ptr_eq(&first, &other) && groups.bytes() > 2 * bytes);
        drop((first, other));
        assert_eq!(groups.bytes(), 0);
    }
}
