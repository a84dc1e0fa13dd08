//! The settings of a receiver, from code and environment.

use std::borrow::Cow;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use agentspan_agent365::retry::RetryTimer;
use agentspan_discovery::{Environment, ShownValue, standard_variables as names, values};
use agentspan_tls::{TrustRoots, crypto_provider};
use http::HeaderMap;

use super::authorities::roots;
use super::endpoint::Endpoint;
use super::{Otlp, OtlpError, headers};
use crate::environment::{MILLISECONDS, first, understood};

/// The default timeout of an export with all of its tries. A receiver that restarts is back by then.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The timeout of a single try where no timeout is set: that of an export in the specification.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// The protocol-specific rules for finding an endpoint.
pub(super) struct Place {
    /// The default.
    pub(super) endpoint: &'static str,
    /// The endpoint for the value of the variable for all signals.
    pub(super) of_base: fn(&str) -> String,
    /// A value of that variable.
    pub(super) base: &'static str,
    /// The endpoint of a URL; `None` if it is invalid.
    pub(super) parse: fn(&str, &Environment) -> Option<Endpoint>,
}

/// The settings, resolved from code, environment and defaults.
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) timeout: Duration,
    pub(super) try_timeout: Duration,
    pub(super) timer: Arc<dyn RetryTimer>,
    pub(super) roots: TrustRoots,
    pub(super) headers: HeaderMap,
    pub(super) gzip: bool,
}

impl Place {
    /// The URL, the setting that it comes from, and an example for that.
    fn url<'a>(
        &self,
        otlp: &'a Otlp,
        environment: &'a Environment,
    ) -> (Cow<'a, str>, &'static str, &'static str) {
        let whole = names::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
        let base = names::OTEL_EXPORTER_OTLP_ENDPOINT;
        if let Some(url) = &otlp.endpoint {
            (url.into(), "Otlp::with_endpoint", self.endpoint)
        } else if let Some(url) = environment.non_blank(whole) {
            (url.into(), whole, self.endpoint)
        } else if let Some(url) = environment.non_blank(base) {
            ((self.of_base)(url.trim()).into(), base, self.base)
        } else {
            (self.endpoint.into(), "the default", self.endpoint)
        }
    }
}

impl Settings {
    /// The value in `otlp`, or else in `environment`, or else the default.
    pub(super) fn new(
        otlp: &Otlp,
        environment: &Environment,
        place: &Place,
    ) -> Result<Self, OtlpError> {
        let (url, setting, example) = place.url(otlp, environment);
        let mut endpoint =
            (place.parse)(&url, environment).ok_or(OtlpError::Endpoint { setting, example })?;
        if endpoint.is_https {
            crypto_provider().map_err(|error| OtlpError::Client(error.into()))?;
        }
        // The environment's may be keys of the receiver that the environment describes.
        let environment_of_headers = Some(environment).filter(|_| !otlp.is_sidecar);
        let of_code = otlp.timeout.map(|limit| match limit {
            Duration::ZERO => values::LONGEST,
            limit => limit,
        });
        let timeout = of_code.or_else(|| timeout(environment));
        let of_batch = limit_of_batch(environment).filter(|_| otlp.timeout.is_none());
        Ok(Self {
            timeout: timeout
                .unwrap_or(TIMEOUT)
                .min(of_batch.unwrap_or(Duration::MAX)),
            try_timeout: timeout.unwrap_or(TRY_TIMEOUT),
            timer: Arc::clone(&otlp.timer.0),
            roots: trusted(otlp, environment, endpoint.is_https)?,
            headers: headers::merged(
                &otlp.headers,
                environment_of_headers,
                endpoint.credentials.take(),
            )?,
            gzip: otlp.gzip || gzip(environment),
            endpoint,
        })
    }
}

fn trusted(
    otlp: &Otlp,
    environment: &Environment,
    is_https: bool,
) -> Result<TrustRoots, OtlpError> {
    if let Some(pem) = &otlp.authorities {
        return roots(pem, "Otlp::with_certificate_authorities");
    }
    let path = first(
        environment,
        [
            names::OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
            names::OTEL_EXPORTER_OTLP_CERTIFICATE,
        ],
    );
    let Some((variable, path)) = path.filter(|_| is_https) else {
        return Ok(TrustRoots::Platform);
    };
    let pem = fs::read(path).map_err(|source| OtlpError::CertificateFile {
        variable,
        path: ShownValue(path).to_string(),
        source,
    })?;
    roots(&pem, variable)
}

/// The timeout of an export.
fn timeout(environment: &Environment) -> Option<Duration> {
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
        names::OTEL_EXPORTER_OTLP_TIMEOUT,
    ];
    understood(environment, variables, MILLISECONDS, values::timeout)
}

/// The variable for batches limits the exporter's.
fn limit_of_batch(environment: &Environment) -> Option<Duration> {
    let variable = [names::OTEL_BSP_EXPORT_TIMEOUT];
    understood(environment, variable, MILLISECONDS, values::timeout)
}

/// Whether the environment asks for gzip.
fn gzip(environment: &Environment) -> bool {
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
        names::OTEL_EXPORTER_OTLP_COMPRESSION,
    ];
    let known = |text: &str| values::word(text, &[("gzip", true), ("none", false)]);
    understood(environment, variables, "gzip or none", known).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(otlp: &Otlp, variables: &[(&str, &str)]) -> Settings {
        let environment = variables.iter().copied().collect();
        let place = Place {
            endpoint: "http://default",
            base: "http://default",
            of_base: |base| format!("{base}/v1/traces"),
            parse: |url, _| Endpoint::parse(url),
        };
        Settings::new(otlp, &environment, &place).unwrap()
    }

    /// The endpoint and the timeout in milliseconds that result from code and environment.
    fn completed(otlp: &Otlp, variables: &[(&str, &str)]) -> (String, u128) {
        let settings = settings(otlp, variables);
        (
            settings.endpoint.uri.to_string(),
            settings.timeout.as_millis(),
        )
    }

    #[test]
    fn code_takes_precedence_over_the_variable_for_spans_and_that_over_the_one_for_all_signals() {
        let all = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "30000"),
        ];
        let both = [
            all[0],
            all[1],
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://spans"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", " 20000 "),
        ];
        let nothing = Otlp::new();
        let by_default = ("http://default/".to_owned(), 60_000);
        assert_eq!(completed(&nothing, &[]), by_default);
        let of_all = ("http://all/v1/traces".to_owned(), 30_000);
        assert_eq!(completed(&nothing, &all), of_all);
        let of_spans = ("http://spans/".to_owned(), 20_000);
        assert_eq!(completed(&nothing, &both), of_spans);
        let code = Otlp::new()
            .with_endpoint("http://code")
            .with_timeout(Duration::from_secs(1));
        let of_code = ("http://code/".to_owned(), 1_000);
        assert_eq!(completed(&code, &both), of_code);
        let unknown = [("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")];
        assert_eq!(completed(&nothing, &unknown), by_default);
    }

    #[test]
    fn a_try_has_ten_seconds_unless_a_timeout_is_set() {
        let times = |otlp: &Otlp, variables: &[_]| {
            let settings = settings(otlp, variables);
            [settings.timeout, settings.try_timeout].map(|time| time.as_secs())
        };
        let of_batch = ("OTEL_BSP_EXPORT_TIMEOUT", "30000");
        let of_exporter = ("OTEL_EXPORTER_OTLP_TIMEOUT", "40000");
        let nothing = Otlp::new();
        assert_eq!(times(&nothing, &[]), [60, 10]);
        assert_eq!(times(&nothing, &[of_batch]), [30, 10]);
        assert_eq!(times(&nothing, &[of_exporter]), [40, 40]);
        assert_eq!(times(&nothing, &[of_exporter, of_batch]), [30, 40]);
        let code = Otlp::new().with_timeout(Duration::from_secs(50));
        assert_eq!(times(&code, &[of_exporter, of_batch]), [50, 50]);
        // As with the variables, zero is no limit.
        let longest = values::LONGEST.as_secs();
        let code = Otlp::new().with_timeout(Duration::ZERO);
        assert_eq!(times(&code, &[of_exporter]), [longest, longest]);
    }

    #[test]
    fn compression_is_what_the_first_variable_says_that_is_understood() {
        let of_all = |value| ("OTEL_EXPORTER_OTLP_COMPRESSION", value);
        let of_spans = |value| ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value);
        let gzip = |variables: &[_]| settings(&Otlp::new(), variables).gzip;
        assert!(!gzip(&[]));
        assert!(gzip(&[of_all("GZIP")]));
        assert!(!gzip(&[of_all("gzip"), of_spans("none")]));
        assert!(gzip(&[of_all("gzip"), of_spans("zstd")]));
        assert!(settings(&Otlp::new().with_gzip(), &[of_all("none")]).gzip);
    }

    #[test]
    fn of_headers_whose_names_differ_in_case_only_the_last_one_counts() {
        let mut otlp = Otlp::new();
        for n in 0..32 {
            otlp = otlp.with_header(format!("X-Key-{n}"), "first");
            otlp = otlp.with_header(format!("x-key-{n}"), "last");
        }
        let headers = settings(&otlp, &[]).headers;
        let of_code = headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-key"));
        let values: Vec<_> = of_code.map(|(_, value)| value).collect();
        assert_eq!(values, ["last"; 32]);
    }
}
