//! `retry_v0_1.json` and `retry_v2.json`: how often an export tries, and how long it pauses in between.

use agentspan_model::agent365::Profile;
use serde_json::json;

use super::Form;
use super::run::{Run, wire_url};
use crate::runners::generation::Files;
use crate::{ExportInput, Failure, Json};

/// The number of tries, and where they went.
pub(in crate::runners) struct Attempts;

impl Form for Attempts {
    fn file(files: Files) -> &'static str {
        files.retry
    }

    fn write(run: &Run, _: &ExportInput, _: Profile) -> Json {
        let urls = run
            .requests
            .iter()
            .map(|sent| format!("https://{}{}", sent.host, sent.target));
        json!({
            "attempts": run.requests.len(),
            "attempt_urls": urls.collect::<Vec<_>>(),
            "sleeps_seconds": run.pauses_seconds,
            "result": run.result(),
        })
        .into()
    }

    fn normalize(outcome: &mut Json) -> Result<(), Failure> {
        // Those of the reference are not yet encoded.
        let urls = outcome.member_mut("attempt_urls");
        for url in urls.and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(encoded) = url.as_str().map(wire_url) {
                *url = Json::String(encoded);
            }
        }
        Ok(())
    }
}
