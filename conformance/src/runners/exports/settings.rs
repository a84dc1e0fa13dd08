//! What clusters, domain overrides and `Retry-After` mean, told once more beside our crates, so that the
//! model does not ask those that it checks.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a domain override sends to.
#[derive(Debug, PartialEq)]
pub(super) enum Domain<'a> {
    /// To the service's own host: there is none, or the reference ignores it, too.
    Usual,
    /// Nowhere: tokens would not be secret there, or there is no such place.
    Refused,
    /// To this host and port, below this path, which has no slash at its end.
    Other {
        authority: String,
        base_path: &'a str,
    },
}

impl<'a> Domain<'a> {
    pub(super) fn of(text: Option<&'a str>) -> Self {
        let text = trimmed(text.unwrap_or_default());
        let has_scheme = text.contains("://");
        let rest = match text.split_once(':').filter(|_| has_scheme) {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let place = rest.strip_prefix("//");
                let place = place.filter(|place| !place.is_empty());
                let place = place.filter(|place| !place.starts_with(['/', '?', '#']));
                match (scheme.to_ascii_lowercase().as_str(), place) {
                    ("https", Some(place)) => place,
                    ("http", Some(_)) => return Self::Refused,
                    _ => return Self::Usual,
                }
            }
            _ if text.contains('/') || text.is_empty() => return Self::Usual,
            _ if text.starts_with("http:") || text.starts_with("https:") => return Self::Usual,
            _ => text,
        };
        let path = rest.find('/').unwrap_or(rest.len());
        let (authority, base_path) = rest.split_at(path);
        if is_authority(authority) && is_path(base_path) {
            Self::Other {
                authority: authority.to_ascii_lowercase(),
                base_path: base_path.trim_end_matches('/'),
            }
        } else {
            Self::Refused
        }
    }
}

/// What Python's `strip` leaves of a text.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

fn is_scheme(text: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_of_one)
}

/// A host that can be looked up and be in a certificate, with or without a port.
fn is_authority(text: &str) -> bool {
    let with_port = text
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'));
    let (host, port) = with_port.unwrap_or((text, "443"));
    let is_port = port.chars().all(|c| c.is_ascii_digit())
        && port
            .parse()
            .is_ok_and(|port: u32| (1..65_536).contains(&port));
    let literal = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_host = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok() || is_name(host),
    };
    is_port && is_host
}

/// A name of labels, of which the last is no number.
fn is_name(host: &str) -> bool {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_label = |label: &&str| {
        let is_of_one = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..64).contains(&label.len())
            && label.chars().all(is_of_one)
            && label.trim_matches('-') == *label
    };
    let last = labels.last().copied().unwrap_or_default();
    labels.iter().all(is_label)
        && labels.join(".").len() < 254
        && !last.chars().all(|c| c.is_ascii_digit())
}

/// A path that stands in a URL as it is, and goes down only.
fn is_path(text: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@".contains(c);
    let has_dots = text
        .split('/')
        .any(|segment| [".", ".."].contains(&segment));
    text.chars().all(is_of_one) && !has_dots
}

/// The seconds that a header asks for, which are what Python's `float` makes of it, in digits of ASCII.
pub(super) fn asked_seconds(header: &str) -> Option<f64> {
    let text: Vec<char> = trimmed(header).chars().collect();
    let is_between_digits = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let beside = [before, text.get(at + 1)];
        beside.iter().all(|c| c.is_some_and(char::is_ascii_digit))
    };
    let mut number = String::new();
    for (at, c) in text.iter().enumerate() {
        match c {
            '_' if is_between_digits(at) => {}
            '_' => return None,
            c => number.push(*c),
        }
    }
    number.parse().ok()
}

/// Whether there is such a cloud.
pub(super) fn is_cluster(category: &str) -> bool {
    cloud(category).is_some()
}

/// The host of each cloud, and how long the label is that the end of a tenant's id makes.
fn cloud(category: &str) -> Option<(&'static str, usize)> {
    Some(match category {
        "local" => ("api.powerplatform.localhost", 1),
        "dev" | "test" | "preprod" => ("api.powerplatform.com", 1),
        "firstrelease" | "prod" => ("api.powerplatform.com", 2),
        "gov" => ("api.gov.powerplatform.microsoft.us", 1),
        "high" => ("api.high.powerplatform.microsoft.us", 1),
        "dod" => ("api.appsplatform.us", 1),
        "mooncake" => ("api.powerplatform.partner.microsoftonline.cn", 1),
        "ex" => ("api.powerplatform.eaglex.ic.gov", 1),
        "rx" => ("api.powerplatform.microsoft.scloud", 1),
        _ => return None,
    })
}

/// The host of a tenant's island in a cloud, if its labels are ones.
pub(super) fn island_host(category: &str, tenant: &str) -> Option<String> {
    let (cloud, end) = cloud(category)?;
    let mut digits: String = tenant.chars().filter(|c| *c != '-').collect();
    digits.make_ascii_lowercase();
    let is_plain = digits.chars().all(|c| c.is_ascii_alphanumeric());
    let start = digits.len().checked_sub(end).filter(|_| is_plain)?;
    let (first, last) = digits.split_at(start);
    (1..=60)
        .contains(&first.len())
        .then(|| format!("il-{first}.{last}.tenant.{cloud}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map_or(Domain::Refused, |(authority, base_path)| Domain::Other {
            authority: authority.into(),
            base_path,
        });
        assert_eq!(Domain::of(Some(text)), expected, "{text:?}");
    }

    #[test]
    fn a_domain_is_a_host_that_keeps_tokens_secret() {
        check(" Host.example:1\n", Some(("host.example:1", "")));
        check("HTTPS://[::1]:443/a/b/", Some(("[::1]:443", "/a/b")));
        check("https://a.example//", Some(("a.example", "")));
        check("https://10.0.0.1", Some(("10.0.0.1", "")));
        let refused = [
            "http://a.example",
            "https://u@a.example",
            "a.example?x",
            "https://a.example/#f",
            "a.example:",
            "a.example:0",
            "a.example:65536",
            "a.example:+1",
            "a..example",
            "-a.example",
            "a.1",
            "256.1.1.1",
            "https://[::1",
            "https://[::1]x",
            "a b",
            "ä.example",
            "https://a.example/../x",
            "https://a.example/%2e",
        ];
        for text in refused {
            check(text, None);
        }
        let ignored = [
            "",
            " \u{1f}",
            "ftp://x",
            "https://",
            "https:///x",
            "http:80",
            "a.example/x",
            "//a.example",
            "1a://x",
            "https://?x",
            "a:b://c",
        ];
        for text in ignored {
            assert_eq!(Domain::of(Some(text)), Domain::Usual, "{text:?}");
        }
        assert_eq!(Domain::of(None), Domain::Usual);
    }

    #[test]
    fn seconds_are_what_python_reads() {
        for (text, seconds) in [
            (" 1_0 ", 10.0),
            ("-2.5e1", -25.0),
            (".5", 0.5),
            ("inf", f64::INFINITY),
        ] {
            assert_eq!(asked_seconds(text), Some(seconds), "{text:?}");
        }
        for text in ["", "soon", "_1", "1_", "1__0", "1_.0", "5s", "0x5", "１"] {
            assert_eq!(asked_seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_island_has_the_tenant_in_its_labels() {
        let host = "il-ab.cd.tenant.api.powerplatform.com";
        assert_eq!(island_host("prod", "A-bcD").as_deref(), Some(host));
        let host = "il-abc.d.tenant.api.gov.powerplatform.microsoft.us";
        assert_eq!(island_host("gov", "abcd").as_deref(), Some(host));
        let long = "a".repeat(63);
        for (category, tenant) in [
            ("prod", "ab"),
            ("prod", "a_bc"),
            ("PROD", "abcd"),
            ("dev", "ä12"),
            ("prod", &long),
        ] {
            assert_eq!(island_host(category, tenant), None, "{category} {tenant}");
        }
    }
}
