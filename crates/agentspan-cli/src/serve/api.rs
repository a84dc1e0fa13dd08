//! What the page asks for: `page/README.md`.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Method, Request, StatusCode};

use super::answer::{self, Response, error};
use super::events::Events;
use super::list;
use super::server::Shared;
use crate::answers;
use crate::digest::digests;
use crate::row::Row;
use crate::skeleton::Skeletons;
use crate::store::Trace;

/// The page, with its scripts and styles.
const PAGE: &str = include_str!("../../page/index.html");

/// A ring with a dot.
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14"><circle cx="7" cy="7" r="5.4" fill="none" stroke="#6a48cc" stroke-width="1.6"/><circle cx="7" cy="7" r="2.2" fill="#6a48cc"/></svg>"##;

/// Answers a question of the page.
pub(super) fn answer<B>(shared: &Arc<Shared>, request: &Request<B>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST");
    }
    let query = request.uri().query().unwrap_or_default();
    let segments: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
    let found = match segments[..] {
        [""] => return page(),
        // Browsers ask for it whatever the page says.
        ["favicon.ico"] => return answer::of_type("image/svg+xml", ICON),
        ["api", "events"] => return events(shared, request),
        ["api", "traces"] => Some(list::answer(shared, query).to_string()),
        ["api", "trace", trace] => of_trace(shared, trace, |row, trace| {
            serde_json::to_string(&Skeletons::of(row, trace)).unwrap_or_default()
        }),
        ["api", "trace", trace, "findings"] => of_trace(shared, trace, |_, trace| {
            answers::findings(trace).to_string()
        }),
        ["api", "trace", trace, "digests"] => {
            of_trace(shared, trace, |_, trace| digests(trace).to_string())
        }
        ["api", "trace", trace, "raw"] => {
            of_trace(shared, trace, |_, trace| answers::raw(trace).to_string())
        }
        ["api", "trace", trace, "span", span] => shared.look(|store| {
            let trace = store.trace(trace)?;
            Some(answers::span(trace.row(), trace.span(span)?).to_string())
        }),
        _ => None,
    };
    match found {
        Some(json) => answer::of_type("application/json", json),
        None => error(
            StatusCode::NOT_FOUND,
            "it is not here, or made room for newer ones",
        ),
    }
}

fn of_trace(
    shared: &Shared,
    id: &str,
    json: impl FnOnce(&Row, &Trace) -> String,
) -> Option<String> {
    shared.look(|store| {
        let trace = store.trace(id)?;
        Some(json(trace.row(), trace))
    })
}

fn events<B>(shared: &Arc<Shared>, request: &Request<B>) -> Response {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    answer::stream_of_type("text/event-stream", Events::after(shared, last).boxed())
}

/// The page, whose own scripts and styles run and nobody else's.
fn page() -> Response {
    let nonce = format!("{:032x}", agentspan_model::random::bits());
    let page = PAGE.replacen("<script>", &format!("<script nonce=\"{nonce}\">"), 1);
    let page = page.replacen("<style>", &format!("<style nonce=\"{nonce}\">"), 1);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    );
    let mut response = answer::of_type("text/html; charset=utf-8", page);
    match HeaderValue::from_str(&policy) {
        Ok(policy) => {
            response
                .headers_mut()
                .insert(CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "no policy for the page"),
    }
}
