//! How the window follows single answers.

use super::*;

const QUICK: Duration = Duration::from_millis(20);

/// A window of `most` slots, and the time.
fn window(most: usize) -> (Window, Instant) {
    (Window::new(most), Instant::now())
}

/// How long an answer may take that comes after one that took `least`, before the service is called busy.
fn longest(least: Duration) -> Duration {
    (least + least / 64) * 3 + Duration::from_millis(100)
}

#[test]
fn an_answer_counts_for_an_eighth_of_what_is_usual() {
    let (mut window, now) = window(64);
    assert_eq!(window.unusual(), None);
    window.answered(now, now + QUICK * 4, false);
    assert_eq!(window.unusual(), Some(QUICK * 16));
    window.answered(now, now + QUICK * 12, false);
    // (7 * 4 + 12) / 8 = 5
    assert_eq!(window.unusual(), Some(QUICK * 20));
}

#[test]
fn a_round_of_answers_while_all_slots_are_taken_adds_a_slot_up_to_the_most() {
    let (mut window, now) = window(6);
    let mut slots = Vec::new();
    for _ in 0..30 {
        window.answered(now, now + QUICK, true);
        slots.push(window.slots());
    }
    assert_eq!(slots[..9], [4, 4, 4, 5, 5, 5, 5, 5, 6]);
    assert_eq!(slots[29], 6);
}

#[test]
fn answers_while_slots_are_free_add_none() {
    let (mut window, now) = window(64);
    for _ in 0..30 {
        window.answered(now, now + QUICK, false);
    }
    assert_eq!(window.slots(), START);
}

#[test]
fn a_window_begins_with_no_more_slots_than_there_are() {
    assert_eq!(window(2).0.slots(), 2);
    assert_eq!(window(64).0.slots(), START);
}

#[test]
fn an_answer_that_takes_much_longer_than_the_quickest_narrows_the_window() {
    let (mut at_bound, now) = window(64);
    at_bound.answered(now, now + QUICK, false);
    at_bound.answered(now, now + longest(QUICK), false);
    assert_eq!(at_bound.slots(), 4);
    let (mut late, now) = window(64);
    late.answered(now, now + QUICK, false);
    late.answered(now, now + longest(QUICK) + Duration::from_nanos(1), false);
    assert_eq!(late.slots(), 3);
}

#[test]
fn a_service_that_has_become_slower_for_good_is_called_busy_no_longer() {
    let (mut window, mut now) = window(64);
    window.answered(now, now + QUICK, true);
    let mut slots = Vec::new();
    for _ in 0..100 {
        let sent = now;
        now += QUICK * 10;
        window.answered(sent, now, true);
        slots.push(window.slots());
    }
    assert_eq!(slots[10], 1);
    assert!(slots[99] > START, "{slots:?}");
}

#[test]
fn requests_from_before_the_window_was_narrowed_do_not_narrow_it_again() {
    let (mut window, now) = window(64);
    let later = now + QUICK;
    window.throttled(now, later);
    window.throttled(now, later + QUICK);
    assert_eq!(window.slots(), 2);
    window.throttled(later, later + QUICK);
    assert_eq!(window.slots(), 1);
    // One is left, whatever happens.
    window.throttled(later + QUICK, later + QUICK * 2);
    assert_eq!(window.slots(), 1);
}

#[test]
fn answers_before_the_window_was_narrowed_do_not_count_towards_the_next_slot() {
    let (mut window, now) = window(64);
    for _ in 0..3 {
        window.answered(now, now + QUICK, true);
    }
    window.throttled(now, now + QUICK);
    window.answered(now, now + QUICK, true);
    assert_eq!(window.slots(), 2);
    window.answered(now, now + QUICK, true);
    assert_eq!(window.slots(), 3);
}
