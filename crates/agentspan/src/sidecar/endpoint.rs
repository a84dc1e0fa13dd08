//! The endpoint of a sidecar.

use std::net::IpAddr;

use http::Uri;

use super::{PlainHttp, SidecarError};

/// A checked endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    base: String,
    path: String,
}

impl Endpoint {
    pub(super) fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, SidecarError> {
        let text = text.trim();
        if text.contains('#') {
            return Err(SidecarError::MoreThanAPlace);
        }
        let uri: Uri = text.parse().map_err(|_| SidecarError::NotAUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(SidecarError::NotAUrl);
        };
        // `http::Uri` lets anything stand after the colon, and would then speak to the port of the scheme.
        let place = authority.as_str().rsplit('@').next().unwrap_or_default();
        if authority.port_u16().is_none() && place != authority.host() {
            return Err(SidecarError::NotAUrl);
        }
        let is_plain = match scheme {
            "http" => true,
            "https" => false,
            _ => return Err(SidecarError::Scheme),
        };
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(SidecarError::MoreThanAPlace);
        }
        if is_plain && plain_http == PlainHttp::ToLoopback && !is_loopback(authority.host()) {
            return Err(SidecarError::NotLoopback);
        }
        Ok(Self {
            base: format!("{scheme}://{authority}"),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The URL, with this path if it has none.
    pub(super) fn into_url(self, default_path: &str) -> String {
        let path = Some(self.path.as_str()).filter(|path| !path.is_empty());
        format!("{}{}", self.base, path.unwrap_or(default_path))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URL over HTTP, or the error: first with plain http to this machine only, then to any
    /// machine.
    fn check(text: &str, to_loopback: Result<&str, &str>, to_anybody: Result<&str, &str>) {
        for (plain_http, expected) in [
            (PlainHttp::ToLoopback, to_loopback),
            (PlainHttp::ToAnybody, to_anybody),
        ] {
            let found = Endpoint::parse(text, plain_http);
            let found = found
                .map(|endpoint| endpoint.into_url("/v1/traces"))
                .map_err(|error| format!("{error:?}"));
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        }
    }

    fn check_both(text: &str, expected: Result<&str, &str>) {
        check(text, expected, expected);
    }

    #[test]
    fn t09_plain_http_goes_to_this_machine_unless_asked_for() {
        check_both(
            "http://localhost:4318",
            Ok("http://localhost:4318/v1/traces"),
        );
        check_both("http://127.9.9.9:1/", Ok("http://127.9.9.9:1/v1/traces"));
        check_both("http://[::1]:4318/own", Ok("http://[::1]:4318/own"));
        check_both(
            " https://collector.example ",
            Ok("https://collector.example/v1/traces"),
        );
        for text in [
            "http://collector.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            let allowed = format!("{text}/v1/traces");
            check(text, Err("NotLoopback"), Ok(&allowed));
        }
    }

    #[test]
    fn what_is_more_or_less_than_a_place_is_refused() {
        for text in [
            "",
            "localhost:4317",
            "/v1/traces",
            "http://",
            "http://localhost:99999",
            "http://[::1]:x",
        ] {
            check_both(text, Err("NotAUrl"));
        }
        check_both("ftp://localhost", Err("Scheme"));
        for text in [
            "http://user:secret@localhost",
            "http://localhost?key=secret",
            "http://localhost#secret",
        ] {
            check_both(text, Err("MoreThanAPlace"));
        }
    }
}
