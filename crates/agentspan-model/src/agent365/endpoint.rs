//! The host and the port of an agent or a tool.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The host and the port of an agent or a tool.
///
/// Other parts of a URL (user, password, path, query) are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// The host name or address, unchanged; from a URL, in lower case.
    pub host: String,
    /// The port, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Why a text is not a URL of an endpoint.
///
/// The message does not show the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text has no scheme or no host. Write the whole URL, such as
    /// `https://tools.example.com:8443`.
    NoHost,
    /// The port is not a number from 0 to 65535.
    Port,
}

impl std::fmt::Display for EndpointError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoHost => f.write_str("endpoint has no host: write it as scheme://host:port"),
            Self::Port => f.write_str("endpoint has a port that is no number from 0 to 65535"),
        }
    }
}

impl std::error::Error for EndpointError {}

impl Endpoint {
    /// An endpoint with the default port.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
        }
    }

    /// Sets the port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Reads the host and the port of a URL, as Python's `urllib.parse.urlparse` does.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] if the URL has no host or an invalid port.
    pub fn from_url(url: &str) -> Result<Self, EndpointError> {
        let url = without_controls(url);
        let rest = after_scheme(&url).strip_prefix("//");
        let rest = rest.ok_or(EndpointError::NoHost)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_and_port = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = match host_and_port.strip_prefix('[') {
            Some(literal) => literal.split_once(']').ok_or(EndpointError::NoHost)?,
            None => match host_and_port.find(':') {
                Some(colon) => host_and_port.split_at(colon),
                None => (host_and_port, ""),
            },
        };
        if host.is_empty() {
            return Err(EndpointError::NoHost);
        }
        let endpoint = Self::new(lower(host));
        match port.strip_prefix(':').unwrap_or(port) {
            "" => Ok(endpoint),
            // `parse` would take a plus sign.
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .map(|port| endpoint.with_port(port))
                .map_err(|_| EndpointError::Port),
            _ => Err(EndpointError::Port),
        }
    }

    /// The port, unless it is 443, the default of Agent 365, or 0.
    #[must_use]
    pub fn recorded_port(&self) -> Option<u16> {
        self.port.filter(|port| !matches!(port, 0 | 443))
    }
}

/// `url` as `urlparse` looks at it: without white space before it, and without line breaks and tabs.
fn without_controls(url: &str) -> Cow<'_, str> {
    let url = url.trim_start_matches(|c: char| c <= ' ');
    if url.contains(['\t', '\r', '\n']) {
        Cow::Owned(url.replace(['\t', '\r', '\n'], ""))
    } else {
        Cow::Borrowed(url)
    }
}

/// The part after the scheme; all of the text if there is none.
fn after_scheme(url: &str) -> &str {
    match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => url,
    }
}

fn is_scheme(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_part)
}

/// The host in lower case, in any script. The zone of an address, after a percent sign, has its own.
fn lower(host: &str) -> String {
    let (name, zone) = host.split_at(host.find('%').unwrap_or(host.len()));
    name.to_lowercase() + zone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, host: &str, port: Option<u16>) {
        let endpoint = Endpoint::from_url(url).unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port),
            (host, port),
            "{url}"
        );
    }

    #[test]
    fn host_and_port_are_all_that_is_kept() {
        check(
            "HTTPS://User:Pw@Agents.Example.COM:9000/Path",
            "agents.example.com",
            Some(9000),
        );
        check("https://agents.example.com", "agents.example.com", None);
        check("https://a.example?x=//b:1", "a.example", None);
        check("https://[::1]:4318/", "::1", Some(4318));
        check("//a.example:", "a.example", None);
    }

    #[test]
    fn a_host_is_lower_case_in_any_script_and_a_zone_keeps_its_case() {
        check("https://B\u{dc}CHER.Example", "b\u{fc}cher.example", None);
        check("https://\u{130}.TR", "i\u{307}.tr", None);
        check("https://GR.\u{391}\u{3a3}", "gr.\u{3b1}\u{3c2}", None);
        check("https://[FE80::1%Eth0]:80", "fe80::1%Eth0", Some(80));
    }

    #[test]
    fn a_url_is_taken_apart_as_python_does() {
        check("\u{1f} ht\ntps://a.exa\tmple:8\r0/", "a.example", Some(80));
        check("a+b-1.c://a.example", "a.example", None);
    }

    #[test]
    fn a_url_without_host_is_refused() {
        for url in [
            "a/b//a.example",
            "1a://a.example",
            "a_b://a.example",
            "x:/y//z",
            "agents.example.com/path",
            "",
            "https://",
            "https:///path",
            "https://:80",
            "http://[::1",
        ] {
            assert_eq!(Endpoint::from_url(url), Err(EndpointError::NoHost), "{url}");
        }
    }

    #[test]
    fn a_port_that_is_no_port_is_refused_without_repeating_the_url() {
        let error = Endpoint::from_url("https://user:secret@a.example:70000").unwrap_err();
        assert_eq!(error, EndpointError::Port);
        for url in ["https://a.example:+80", "https://a.example:-1"] {
            assert_eq!(Endpoint::from_url(url), Err(EndpointError::Port), "{url}");
        }
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
