//! The parsed URL of a receiver.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// The address of a receiver, and the credentials for it. `uri` holds no user and no password, so
/// that no library can log them.
pub(super) struct Endpoint {
    pub(super) uri: Uri,
    pub(super) is_https: bool,
    /// The user and the password of the URL, as a value of the header `authorization`.
    pub(super) credentials: Option<HeaderValue>,
}

impl Endpoint {
    /// Parses a URL of the schemes `http` and `https`.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let mut parts = url.trim().parse::<Uri>().ok()?.into_parts();
        let is_https = match parts.scheme.as_ref()? {
            scheme if *scheme == Scheme::HTTP => false,
            scheme if *scheme == Scheme::HTTPS => true,
            _ => return None,
        };
        let authority = parts.authority.take()?;
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (user, place.parse().ok()?),
            None => ("", authority.clone()),
        };
        // `http::Uri` lets anything stand after the colon, and would then speak to the port of the scheme.
        let has_no_port = place.as_str() == place.host();
        if Authority::host(&place).is_empty() || (place.port_u16().is_none() && !has_no_port) {
            return None;
        }
        let credentials = basic(user);
        parts.authority = Some(place);
        Some(Self {
            uri: Uri::from_parts(parts).ok()?,
            is_https,
            credentials,
        })
    }

    /// The same address with this path, and without a query.
    #[cfg(feature = "otlp-grpc")]
    pub(super) fn with_path(self, path: &'static str) -> Option<Self> {
        let mut parts = self.uri.into_parts();
        parts.path_and_query = Some(http::uri::PathAndQuery::from_static(path));
        let uri = Uri::from_parts(parts).ok()?;
        Some(Self { uri, ..self })
    }
}

/// The user and the password of a URL, percent-decoded, in the scheme "Basic" of [RFC 7617].
///
/// [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617
fn basic(user: &str) -> Option<HeaderValue> {
    if user.is_empty() {
        return None;
    }
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain: Vec<u8> = percent_decode_str(name).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let value = format!("Basic {}", STANDARD.encode(plain));
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, uri: &str, credentials: Option<&str>) {
        let found = Endpoint::parse(url).unwrap();
        assert_eq!(found.uri.to_string(), uri);
        assert_eq!(found.is_https, uri.starts_with("https"));
        let value = found.credentials.as_ref();
        assert_eq!(value.map(|it| it.to_str().unwrap()), credentials);
        assert!(value.is_none_or(HeaderValue::is_sensitive));
    }

    #[test]
    fn a_user_moves_into_the_header_and_leaves_the_url() {
        check("http://host:4318/v1?k=v", "http://host:4318/v1?k=v", None);
        check(
            "https://Aladdin:open%20sesame@[::1]:4318/v1",
            "https://[::1]:4318/v1",
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        );
        check("http://me@host", "http://host/", Some("Basic bWU6"));
        check("http://@host", "http://host/", None);
    }

    #[test]
    fn other_schemes_and_no_host_are_no_endpoint() {
        for url in [
            "",
            "host",
            "host:4317",
            "ftp://host",
            "/v1",
            "http://",
            "http://me@",
            "http://host:65536",
            "https://me:1@host:99999/v1/traces",
            "http://[::1]:",
        ] {
            assert!(Endpoint::parse(url).is_none(), "{url}");
        }
    }
}
