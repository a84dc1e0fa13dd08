//! What is queued at once, and what only after a look at what may be dropped.

use super::*;

/// An item that holds these bytes.
fn item(part: Part<u64>, bytes: u64) -> Item {
    Item {
        part,
        bytes,
        number: 0,
    }
}

#[test]
fn an_item_is_queued_at_once_when_it_just_has_room() {
    let mut admission = Admission::<Item, 4>::new(settings(4, 10, DropPolicy::Oldest));
    let mut is_full = |part, bytes| admission.put_where_room_is(item(part, bytes)).is_err();
    assert!(!is_full(Part::Single, 4));
    assert!(!is_full(Part::First(1), 0));
    assert!(!is_full(Part::Inner(1), 0));
    // The last place is that of the last one of the group.
    for part in [Part::Single, Part::First(2), Part::Inner(1)] {
        assert!(is_full(part, 0), "{part:?}");
    }
    assert!(is_full(Part::Last(1), 7));
    assert!(!is_full(Part::Last(1), 6));
    assert!(!is_full(Part::Notice, 0));
}
