//! The variables of the environment that anybody reads, taken once.

use std::collections::BTreeMap;
use std::fmt;

use agentspan_model::agent365::environment as names;

use crate::standard_variables as standard;

/// Every variable that is read. The rest of the environment is nobody's business here.
const NAMES: [&str; 33] = [
    names::ENABLE_OBSERVABILITY,
    names::ENABLE_A365_OBSERVABILITY,
    names::ENABLE_A365_OBSERVABILITY_EXPORTER,
    names::PYTHON_ENVIRONMENT,
    names::AGENT365_APPLICATION_NAME,
    names::A365_OBSERVABILITY_SCOPE_OVERRIDE,
    names::A365_OBSERVABILITY_DOMAIN_OVERRIDE,
    names::ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT,
    names::A365_PER_REQUEST_MAX_TRACES,
    names::A365_PER_REQUEST_MAX_SPANS_PER_TRACE,
    names::A365_PER_REQUEST_FLUSH_GRACE_MS,
    names::A365_PER_REQUEST_MAX_TRACE_AGE_MS,
    names::ENABLE_OTLP_EXPORTER,
    names::ENABLE_A365_OBSERVABILITY_SIDECAR,
    names::SPECTRA_ENDPOINT,
    names::SPECTRA_PROTOCOL,
    standard::AGENTSPAN_OTLP_FILE,
    standard::OTEL_TRACES_EXPORTER,
    standard::OTEL_EXPORTER_OTLP_PROTOCOL,
    standard::OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    standard::OTEL_EXPORTER_OTLP_ENDPOINT,
    standard::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    standard::OTEL_EXPORTER_OTLP_TIMEOUT,
    standard::OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
    standard::OTEL_EXPORTER_OTLP_CERTIFICATE,
    standard::OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
    standard::OTEL_EXPORTER_OTLP_HEADERS,
    standard::OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    standard::OTEL_EXPORTER_OTLP_COMPRESSION,
    standard::OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
    standard::OTEL_EXPORTER_OTLP_INSECURE,
    standard::OTEL_EXPORTER_OTLP_TRACES_INSECURE,
    standard::OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
];

/// A copy of the environment variables that this crate knows, as they were at one moment.
///
/// Settings are taken once, where a program starts, and passed on. Nothing reads the process's
/// environment behind its back, and a test passes what it likes:
///
/// ```
/// use agentspan_discovery::Environment;
///
/// let environment = Environment::from_iter([("PYTHON_ENVIRONMENT", "Development")]);
/// assert_eq!(environment.value("PYTHON_ENVIRONMENT"), Some("Development"));
/// assert_eq!(environment.value("ENABLE_OBSERVABILITY"), None);
/// ```
///
/// The names are those of [`agentspan_model::agent365::environment`] and [`crate::standard_variables`]. Other variables, which may
/// hold secrets, are not copied. `Debug` shows which are set and no value, since a header or the URL of a receiver may
/// hold a password or a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    values: BTreeMap<&'static str, String>,
}

impl Environment {
    /// The environment of this process, now.
    ///
    /// A variable whose value is not Unicode counts as unset.
    #[must_use]
    pub fn from_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Asks `lookup` once for each known name.
    #[must_use]
    pub fn from_lookup(mut lookup: impl FnMut(&str) -> Option<String>) -> Self {
        let values = NAMES
            .into_iter()
            .filter_map(|name| Some((name, lookup(name)?)))
            .collect();
        Self { values }
    }

    /// The value of a variable; `None` if it was unset or is not one of the known names.
    ///
    /// An empty value is a value: what it means is for the reader of the variable to say.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of a variable if it is set and not empty.
    #[must_use]
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Environment {
    /// Takes the known names from pairs of name and value; of two equal names the last one counts.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if let Some(known) = NAMES.into_iter().find(|known| *known == name.as_ref()) {
                values.insert(known, value.into());
            }
        }
        Self { values }
    }
}

/// Shows the names of what is set. A value may hold a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("set", &self.values.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_name_is_asked_for_once_and_no_other() {
        let mut asked = Vec::new();
        let environment = Environment::from_lookup(|name| {
            asked.push(name.to_owned());
            Some(name.to_lowercase())
        });
        assert_eq!(asked, NAMES);
        assert_eq!(
            environment.value("PYTHON_ENVIRONMENT"),
            Some("python_environment")
        );
    }

    #[test]
    fn unknown_variables_are_not_kept() {
        let environment = Environment::from_iter([("AWS_SECRET_ACCESS_KEY", "hunter2")]);
        assert_eq!(environment, Environment::default());
        assert!(!format!("{environment:?}").contains("hunter2"));
    }

    #[test]
    fn debug_shows_the_names_of_what_is_set_and_no_value() {
        let environment = Environment::from_iter([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:hunter2@host"),
            ("SPECTRA_ENDPOINT", "https://host/?key=hunter3"),
        ]);
        assert_eq!(
            format!("{environment:?}"),
            r#"Environment { set: ["OTEL_EXPORTER_OTLP_ENDPOINT", "SPECTRA_ENDPOINT"], .. }"#
        );
    }

    #[test]
    fn the_process_is_asked_for_the_same_names() {
        let expected: Environment = std::env::vars().collect();
        assert_eq!(Environment::from_process(), expected);
    }
}
