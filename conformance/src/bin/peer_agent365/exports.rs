//! Does one export with our exporter.

use std::error::Error;
use std::time::Duration;

use agentspan_model::agent365::Profile;
use agentspan_testkit::{Answer, Service};
use conformance::{ExportInput, Json, LiveExport, Parents};

use crate::arrived::text;
use crate::generation::Generation;

/// Why an input is not run.
pub(crate) type LeftOut = String;

/// The answers of the service for an input.
///
/// # Errors
///
/// For silence of the service: the reference waits for 30 seconds then.
pub(crate) fn answers(input: &ExportInput) -> Result<Vec<Answer>, LeftOut> {
    if input
        .responses
        .iter()
        .any(|response| response.error.as_deref() == Some("ReadTimeout"))
    {
        return Err("a service that does not answer for 30 seconds".to_owned());
    }
    let answers = input.responses.iter().map(|response| response.answer());
    let answers = answers.collect::<Result<_, _>>();
    answers.map_err(|failure| failure.to_string())
}

/// Exports the spans to `service` and returns the result in the form of the driver's answer.
pub(crate) fn export(
    input: &ExportInput,
    generation: Generation,
    service: &Service,
) -> Result<Json, Box<dyn Error>> {
    let export = LiveExport::run(input, generation.profile, Parents::AsRecorded, service)?;
    let result = if export.success { "SUCCESS" } else { "FAILURE" };
    let pauses: Vec<_> = export.pauses.iter().map(Duration::as_nanos).collect();
    let mut shown = vec![
        ("result", text(result)),
        (
            "token_resolver_calls",
            input.show_calls(&export.token_calls).into(),
        ),
        ("pauses", Json::of(&pauses)?),
    ];
    if generation.profile == Profile::V3 {
        let waiting = export.queued.iter();
        let waiting = waiting.map(|one| (&one.tenant, &one.agent, &one.agentic_user, one.spans));
        shown.push(("waiting", Json::of(&waiting.collect::<Vec<_>>())?));
    }
    let shown = shown.into_iter();
    Ok(Json::Object(
        shown
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    ))
}
