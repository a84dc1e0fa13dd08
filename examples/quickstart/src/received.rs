//! Prints the requests that the service received, and the reports of the delivery.

use std::sync::{Arc, Mutex, PoisonError};

use agentspan::agent365::ExportReport;
use agentspan_testkit::{RecordedRequest, Service};

use crate::agent::AnyError;

/// The statuses and a line of text for each identity of each batch.
pub(crate) type Reports = Arc<Mutex<Vec<(Vec<u16>, String)>>>;

/// Collects the reports of the delivery.
pub(crate) fn keep_reports(
    reports: &Reports,
) -> impl Fn(&ExportReport) + Send + Sync + 'static + use<> {
    let reports = Arc::clone(reports);
    move |report| {
        let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
        for part in &report.identities {
            let statuses = part
                .attempts
                .iter()
                .filter_map(|attempt| attempt.status())
                .collect();
            let (identity, exported, spans) = (&part.identity, part.exported, part.spans);
            let line = format!(
                "{identity}: {exported} of {spans} spans delivered, {} dropped",
                part.dropped()
            );
            reports.push((statuses, line));
        }
    }
}

/// Prints a line for each request, and the report.
pub(crate) fn print_requests(service: &Service, reports: &Reports) -> Result<(), AnyError> {
    let reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
    let statuses = reports.iter().flat_map(|(statuses, _)| statuses);
    println!("\nThe requests to Agent 365:\n");
    for (request, status) in service.requests().iter().zip(statuses) {
        let (spans, bytes) = (count_spans(request)?, request.body.len());
        println!(
            "POST {}\n     {spans} spans, {bytes} bytes, answered {status}",
            request.target
        );
    }
    println!("\nThe report:\n");
    for (_, line) in reports.iter() {
        println!("{line}");
    }
    Ok(())
}

fn count_spans(request: &RecordedRequest) -> Result<usize, AnyError> {
    let body = request.json()?;
    let scopes = body["resourceSpans"][0]["scopeSpans"].as_array();
    let spans = scopes
        .into_iter()
        .flatten()
        .filter_map(|scope| scope["spans"].as_array());
    Ok(spans.map(Vec::len).sum())
}
