//! The kinds of hosts, and what they take of ours.

/// A kind of host: a feature of this package, which says what it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) feature: &'static str,
    /// What it takes of ours.
    pub(crate) combinations: &'static [&'static [&'static str]],
    /// It installs a crypto provider before it does anything else.
    pub(crate) installs: bool,
    /// It turns TLS 1.2 off, by leaving out a feature of `rustls`; then this is the host that does not.
    pub(crate) with_tls12: Option<&'static str>,
}

/// Each feature of ours is on in some and off in others.
const EVERY: &[&[&str]] = &[&["ours"], DEFAULT, &["ring", "otlp"], ALL];

/// What most programs take, and whatever could do harm.
const USUAL: &[&[&str]] = &[DEFAULT, ALL];

const DEFAULT: &[&str] = &["aws-lc-rs", "tls12"];
const ALL: &[&str] = &["aws-lc-rs", "ring", "tls12", "otlp"];

const fn host(feature: &'static str, combinations: &'static [&'static [&'static str]]) -> Host {
    Host {
        feature,
        combinations,
        installs: false,
        with_tls12: None,
    }
}

/// A host without TLS 1.2 comes after the one that it is compared with.
pub(crate) const HOSTS: &[Host] = &[
    host("rustls-defaults", EVERY),
    host("rustls-ring", EVERY),
    Host {
        with_tls12: Some("rustls-ring"),
        ..host("rustls-ring-without-tls12", USUAL)
    },
    host("rustls-without-provider", USUAL),
    Host {
        installs: true,
        ..host("both-providers-installs-one", USUAL)
    },
    host("reqwest-without-tls", USUAL),
    host("reqwest-defaults", USUAL),
    host("tonic-with-tls", USUAL),
    host("opentelemetry-otlp-defaults", USUAL),
];
