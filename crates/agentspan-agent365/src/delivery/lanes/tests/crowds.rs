//! Turns that have no slot, and how many of them there may be.

use super::*;

/// One turn of each of these lanes, one after the other with the only slot, which `give_up` takes from it.
fn many(
    count: usize,
    now: Instant,
    give_up: impl Fn(&mut Lanes<u32, u32>, u64),
) -> (Lanes<u32, u32>, Vec<u64>) {
    let mut lanes = lanes(1);
    let mut turns = Vec::new();
    for lane in 0..count as u32 {
        lanes.push(&lane, lane, one());
        let started = lanes.next(now).unwrap();
        assert!(lanes.next(now).is_none());
        give_up(&mut lanes, started.turn);
        turns.push(started.turn);
    }
    lanes.push(&u32::MAX, u32::MAX, one());
    (lanes, turns)
}

#[test]
fn so_many_turns_wait_for_tokens_and_no_more_start_until_one_comes_back() {
    let now = Instant::now();
    let (mut lanes, turns) = many(MAX_ASIDE, now, |lanes, turn| lanes.step_aside(turn, now));
    assert!(lanes.next(now).is_none());
    // None of them waits for an answer, which could be cut short.
    assert_eq!(lanes.slowest(true, now), None);
    lanes.leave(turns[0]);
    assert_eq!(items(&start(&mut lanes, now)), [u32::MAX]);
}

#[test]
fn so_many_turns_wait_for_late_answers_and_the_oldest_are_cut_for_others() {
    let now = Instant::now();
    let late = now + PATIENCE;
    let (mut lanes, turns) = many(MAX_STALLED, now, |lanes, _| lanes.take_slots_back(late));
    assert!(lanes.next(now).is_none());
    assert_eq!(lanes.slowest(false, now), Some(turns[0]));
    assert_eq!(lanes.slowest(false, now), Some(turns[1]));
    // They stand aside until they have heard of it.
    assert!(lanes.next(now).is_none());
    lanes.leave(turns[0]);
    assert_eq!(lanes.slowest(false, now), None);
    assert_eq!(items(&start(&mut lanes, now)), [u32::MAX]);
}

#[test]
fn a_late_answer_is_cut_short_only_for_others_that_wait() {
    let (mut lanes, now) = (lanes(1), Instant::now());
    assert!(!lanes.are_busy());
    lanes.push(&1, 10, one());
    let first = start(&mut lanes, now);
    lanes.take_slots_back(now + PATIENCE);
    assert_eq!(lanes.slowest(true, now), None);
    lanes.push(&2, 20, one());
    assert!(lanes.are_busy());
    assert_eq!(lanes.slowest(false, now), None);
    assert_eq!(lanes.slowest(true, now), Some(first[0].0));
    // Once.
    assert_eq!(lanes.slowest(true, now), None);
}

#[test]
fn a_late_answer_is_not_cut_short_for_its_own_lane() {
    let (mut lanes, now) = (lanes(2), Instant::now());
    for item in [10, 11, 12] {
        lanes.push(&1, item, one());
    }
    assert_eq!(start(&mut lanes, now).len(), 2);
    // It had lined up before its turns stood aside.
    lanes.take_slots_back(now + PATIENCE);
    assert!(!lanes.are_busy());
    assert_eq!(lanes.slowest(true, now + PATIENCE), None);
}

/// Lets the first lane's turn be cut, again and again, because there is no memory for another: after which time.
fn waits_for_cuts(lanes: &mut Lanes<u32, u32>, rounds: usize, mut now: Instant) -> Vec<u128> {
    let mut waits = Vec::new();
    for _ in 0..rounds {
        let begin = now;
        let turn = lanes.next(now).map(|started| started.turn).unwrap();
        let cut = loop {
            now = lanes.next_deadline(now).expect("a time to look again");
            lanes.take_slots_back(now);
            if let Some(cut) = lanes.slowest(true, now) {
                break cut;
            }
        };
        assert_eq!(cut, turn);
        waits.push((now - begin).as_millis());
        lanes.answered(turn, Outcome::Failed, now);
        let pause = lanes.again(turn, 10, Cause::Other).unwrap();
        lanes.rested(&pause);
        // Its lane comes first again.
        lanes.ready.rotate_left(1);
    }
    waits
}

#[test]
fn a_lane_whose_answers_are_cut_short_is_spared_longer_each_time() {
    let (mut lanes, now) = (lanes(1), Instant::now());
    lanes.push(&1, 10, one());
    lanes.push(&2, 20, one());
    let waits = waits_for_cuts(&mut lanes, 7, now);
    assert_eq!(waits, [1_000, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    let turn = lanes.next(now).map(|started| started.turn).unwrap();
    lanes.answered(turn, Outcome::Refused, now);
    assert_eq!(lanes.lanes[&1].cuts, 0);
}

#[test]
fn only_one_turn_is_spared_while_others_can_be_cut() {
    let (mut lanes, now) = (lanes(64), Instant::now());
    for lane in [1, 2, 3] {
        lanes.push(&lane, lane, one());
    }
    let turns: Vec<u64> = start(&mut lanes, now)
        .iter()
        .map(|(turn, _)| *turn)
        .collect();
    for (lane, cuts) in [(1, 1), (2, 2), (3, 2)] {
        lanes.lanes.get_mut(&lane).unwrap().cuts = cuts;
    }
    lanes.push(&4, 40, one());
    let late = now + PATIENCE;
    lanes.take_slots_back(late);
    assert_eq!(lanes.next_deadline(late), Some(now + SPARED * 2));
    assert_eq!(lanes.next_deadline(now + SPARED * 2), None);
    let cut = [(); 3].map(|()| lanes.slowest(true, late));
    assert_eq!(cut, [Some(turns[0]), Some(turns[2]), None]);
    assert_eq!(lanes.slowest(true, now + SPARED * 2), Some(turns[1]));
}

#[test]
fn what_the_service_refuses_for_good_does_not_count_as_taken() {
    let (mut lanes, now) = (lanes(1), Instant::now());
    for item in [10, 11] {
        lanes.push(&1, item, one());
    }
    let (turn, _) = start(&mut lanes, now)[0];
    lanes.answered(turn, Outcome::Refused, now);
    lanes.leave(turn);
    assert_eq!(lanes.next(now).unwrap().taken, 0);
}

#[test]
fn a_turn_that_was_answered_late_has_a_slot_again() {
    let (mut lanes, now) = (lanes(1), Instant::now());
    for lane in 1..=3 {
        lanes.push(&lane, lane * 10, one());
    }
    let first = start(&mut lanes, now);
    let later = now + PATIENCE;
    lanes.take_slots_back(later);
    let second = start(&mut lanes, later);
    assert_eq!(items(&second), [20]);
    lanes.answered(first[0].0, Outcome::Failed, later);
    lanes.leave(second[0].0);
    assert!(lanes.next(later).is_none());
    // Its time begins anew.
    assert_eq!(lanes.next_deadline(later), Some(later + PATIENCE));
    lanes.leave(first[0].0);
    assert_eq!(items(&start(&mut lanes, later)), [30]);
}

#[test]
fn a_turn_keeps_its_slot_until_its_time_is_over() {
    let (mut lanes, now) = (lanes(1), Instant::now());
    lanes.push(&1, 10, one());
    lanes.push(&2, 20, one());
    let first = start(&mut lanes, now);
    lanes.take_slots_back(now + PATIENCE - Duration::from_nanos(1));
    assert!(lanes.next(now).is_none());
    // An answer that took two seconds makes eight of them usual.
    let later = now + PATIENCE * 2;
    lanes.answered(first[0].0, Outcome::Settled, later);
    assert_eq!(lanes.next_deadline(later), Some(later + PATIENCE * 8));
    lanes.leave(first[0].0);
    assert_eq!(lanes.next_deadline(now), None);
}

#[test]
fn without_patience_a_turn_keeps_its_slot() {
    let (mut lanes, now) = (Lanes::new(1, None, BOUNDS), Instant::now());
    lanes.push(&1, 10, one());
    assert_eq!(items(&start(&mut lanes, now)), [10]);
    assert_eq!(lanes.next_deadline(now), None);
    lanes.take_slots_back(now + DELAY * 1_000);
    lanes.push(&2, 20, one());
    assert!(lanes.next(now).is_none());
}

/// How many items may be in flight.
fn slots(lanes: &mut Lanes<u32, u32>, now: Instant) -> usize {
    for lane in 1_000..1_064 {
        lanes.push(&lane, lane, one());
    }
    start(lanes, now).len()
}

#[test]
fn slots_are_added_only_when_all_are_taken_or_others_wait() {
    let (mut alone, now) = (lanes(64), Instant::now());
    for item in 0..50 {
        alone.push(&1, item, one());
        let (turn, _) = start(&mut alone, now)[0];
        alone.answered(turn, Outcome::Settled, now);
        alone.leave(turn);
    }
    assert_eq!(slots(&mut alone, now), window::START);
    let mut full = lanes(64);
    for lane in 0..window::START as u32 {
        full.push(&lane, lane, one());
    }
    let started = start(&mut full, now);
    assert!(!full.are_busy());
    for (turn, _) in &started {
        full.answered(*turn, Outcome::Settled, now);
    }
    started.iter().for_each(|(turn, _)| full.leave(*turn));
    assert_eq!(slots(&mut full, now), window::START + 1);
}

#[test]
fn a_lane_that_is_refused_again_and_again_narrows_the_window_once() {
    let (mut lanes, mut now) = (lanes(64), Instant::now());
    lanes.push(&1, 10, one());
    for _ in 0..3 {
        now += DELAY;
        let (turn, item) = start(&mut lanes, now)[0];
        now += DELAY;
        lanes.answered(turn, Outcome::Throttled, now);
        let pause = lanes.again(turn, item, Cause::Other).unwrap();
        lanes.rested(&pause);
    }
    let (turn, _) = start(&mut lanes, now)[0];
    lanes.leave(turn);
    assert_eq!(slots(&mut lanes, now), window::START / 2);
}
