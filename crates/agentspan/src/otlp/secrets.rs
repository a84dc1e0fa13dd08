//! The secrets that a receiver must not repeat in a report: keys in headers and in the URL.

use std::fmt;

use agentspan_model::received::Withheld;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// Shorter parts of a value are not secrets: `X-Scope-OrgID: 1` must not hide every `1`.
const SHORTEST_PART: usize = 4;

/// The parts of usual paths, which are no secrets.
const PATH: [&str; 5] = [
    "v1",
    "traces",
    "api",
    "otlp",
    "opentelemetry.proto.collector.trace.v1.TraceService",
];

/// The values of headers, path and query, from code, environment and URL, and the parts of these
/// values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// All headers that are marked as sensitive, all values in the query, and all parts of the path but those
    /// that the specification names.
    pub(super) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let mut secrets = Self(Vec::new());
        for (name, value) in headers.iter().filter(|(_, value)| value.is_sensitive()) {
            if [AUTHORIZATION, PROXY_AUTHORIZATION].contains(name) {
                secrets.add_credentials(value);
            } else {
                secrets.add_parts(value.as_bytes());
            }
        }
        for pair in uri.query().unwrap_or_default().split('&') {
            let (_, value) = pair.split_once('=').unwrap_or(("", pair));
            secrets.add_encoded(value);
        }
        for part in uri.path().split('/').filter(|part| !PATH.contains(part)) {
            secrets.add_encoded(part);
        }
        secrets.0.sort_unstable();
        secrets.0.dedup();
        secrets
    }

    /// The secrets that no message of the receiver may repeat.
    pub(super) fn withheld(&self) -> Withheld<'_> {
        let secrets = self.0.iter();
        secrets.fold(Withheld::new(), |withheld, secret| {
            withheld.with_secret(secret)
        })
    }

    /// The text after the name of a scheme, as in `Bearer key`. For the scheme `Basic`, also the
    /// user and the password.
    fn add_credentials(&mut self, value: &HeaderValue) {
        let value = value.as_bytes().trim_ascii();
        let mut halves = value.splitn(2, u8::is_ascii_whitespace);
        let first = halves.next().unwrap_or_default();
        let Some(rest) = halves.next().map(<[u8]>::trim_ascii) else {
            self.0.push(first.to_owned());
            return self.add_parts(first);
        };
        self.0.push(rest.to_owned());
        self.add_parts(rest);
        let lenient =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let decoded = GeneralPurpose::new(&STANDARD, lenient).decode(rest);
        if let Ok(pair) = decoded {
            if first.eq_ignore_ascii_case(b"basic") {
                let mut halves = pair.splitn(2, |byte| *byte == b':');
                let password = halves.nth(1).unwrap_or_default().to_owned();
                self.0.extend([password, pair]);
            }
        }
    }

    /// A part of a URL, as written and decoded.
    fn add_encoded(&mut self, part: &str) {
        self.add_parts(part.as_bytes());
        let decoded: Vec<u8> = percent_decode_str(part).collect();
        self.add_parts(&decoded);
    }

    /// A value, its words, and the texts on both sides of an equals sign.
    fn add_parts(&mut self, value: &[u8]) {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || b",;".contains(byte);
        let words = value.split(is_between);
        let parts = words
            .clone()
            .flat_map(|word| word.split(|byte| *byte == b'='));
        let all = [value].into_iter().chain(words).chain(parts);
        let long = all.filter(|part| part.len() >= SHORTEST_PART);
        self.0.extend(long.map(<[u8]>::to_owned));
    }
}

/// Shows nothing.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str, said: &str, expected: &str) {
        let mut value = HeaderValue::try_from(value).unwrap();
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value)]);
        let secrets = Secrets::of(&headers, &Uri::from_static("http://host/v1?k=of%20the-url"));
        assert_eq!(secrets.withheld().show(said, 200), expected, "{said}");
        assert_eq!(format!("{secrets:?}"), "Secrets(..)");
    }

    #[test]
    fn t11_every_part_of_a_value_is_a_secret() {
        let bearer = "Bearer s3cret";
        check("authorization", bearer, "no Bearer s3cret", "no Bearer …");
        check("authorization", bearer, "key 'S3CRET'", "key '…'");
        check("authorization", "s3cret", "key s3cret", "key …");
        check("authorization", "Bearer k1", "there is no key k1", "…");
        let basic = "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        check(
            "authorization",
            basic,
            "no QWxhZGRpbjpvcGVuIHNlc2FtZQ",
            "no …",
        );
        check(
            "authorization",
            basic,
            "pw 'open sesame' of Aladdin:open",
            "pw '…' of …",
        );
        check("x-api-key", "id=1, key=abcd1234", "1: abcd1234", "1: …");
        check("x-api-key", "hunter2", "no hunter2", "no …");
        check(
            "x-scope-orgid",
            "1",
            "1 span is too old",
            "1 span is too old",
        );
        check("x", "y", "of%20the-url or of the-url", "… or …");
    }

    #[test]
    fn t11_a_key_in_the_path_is_a_secret() {
        let uri = Uri::from_static("http://host/api/s3cret%2Dkey/v1/traces");
        let secrets = Secrets::of(&HeaderMap::new(), &uri);
        let said = "no route /api/s3cret%2Dkey/v1/traces for s3cret-key";
        let shown = secrets.withheld().show(said, 200);
        assert_eq!(shown, "no route /api/…/v1/traces for …");
    }

    #[test]
    fn headers_of_ours_are_no_secrets() {
        let ours = [(
            http::header::USER_AGENT,
            HeaderValue::from_static("of ours"),
        )];
        let secrets = Secrets::of(&HeaderMap::from_iter(ours), &Uri::from_static("/"));
        assert_eq!(secrets, Secrets(Vec::new()));
    }
}
