//! The kinds of hosts, and what they take of ours.

/// A kind of host: a feature of this package, which says what it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) feature: &'static str,
    /// The row of the matrix, as a test would be called: it begins with the fault that it keeps away.
    pub(crate) name: &'static str,
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

const fn host(
    feature: &'static str,
    name: &'static str,
    combinations: &'static [&'static [&'static str]],
) -> Host {
    Host {
        feature,
        name,
        combinations,
        installs: false,
        with_tls12: None,
    }
}

/// A host without TLS 1.2 comes after the one that it is compared with.
pub(crate) const HOSTS: &[Host] = &[
    host(
        "rustls-defaults",
        "d1_rustls_with_its_defaults_stays_as_it_is",
        EVERY,
    ),
    host("rustls-ring", "d1_rustls_with_ring_stays_as_it_is", EVERY),
    Host {
        with_tls12: Some("rustls-ring"),
        ..host(
            "rustls-ring-without-tls12",
            "d1_rustls_without_tls_1_2_changes_with_our_feature_only",
            USUAL,
        )
    },
    host(
        "rustls-without-provider",
        "d1_rustls_without_a_provider_stays_as_it_is",
        USUAL,
    ),
    Host {
        installs: true,
        ..host(
            "both-providers-installs-one",
            "d1_the_provider_that_a_host_installs_is_used",
            USUAL,
        )
    },
    host(
        "reqwest-without-tls",
        "d2_reqwest_without_tls_stays_as_it_is",
        USUAL,
    ),
    host(
        "reqwest-defaults",
        "d2_reqwest_with_its_defaults_stays_as_it_is",
        USUAL,
    ),
    host("tonic-with-tls", "d2_tonic_with_tls_stays_as_it_is", USUAL),
    host(
        "opentelemetry-otlp-defaults",
        "d2_opentelemetry_otlp_stays_as_it_is",
        USUAL,
    ),
];
