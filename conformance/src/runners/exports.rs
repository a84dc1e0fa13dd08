//! What the two vector files about exports share: their input, playing it, and what we do otherwise.

mod body;
mod deviation;
mod model;
mod play;

use crate::{Case, Failure, Json, Tolerances};

pub(super) use self::deviation::{Deviation, applies, instead};
pub(super) use self::model::{Run, SentRequest, wire_url};

/// The order of a resource's attributes: the SDK's resource has none.
pub(super) const TOLERANCES: Tolerances = Tolerances {
    unordered: &["requests.*.body.resourceSpans.*.resource.attributes"],
    ignored: &[],
};

/// The form in which a file writes what came of an export.
pub(super) type Form = fn(&Run) -> Json;

/// Plays the case, and writes what came of it.
pub(super) fn run(case: &Case, form: Form) -> Result<Json, Failure> {
    let input = case.input()?;
    let mut run = play::play(&input)?;
    body::write_as_the_reference(&mut run, &model::run(&input));
    Ok(form(&run))
}

/// Brings pauses in whole nanoseconds: the reference computes them in floats, `0.6000000000000001`.
pub(super) fn normalize_pauses(outcome: &mut Json) -> Result<(), Failure> {
    let pauses = outcome.member_mut("sleeps_seconds");
    for pause in pauses.and_then(Json::as_array_mut).into_iter().flatten() {
        if let Ok(seconds) = pause.to_string().parse::<f64>() {
            *pause = Json::of(&(seconds * 1e9).round())?;
        }
    }
    Ok(())
}

/// `SUCCESS` or `FAILURE`.
pub(super) fn result(run: &Run) -> &'static str {
    if run.success { "SUCCESS" } else { "FAILURE" }
}
