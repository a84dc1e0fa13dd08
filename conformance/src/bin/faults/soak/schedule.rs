//! Which fault a request meets: about 30 % of them meet one.

use agentspan_testkit::{Answer, RecordedRequest};

use super::random::Random;
use crate::front::Front;

/// The answer to a request, which its place in the order decides.
pub(super) fn answer_to(front: Front, request: &RecordedRequest, seed: u64) -> Answer {
    let mut random = Random::new(seed ^ ((request.order as u64) << 20));
    let percent = random.below(100);
    match (front, percent) {
        (_, 0..7) => Answer::reset(),
        (_, 7..10) => Answer::close(),
        (_, 10..18) => front.unavailable(),
        (_, 18) => Answer::hang(),
        // HTTP/2 has no words for the others.
        (Front::OtlpGrpc, _) => front.taken(),
        (_, 19..24) => Answer::refusal(429, "TooManyRequests").header("retry-after", "0"),
        (_, 24) => Answer::garbage(),
        (_, 25) => Answer::status(200).body("{").truncated(100),
        (_, 26) => Answer::refusal(401, "InvalidToken"),
        (_, 27) => Answer::refusal(413, "RequestTooLarge"),
        (_, 28) => Answer::endless_body(),
        _ => front.taken(),
    }
}

/// Faults of the first connections and requests.
pub(super) fn early_faults(random: &mut Random) -> Vec<Answer> {
    let mut faults: Vec<_> = (0..random.below(6))
        .map(|_| match random.below(5) {
            0 => Answer::black_hole(),
            1 | 2 => Answer::refuse(),
            _ => Answer::reset_within(100),
        })
        .collect();
    // The last one repeats, and this one is played by nobody.
    faults.push(Answer::status(200));
    faults
}
