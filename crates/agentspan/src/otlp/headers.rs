//! The headers of requests to a receiver.

use std::collections::HashMap;

use agentspan_discovery::{Environment, standard_variables as names, values};
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::OtlpError;
use crate::environment::first;
use crate::setup_log;

/// The value that the [specification] asks for: the exporter, its language and its version.
///
/// [specification]: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#user-agent
const AGENT: &str = concat!("agentspan-otlp-exporter-rust/", env!("CARGO_PKG_VERSION"));

/// Headers that describe the format of a request, gRPC's included. Another value would break the
/// request.
const OF_PROTOCOL: [HeaderName; 8] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The headers of all requests, in this order of precedence: code, environment, user and password
/// of the URL.
pub(super) fn merged(
    in_code: &HashMap<String, String>,
    environment: Option<&Environment>,
    credentials: Option<HeaderValue>,
) -> Result<HeaderMap, OtlpError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.extend(credentials.map(|value| (AUTHORIZATION, value)));
    if let Some(environment) = environment {
        add_those_of(environment, &mut headers);
    }
    for (name, value) in in_code {
        let (name, value) = header(name, value).map_err(|problem| OtlpError::Header {
            name: name.clone(),
            problem,
        })?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// `OTEL_EXPORTER_OTLP_TRACES_HEADERS`, or else `OTEL_EXPORTER_OTLP_HEADERS`: a comma-separated
/// list of `name=value`, with percent-encoded values.
fn add_those_of(environment: &Environment, headers: &mut HeaderMap) {
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_HEADERS,
        names::OTEL_EXPORTER_OTLP_HEADERS,
    ];
    let Some((variable, text)) = first(environment, variables) else {
        return;
    };
    let mut is_told = false;
    for pair in values::pairs(text) {
        match pair.and_then(|(name, value)| header(name, &value).ok()) {
            Some((name, value)) => {
                headers.insert(name, value);
            }
            // Nothing of it is shown: it may be the rest of a key that has a comma in it.
            None if is_told => {}
            None => {
                is_told = true;
                setup_log::log(move || {
                    tracing::warn!(
                        target: "agentspan::configure",
                        variable,
                        expected = "name=value, separated by commas, values percent-encoded",
                        "a variable of the environment has entries that are no headers, which are ignored"
                    );
                });
            }
        }
    }
}

/// The header, or what is wrong with it.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes());
    let name = name.map_err(|_| "has a name that no header can have: use letters, digits and -")?;
    if OF_PROTOCOL.contains(&name) || name.as_str().starts_with("grpc-") {
        return Err("is set by the protocol: leave it out");
    }
    let value = HeaderValue::from_str(value);
    let mut value = value.map_err(
        |_| "has a value that no header can have, such as one with a line break at its end: trim it",
    )?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], in_code: &[(&str, &str)], expected: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let in_code: HashMap<_, _> = in_code.iter().map(owned).collect();
        let environment = variables.iter().copied().collect();
        let credentials = Some(HeaderValue::from_static("of the url"));
        let mut headers = merged(&in_code, Some(&environment), credentials).unwrap();
        assert_eq!(headers.remove(USER_AGENT).unwrap(), AGENT);
        let found = headers.iter();
        let mut found: Vec<_> = found
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn code_takes_precedence_over_the_environment_and_that_over_the_url() {
        let url = ("authorization", "of the url");
        check(&[], &[], &[url]);
        let variable = (
            "OTEL_EXPORTER_OTLP_HEADERS",
            " a = b%20c%2C ,Authorization=e,x=1",
        );
        check(
            &[variable],
            &[("x", "%31")],
            &[("a", "b c,"), ("authorization", "e"), ("x", "%31")],
        );
        let of_spans = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "y=2");
        check(&[variable, of_spans], &[], &[url, ("y", "2")]);
    }

    #[test]
    fn what_is_no_header_in_the_environment_is_ignored_and_so_is_what_the_protocol_sets() {
        let entries = "k,=v,a b=c,l=%0a,m=%ff,,n=,Content-Length=1,te=x,grpc-encoding=x";
        let variable = ("OTEL_EXPORTER_OTLP_HEADERS", entries);
        check(
            &[variable],
            &[],
            &[("authorization", "of the url"), ("n", "")],
        );
    }
}
