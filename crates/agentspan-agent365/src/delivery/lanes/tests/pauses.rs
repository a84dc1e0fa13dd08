//! Lanes that pause, and what leaves a lane without having been sent.

use super::*;

/// A lane with two turns, and one more item.
fn two_turns(now: Instant) -> (Lanes<u32, u32>, Vec<(u64, u32)>) {
    let mut lanes = lanes(2);
    for item in [10, 11, 12] {
        lanes.push(&1, item, one());
    }
    let started = start(&mut lanes, now);
    assert_eq!(items(&started), [10, 11]);
    (lanes, started)
}

fn waiting(lanes: &mut Lanes<u32, u32>) -> Vec<u32> {
    lanes.waiting_for_pause(&1).map(|item| *item).collect()
}

#[test]
fn what_waits_for_a_pause_is_known_while_it_lasts() {
    let now = Instant::now();
    let (mut lanes, started) = two_turns(now);
    assert!(waiting(&mut lanes).is_empty());
    let pause = lanes.again(started[0].0, 10, Cause::Other).unwrap();
    assert_eq!(waiting(&mut lanes), [10, 12]);
    lanes.rested(&pause);
    assert!(waiting(&mut lanes).is_empty());
}

#[test]
fn a_pause_that_the_service_asks_for_while_the_lane_pauses_is_kept_too() {
    let now = Instant::now();
    let until = now + DELAY;
    let (mut lanes, started) = two_turns(now);
    let own = lanes.again(started[0].0, 10, Cause::Other).unwrap();
    let asked = lanes.again(started[1].0, 11, Cause::Asked(until)).unwrap();
    assert!(lanes.next(now).is_none());
    lanes.rested(&own);
    lanes.hurry();
    assert!(lanes.next(now).is_none());
    assert_eq!(lanes.pausing_at(until + Duration::from_nanos(1)), [0; 0]);
    lanes.rested(&asked);
    let probe = lanes.next(now).unwrap();
    // The two tries failed together.
    assert_eq!((probe.item, probe.failures), (11, 1));
}

#[test]
fn a_pause_that_is_hurried_ends_when_the_service_asked_for_no_more() {
    let now = Instant::now();
    for is_hurried in [true, false] {
        let (mut lanes, started) = two_turns(now);
        // Before the pause, it ends nothing.
        lanes.hurry();
        let asked = Cause::Asked(now + DELAY);
        let pause = lanes.again(started[0].0, 10, asked).unwrap();
        lanes.leave(started[1].0);
        if is_hurried {
            lanes.hurry();
        }
        assert!(lanes.next(now).is_none());
        lanes.asked_is_over(&pause);
        let next = lanes.next(now).map(|begun| begun.item);
        assert_eq!(next, is_hurried.then_some(10));
        lanes.rested(&pause);
    }
}

#[test]
fn a_hurry_ends_a_pause_of_our_own_that_follows_one_that_the_service_asked_for() {
    let now = Instant::now();
    let until = now + DELAY;
    let (mut lanes, started) = two_turns(now);
    let first = lanes.again(started[0].0, 10, Cause::Asked(until)).unwrap();
    let second = Cause::Asked(until + DELAY);
    let second = lanes.again(started[1].0, 11, second).unwrap();
    lanes.asked_is_over(&first);
    lanes.hurry();
    assert!(lanes.next(until).is_none());
    lanes.asked_is_over(&second);
    assert_eq!(lanes.next(until).map(|begun| begun.item), Some(11));
    // The ends of both pauses come later, and end nothing else.
    lanes.rested(&first);
    lanes.rested(&second);
}

#[test]
fn a_hurry_ends_a_pause_of_our_own_that_outlasts_the_longest_one_asked_for() {
    let now = Instant::now();
    for hurries_before in [true, false] {
        let (mut lanes, started) = two_turns(now);
        // All of this one is asked for, and only its end is told.
        let longest = Cause::Asked(now + 2 * DELAY);
        let longest = lanes.again(started[0].0, 10, longest).unwrap();
        let other = Cause::Asked(now + DELAY);
        let other = lanes.again(started[1].0, 11, other).unwrap();
        if hurries_before {
            lanes.hurry();
        }
        lanes.asked_is_over(&other);
        assert!(lanes.next(now).is_none());
        lanes.rested(&longest);
        if !hurries_before {
            assert!(lanes.next(now).is_none());
            lanes.hurry();
        }
        assert_eq!(lanes.next(now).map(|begun| begun.item), Some(11));
        lanes.rested(&other);
    }
}

#[test]
fn the_end_of_a_pause_shortens_no_later_one() {
    let now = Instant::now();
    let (mut lanes, started) = two_turns(now);
    // A timer of the program may end it before its time.
    let first = Cause::Asked(now + 2 * DELAY);
    let first = lanes.again(started[0].0, 10, first).unwrap();
    lanes.leave(started[1].0);
    lanes.hurry();
    lanes.asked_is_over(&first);
    let turn = lanes.next(now).unwrap().turn;
    let second = lanes.again(turn, 10, Cause::Asked(now + DELAY)).unwrap();
    lanes.rested(&first);
    lanes.hurry();
    assert!(lanes.next(now).is_none());
    lanes.rested(&second);
    assert_eq!(lanes.next(now).map(|begun| begun.item), Some(10));
}

#[test]
fn the_longest_pause_that_the_service_asked_for_counts() {
    let now = Instant::now();
    for asked in [[1, 2], [2, 1]] {
        let (mut lanes, started) = two_turns(now);
        for ((turn, item), asked) in started.into_iter().zip(asked) {
            let asked = Cause::Asked(now + DELAY * asked);
            lanes.again(turn, item, asked).unwrap();
        }
        assert_eq!(lanes.pausing_at(now + DELAY * 2), [11, 10, 12]);
    }
}

#[test]
fn a_success_ends_the_pauses_that_the_service_did_not_ask_for() {
    let now = Instant::now();
    for (cause, next) in [(Cause::Other, Some(10)), (Cause::Asked(now + DELAY), None)] {
        let (mut lanes, started) = two_turns(now);
        let pause = lanes.again(started[0].0, 10, cause).unwrap();
        lanes.answered(started[1].0, Outcome::Settled, now);
        let begun = lanes.next(now);
        assert_eq!(begun.as_ref().map(|begun| begun.item), next);
        assert_eq!(begun.map_or(1, |begun| begun.taken), 1);
        lanes.rested(&pause);
        // It has not failed since: two items at a time.
        lanes.leave(started[1].0);
        assert_eq!(lanes.turns.len() + start(&mut lanes, now).len(), 2);
    }
}

#[test]
fn a_lane_is_forgotten_when_nothing_is_left_of_it() {
    let (mut lanes, now) = (lanes(64), Instant::now());
    lanes.push(&1, 10, one());
    let first = start(&mut lanes, now);
    let pause = lanes.again(first[0].0, 10, Cause::Other).unwrap();
    lanes.drain().for_each(drop);
    lanes.settled(&1, one());
    assert_eq!(lanes.lanes.len(), 1);
    lanes.rested(&pause);
    assert!(lanes.lanes.is_empty());
    lanes.push(&1, 10, one());
    let second = start(&mut lanes, now);
    lanes.settled(&1, one());
    assert_eq!(lanes.lanes.len(), 1);
    lanes.again(second[0].0, 11, Cause::Other).unwrap();
    lanes.drain().for_each(drop);
    lanes.hurry();
    assert!(lanes.lanes.is_empty());
}

#[test]
fn what_is_over_leaves_from_the_front_of_a_lane_that_fails() {
    let now = Instant::now();
    let (mut lanes, started) = two_turns(now);
    lanes.again(started[0].0, 10, Cause::Other);
    assert_eq!(lanes.expire(|item| *item != 11), [10, 12]);
    let (mut lanes, started) = two_turns(now);
    lanes.again(started[0].0, 10, Cause::Other);
    assert!(lanes.expire(|item| *item == 12).is_empty());
}

/// A lane that is alone with items of this size, for eight of which the bounds are made: what leaves a while
/// after something `happens` to its first turn.
fn excess_alone(size: Size, happens: impl Fn(&mut Lanes<u32, u32>, u64, Instant)) -> Vec<u32> {
    let (mut lanes, now) = (lanes(1), Instant::now());
    for item in 0..8 {
        lanes.push(&1, item, size);
    }
    let (turn, _) = start(&mut lanes, now)[0];
    happens(&mut lanes, turn, now);
    let later = now + PATIENCE * 2;
    let used = Size {
        spans: size.spans * 8,
        bytes: size.bytes * 8,
    };
    lanes.take_excess(&1, used, later, |_| Some(size))
}

#[test]
fn a_lane_that_is_alone_leaves_an_eighth_if_it_fails_or_waits_for_long() {
    let (spans, bytes) = (BOUNDS.spans / 8, BOUNDS.bytes / 8);
    for size in [Size { spans, bytes: 1 }, Size { spans: 1, bytes }] {
        let fails = excess_alone(size, |lanes, turn, _| {
            lanes.again(turn, 0, Cause::Other).unwrap();
        });
        assert_eq!(fails, [7]);
        let has_no_token = excess_alone(size, |lanes, turn, now| lanes.step_aside(turn, now));
        assert_eq!(has_no_token, [7]);
        let is_not_answered = excess_alone(size, |lanes, _, now| {
            lanes.take_slots_back(now + PATIENCE);
        });
        assert_eq!(is_not_answered, [7]);
        let has_just_begun_to_wait = excess_alone(size, |lanes, turn, now| {
            lanes.step_aside(turn, now + PATIENCE * 2);
        });
        assert!(has_just_begun_to_wait.is_empty());
        let is_answered_late = excess_alone(size, |lanes, turn, now| {
            lanes.take_slots_back(now + PATIENCE);
            lanes.answered(turn, Outcome::Refused, now + PATIENCE * 2);
        });
        assert!(is_answered_late.is_empty());
        assert!(excess_alone(size, |_, _, _| {}).is_empty());
    }
}

#[test]
fn nothing_that_has_had_a_turn_and_not_the_only_item_is_excess() {
    let now = Instant::now();
    let (mut lanes, started) = two_turns(now);
    lanes.push(&1, 13, one());
    lanes.push(&2, 20, one());
    let all = BOUNDS;
    let size_of = |item: &u32| (*item == 13).then(one);
    assert_eq!(lanes.take_excess(&1, all, now, size_of), [13]);
    assert_eq!(lanes.take_excess(&1, all, now, |_| Some(one())), [12]);
    assert!(lanes.take_excess(&2, all, now, |_| Some(one())).is_empty());
    for (turn, _) in started {
        lanes.leave(turn);
    }
}

#[test]
fn the_part_of_a_lane_is_the_larger_of_both_measures() {
    let size = |spans, bytes| Size { spans, bytes };
    let whole = part(BOUNDS, BOUNDS);
    assert_eq!(part(size(BOUNDS.spans / 2, 0), BOUNDS), whole / 2);
    assert_eq!(part(size(1, BOUNDS.bytes / 4), BOUNDS), whole / 4);
    assert_eq!(part(size(0, 0), BOUNDS), 0);
    assert!(part(size(0, 1), BOUNDS) > 1);
}

#[test]
fn a_lane_does_not_drain_as_long_as_one_of_its_turns_waits_for_a_late_answer() {
    let now = Instant::now();
    let (mut lanes, started) = two_turns(now);
    let late = now + PATIENCE;
    lanes.take_slots_back(late);
    lanes.answered(started[0].0, Outcome::Failed, late);
    let excess = lanes.make_room(BOUNDS, late + PATIENCE, |_| Some(one()));
    assert_eq!(excess, [12]);
}
