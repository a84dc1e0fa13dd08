//! Which fault a request meets.

use agentspan_testkit::Answer;

use super::random::Random;
use crate::front::Front;

/// Which faults there are, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mix {
    /// All, to about 30 % of the requests.
    Everything,
    /// Those that pass, to 30 % of the requests.
    Passing,
    /// Those that pass, to 3 % of the requests.
    Rare,
}

/// The answer to a request, which its place in the order decides.
pub(super) fn answer_to(front: Front, mix: Mix, order: usize, seed: u64) -> Answer {
    let mut random = Random::new(seed ^ ((order as u64) << 20));
    let percent = match mix {
        Mix::Rare if !random.one_in(10) => 100,
        _ => random.below(100),
    };
    match (front, percent) {
        (_, 0..7) => Answer::reset(),
        (_, 7..10) => Answer::close(),
        (_, 10..18) => front.unavailable(),
        // Each takes as long as the timeout.
        (_, 18) if random.one_in(8) => Answer::hang(),
        (_, 18) => Answer::reset(),
        // HTTP/2 has no words for the others.
        (Front::OtlpGrpc, _) => front.taken(),
        (_, 19..23) => Answer::refusal(429, "TooManyRequests").header("retry-after", "0"),
        (_, 23) => Answer::status(503).header("retry-after", "Sun, 01 Nov 2065 08:49:37 GMT"),
        (_, 24) => Answer::garbage(),
        (_, 25) => Answer::status(200).body("{").truncated(100),
        (_, 26) if mix == Mix::Everything => Answer::refusal(401, "InvalidToken"),
        (_, 27) if mix == Mix::Everything => Answer::refusal(413, "RequestTooLarge"),
        (_, 26..29) => Answer::endless_body(),
        (_, 29) => Answer::http_0_9(),
        _ => front.taken(),
    }
}

/// Faults of the first connections and requests.
pub(super) fn early_faults(mix: Mix, random: &mut Random) -> Vec<Answer> {
    let count = match mix {
        Mix::Everything => random.below(6),
        Mix::Passing | Mix::Rare => 0,
    };
    let mut faults: Vec<_> = (0..count)
        .map(|_| match random.below(20) {
            0 => Answer::black_hole(),
            1..9 => Answer::refuse(),
            _ => Answer::reset_within(100),
        })
        .collect();
    // The last one repeats, and this one is played by nobody.
    faults.push(Answer::status(200));
    faults
}
