//! The environment's override of the service's host.

use std::str::FromStr;

use agentspan_model::agent365::environment as names;

use crate::Environment;
use crate::python_text::strip;

/// The override of the service's host: `A365_OBSERVABILITY_DOMAIN_OVERRIDE` of
/// `microsoft-agents-a365-observability-core` 2.0.0.
///
/// It is a host with an optional port, or an `https` URL with an optional path, which is put before
/// the service's path. Trailing slashes are ignored. The host gets the tokens, so the check is
/// stricter than in the reference: see [`DomainOverrideError`].
///
/// ```
/// use agentspan_discovery::{DomainOverride, Environment};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let name = "A365_OBSERVABILITY_DOMAIN_OVERRIDE";
/// let environment = Environment::from_iter([(name, " gateway.example:8443 ")]);
/// let domain = DomainOverride::read(&environment)?.expect("it is set");
/// assert_eq!(domain.authority(), "gateway.example:8443");
/// assert_eq!(DomainOverride::read(&Environment::default())?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainOverride {
    text: Box<str>,
    authority: Box<str>,
    base_path: Box<str>,
}

/// Why a text is not a valid override. The message does not show the text, which may hold a
/// password.
///
/// The reference ignores texts that are not URLs ([`is_ignored`](Self::is_ignored)), and sends to
/// the service's own host. The other errors are ours: such overrides would expose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainOverrideError {
    /// The scheme is neither `https` nor `http`. Write `https://host` or only the host.
    #[error("domain override has a scheme other than https or http")]
    Scheme,
    /// The URL has no host.
    #[error("domain override has no host")]
    NoHost,
    /// The text begins with `http:` or `https:`, without the two slashes.
    #[error("domain override lacks the two slashes after its scheme")]
    Slashes,
    /// The text has a slash, but no scheme. A path needs a URL with a scheme.
    #[error("domain override has a path without a scheme")]
    PathWithoutScheme,
    /// The scheme is `http`, which would expose the token to the network. Use `https`. For a
    /// service on this machine, pass a loopback endpoint to the builder.
    #[error("domain override is not https")]
    NotHttps,
    /// The URL has a user name or a password. Tokens come from the token resolver.
    #[error("domain override holds credentials")]
    Credentials,
    /// The URL has a query, which would swallow the path of the service.
    #[error("domain override has a query")]
    Query,
    /// The URL has a fragment, which would swallow the path of the service.
    #[error("domain override has a fragment")]
    Fragment,
    /// The host or the port is invalid: it has an invalid character, a label of the host is empty,
    /// too long or begins or ends with a hyphen, or the port is greater than 65535.
    #[error("domain override names no valid host and port")]
    Authority,
    /// The path has a dot segment, or a character that must be percent-encoded in a URL.
    #[error("domain override has a path that is not written as in a url")]
    Path,
}

impl DomainOverrideError {
    /// Whether the reference also ignores the override, and sends to the service's own host.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        match self {
            Self::Scheme | Self::NoHost | Self::Slashes | Self::PathWithoutScheme => true,
            Self::NotHttps
            | Self::Credentials
            | Self::Query
            | Self::Fragment
            | Self::Authority
            | Self::Path => false,
        }
    }
}

impl DomainOverride {
    /// The override in `environment`; `None` if it is unset or blank.
    ///
    /// # Errors
    ///
    /// [`DomainOverrideError`] if the value is invalid.
    pub fn read(environment: &Environment) -> Result<Option<Self>, DomainOverrideError> {
        match environment.value(names::A365_OBSERVABILITY_DOMAIN_OVERRIDE) {
            Some(text) if !strip(text).is_empty() => text.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// The original text, without surrounding white space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case, and the port if there is one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path before the service's path: empty, or a path that begins with a slash and does not
    /// end with a slash.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

impl FromStr for DomainOverride {
    type Err = DomainOverrideError;

    fn from_str(text: &str) -> Result<Self, DomainOverrideError> {
        let text = strip(text);
        let rest = match scheme(text) {
            Some((scheme, rest)) => {
                let is = |name| scheme.eq_ignore_ascii_case(name);
                if !is("http") && !is("https") {
                    return Err(DomainOverrideError::Scheme);
                }
                let rest = rest
                    .strip_prefix("//")
                    .filter(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
                    .ok_or(DomainOverrideError::NoHost)?;
                if is("http") {
                    return Err(DomainOverrideError::NotHttps);
                }
                rest
            }
            None if text.starts_with("http:") || text.starts_with("https:") => {
                return Err(DomainOverrideError::Slashes);
            }
            None if text.contains('/') => return Err(DomainOverrideError::PathWithoutScheme),
            None => text,
        };
        if rest.contains('#') {
            return Err(DomainOverrideError::Fragment);
        }
        if rest.contains('?') {
            return Err(DomainOverrideError::Query);
        }
        let (authority, base_path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(DomainOverrideError::Credentials);
        }
        if !is_authority(authority) {
            return Err(DomainOverrideError::Authority);
        }
        if !is_path(base_path) {
            return Err(DomainOverrideError::Path);
        }
        Ok(Self {
            text: text.into(),
            authority: authority.to_ascii_lowercase().into(),
            base_path: base_path.trim_end_matches('/').into(),
        })
    }
}

/// The scheme of a text that holds `://`, and what follows its colon. As in Python's `urlparse`, a
/// scheme begins with a letter; `host:8080` has none because there is no `://`.
fn scheme(text: &str) -> Option<(&str, &str)> {
    if !text.contains("://") {
        return None;
    }
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

/// Whether `text` is a host name, an IPv4 address or an IPv6 address in brackets, with or without a
/// port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (None, port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (Some(host), port)
        }
    };
    let is_host = host.is_none_or(is_host_name);
    let is_port = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => port.is_empty(),
    };
    is_host && is_port
}

/// Whether `text` can be looked up and be in a certificate: an IPv4 address, or labels of up to 63 bytes
/// that neither begin nor end with a hyphen, of which the last is not a number (RFC 1123, section 2.1).
fn is_host_name(text: &str) -> bool {
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253
        && name.split('.').all(is_label)
        && name.rsplit('.').next().is_some_and(|last| !is_number(last))
}

/// Whether a URL can hold `text` as its path, letter by letter.
fn is_path(text: &str) -> bool {
    text.split('/').all(|segment| {
        let is_dots = segment == "." || segment == "..";
        !is_dots
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_taken(text: &str, authority: &str, base_path: &str) {
        let domain: DomainOverride = text.parse().unwrap();
        assert_eq!(domain.authority(), authority, "{text:?}");
        assert_eq!(domain.base_path(), base_path, "{text:?}");
        assert_eq!(domain.as_str(), text.trim(), "{text:?}");
    }

    fn check_refused(text: &str, expected: DomainOverrideError) {
        let error = text.parse::<DomainOverride>().unwrap_err();
        assert_eq!(error, expected, "{text:?}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{text:?}");
    }

    #[test]
    fn a_host_or_an_https_url_is_taken() {
        check_taken("host.example", "host.example", "");
        check_taken(" host.example:8080\n", "host.example:8080", "");
        check_taken("https://host.example", "host.example", "");
        check_taken("HTTPS://Host.example:443/a/b", "host.example:443", "/a/b");
        check_taken("https://[::1]:8443/x", "[::1]:8443", "/x");
        check_taken("10.1.2.3", "10.1.2.3", "");
        check_taken("1host_a.example.", "1host_a.example.", "");
    }

    #[test]
    fn f8_slashes_at_the_end_do_not_double_that_of_the_path() {
        check_taken("https://host.example/", "host.example", "");
        check_taken("https://host.example///", "host.example", "");
        check_taken("https://host.example/a/b//", "host.example", "/a/b");
        check_taken("https://host.example//a/", "host.example", "//a");
    }

    #[test]
    fn what_the_reference_ignores_is_told_apart() {
        use DomainOverrideError::{NoHost, PathWithoutScheme, Scheme, Slashes};
        for (text, expected) in [
            ("ftp://host.example", Scheme),
            ("https://", NoHost),
            ("https:///s3cret", NoHost),
            ("https://?s3cret", NoHost),
            ("http:8080", Slashes),
            ("https:8080", Slashes),
            ("host/path", PathWithoutScheme),
            ("://host", PathWithoutScheme),
            ("1a://host", PathWithoutScheme),
        ] {
            check_refused(text, expected);
            assert!(expected.is_ignored(), "{text:?}");
        }
    }

    #[test]
    fn t10_what_would_show_a_token_is_refused() {
        use DomainOverrideError::{Authority, Credentials, Fragment, NotHttps, Path, Query};
        for (text, expected) in [
            ("http://host.example", NotHttps),
            ("HTTP://localhost:9999", NotHttps),
            ("https://user:s3cret@host.example", Credentials),
            ("user@host.example", Credentials),
            ("https://host.example?key=s3cret", Query),
            ("host.example?", Query),
            ("https://host.example/#s3cret", Fragment),
            ("host name", Authority),
            ("host.example:", Authority),
            ("host.example:0", Authority),
            ("host.example:+80", Authority),
            ("host.example:65536", Authority),
            ("https://h\u{f6}st.example", Authority),
            ("host..example", Authority),
            ("-host.example", Authority),
            ("host-.example", Authority),
            (".", Authority),
            ("256.1.1.1", Authority),
            ("host.example.1", Authority),
            ("https://[::1", Authority),
            ("https://host.example/a/../b", Path),
            ("https://host.example/a%2fb", Path),
            ("https://host.example/a b", Path),
        ] {
            check_refused(text, expected);
            assert!(!expected.is_ignored(), "{text:?}");
        }
    }

    #[test]
    fn a_blank_variable_names_nothing() {
        for value in ["", " \t\u{1f}"] {
            let environment =
                Environment::from_iter([("A365_OBSERVABILITY_DOMAIN_OVERRIDE", value)]);
            assert_eq!(DomainOverride::read(&environment), Ok(None), "{value:?}");
        }
    }
}
