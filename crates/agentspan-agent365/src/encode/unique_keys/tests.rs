//! The attributes chosen are those that the reference's dictionary would hold.

use opentelemetry::KeyValue;

use super::{SMALL, UniqueKeys};

fn written(keys: &[&str]) -> Vec<usize> {
    let attributes: Vec<KeyValue> = keys
        .iter()
        .map(|key| KeyValue::new((*key).to_owned(), true))
        .collect();
    let mut indices = Vec::new();
    UniqueKeys::default().for_each(&attributes, |index| indices.push(index));
    indices
}

/// Sets one key after the other: a key that is there moves to the end.
fn model(keys: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        order.retain(|earlier| keys[*earlier] != *key);
        order.push(index);
    }
    order.retain(|index| !keys[*index].is_empty());
    order
}

#[test]
fn the_last_of_equal_keys_is_written_in_its_own_place() {
    assert_eq!(written(&["a", "b", "a", "c", "b"]), [2, 3, 4]);
}

#[test]
fn empty_keys_are_left_out() {
    assert_eq!(written(&["", "a", "", "b"]), [1, 3]);
    assert!(written(&["", ""]).is_empty());
    assert!(written(&[]).is_empty());
}

#[test]
fn keys_that_end_alike_stay_apart() {
    let keys = ["a.messages", "b.messages", "a.messages", "aa.messages"];
    assert_eq!(written(&keys), [1, 2, 3]);
}

#[test]
fn any_list_short_or_long_is_chosen_as_the_reference_would() {
    // A small generator of our own, so that lists of every length around the limit come up.
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let names: Vec<String> = (0..200)
        .map(|n| match n {
            0 => String::new(),
            _ => format!("{}{}", "k".repeat(n % 12), n),
        })
        .collect();
    for round in 0..3000 {
        let len = below(2 * SMALL + 10);
        let distinct = 1 + below(names.len());
        let keys: Vec<&str> = (0..len).map(|_| names[below(distinct)].as_str()).collect();
        assert_eq!(written(&keys), model(&keys), "round {round}");
    }
    let full: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(written(&full[1..=SMALL]), (0..SMALL).collect::<Vec<_>>());
}
