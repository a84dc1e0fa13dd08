//! The API of the page, see `page/README.md`.

use std::sync::Arc;

use agentspan_model::agent365::Profile;
use http_body_util::BodyExt;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::answer::{self, Response, error};
use super::events::Events;
use super::shared::Shared;
use super::{list, page, parts};
use crate::answers;
use crate::digest::digests;
use crate::kept::Kept;
use crate::row::Row;
use crate::skeleton::Skeletons;
use crate::store::Trace;

/// A ring with a dot.
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14"><circle cx="7" cy="7" r="5.4" fill="none" stroke="#6a48cc" stroke-width="1.6"/><circle cx="7" cy="7" r="2.2" fill="#6a48cc"/></svg>"##;

/// Answers a question of the page.
pub(super) fn answer<B>(shared: &Arc<Shared>, request: &Request<B>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST");
    }
    let query = request.uri().query().unwrap_or_default();
    // Ids of traces and spans may have any characters. They are decoded after the path is divided at its slashes.
    let segments = request.uri().path().trim_matches('/').split('/');
    let segments: Vec<_> = segments
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let found = match segments[..] {
        [""] => return page_with_policy(),
        // Browsers ask for it whatever the page says.
        ["favicon.ico"] => return answer::of_type("image/svg+xml", ICON),
        ["api", "events"] => return events(shared, request, query),
        ["api", "traces"] => Some(list::answer(shared, query).to_string()),
        ["api", "trace", trace] => of_trace(shared, trace, |row, trace| {
            serde_json::to_string(&Skeletons::of(row, &trace.spans())).unwrap_or_default()
        }),
        ["api", "trace", trace, "findings"] => of_trace(shared, trace, |_, trace| {
            answers::findings(trace, profile_of(query)).to_string()
        }),
        ["api", "trace", trace, "digests"] => {
            of_trace(shared, trace, |_, trace| digests(trace).to_string())
        }
        ["api", "trace", trace, "raw"] => {
            return raw(shared, trace, query).map_or_else(not_here, |json| answer::json(&json));
        }
        ["api", "trace", trace, "span", span] => {
            let found = shared.look(|store| parts::contents(store, trace, span));
            found.map(|(json, _)| json.to_string())
        }
        ["api", "trace", trace, "span", span, "part", number, ..] => {
            let form = segments.get(7).copied();
            let answer = |part: &Kept| of_part(part, form, query);
            return part(shared, [trace, span, number], answer).unwrap_or_else(not_here);
        }
        _ => None,
    };
    match found {
        Some(json) => answer::of_type("application/json", json),
        None => not_here(),
    }
}

fn not_here() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "it is not here, or made room for newer ones",
    )
}

fn part<T>(
    shared: &Shared,
    [trace, span, number]: [&str; 3],
    answer: impl FnOnce(&Kept) -> T,
) -> Option<T> {
    let number: usize = number.parse().ok()?;
    let parts = shared.look(|store| shared.parts.of(store, trace, span))?;
    parts.get(number).map(answer)
}

/// A slice of a long text, a picture, or all of what is kept, as a file.
fn of_part(part: &Kept, form: Option<&str>, query: &str) -> Response {
    match form {
        None => {
            let from = list::parameter(query, "from").and_then(|from| from.parse().ok());
            match part.slice(from.unwrap_or(0)) {
                Some(slice) => answer::json(&slice),
                None => not_here(),
            }
        }
        Some("image") => match part.image() {
            Some((kind, bytes)) => answer::alone(kind, bytes),
            None => error(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "only PNG, JPEG, GIF and WebP are shown",
            ),
        },
        Some("file") => match part.whole() {
            Some(bytes) => answer::file(bytes),
            None => error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "it is not base64"),
        },
        Some(_) => not_here(),
    }
}

/// A trace as it arrived, or one of its spans, with or without all below it.
fn raw(shared: &Shared, trace: &str, query: &str) -> Option<Value> {
    let with_below = list::parameter(query, "below").is_some_and(|below| below == "1");
    shared.look(|store| {
        let trace = store.trace(trace)?;
        match list::parameter(query, "span") {
            Some(span) => answers::raw_from(trace, &span, with_below),
            None => Some(answers::raw(trace)),
        }
    })
}

fn profile_of(query: &str) -> Option<Profile> {
    Profile::named(&list::parameter(query, "profile")?)
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

fn events<B>(shared: &Arc<Shared>, request: &Request<B>, query: &str) -> Response {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok());
    let events = Events::after(shared, last, list::parameter(query, "watch"));
    answer::stream_of_type("text/event-stream", events.boxed())
}

/// The page, whose own scripts and styles run and nobody else's.
fn page_with_policy() -> Response {
    let nonce = format!("{:032x}", agentspan_model::random::bits());
    let page = page::text().replacen("<script>", &format!("<script nonce=\"{nonce}\">"), 1);
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
