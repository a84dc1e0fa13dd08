//! A snapshot of the environment variables that we read.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Variable, agent365_variables, standard_variables};

/// The names of all variables that we read. We do not read the rest of the environment.
fn names() -> impl Iterator<Item = &'static str> {
    let all = standard_variables::ALL
        .iter()
        .chain(agent365_variables::ALL);
    let read = all.filter(|variable| variable.support().is_read());
    read.map(Variable::name)
}

/// A snapshot of the environment variables that this crate knows.
///
/// Read it once, where the program starts, and pass it on. No other code reads the process's
/// environment, and tests can pass any values:
///
/// ```
/// use agentspan_discovery::Environment;
///
/// let environment = Environment::from_iter([("PYTHON_ENVIRONMENT", "Development")]);
/// assert_eq!(environment.value("PYTHON_ENVIRONMENT"), Some("Development"));
/// assert_eq!(environment.value("ENABLE_OBSERVABILITY"), None);
/// ```
///
/// It holds the variables of [`agent365_variables::ALL`] and [`standard_variables::ALL`] whose
/// [`Support`](crate::Support) says that we read them. Other variables, which may hold secrets, are
/// not copied. `Debug` shows the names of set variables, but no values, because a header or a URL
/// may hold a password or a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    values: BTreeMap<&'static str, String>,
}

impl Environment {
    /// The current environment of this process.
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

    /// Calls `lookup` once for each known name.
    #[must_use]
    pub fn from_lookup(mut lookup: impl FnMut(&str) -> Option<String>) -> Self {
        let values = names().filter_map(|name| Some((name, lookup(name)?)));
        Self {
            values: values.collect(),
        }
    }

    /// The value of a variable; `None` if it was unset or is not one of the known names.
    ///
    /// An empty value is returned, too. The code that reads the variable decides its meaning.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The parsed value of the first of these variables that `parse`, a function of
    /// [`values`](crate::values), accepts.
    ///
    /// Unset, empty and blank variables are skipped. So are invalid values, and `ignored` is called
    /// with their names and values.
    pub fn understood<T>(
        &self,
        names: impl IntoIterator<Item = &'static str>,
        parse: impl Fn(&str) -> Option<T>,
        mut ignored: impl FnMut(&'static str, &str),
    ) -> Option<T> {
        names.into_iter().find_map(|name| {
            let value = self.non_blank(name)?;
            let meaning = parse(value);
            if meaning.is_none() {
                ignored(name, value);
            }
            meaning
        })
    }

    /// The value of a variable if it is set and holds more than blanks.
    #[must_use]
    pub fn non_blank(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.trim().is_empty())
    }

    /// The value of a variable if it is set and not empty.
    #[must_use]
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Environment {
    /// Takes the known variables from pairs of names and values. If a name occurs twice, the last
    /// value counts.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if let Some(known) = names().find(|known| *known == name.as_ref()) {
                values.insert(known, value.into());
            }
        }
        Self { values }
    }
}

/// Shows only the names of set variables, because a value may hold a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("set", &self.values.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::values;

    #[test]
    fn the_first_variable_that_is_understood_counts_and_the_others_are_told() {
        let environment = Environment::from_iter([
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "7"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "-1"),
            ("OTEL_BSP_SCHEDULE_DELAY", " "),
        ]);
        let mut told = Vec::new();
        let names = [
            "OTEL_BSP_SCHEDULE_DELAY",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_BSP_EXPORT_TIMEOUT",
        ];
        let found = environment.understood(names, values::integer, |name, value| {
            told.push((name, value.to_owned()));
        });
        assert_eq!(found, Some(7));
        assert_eq!(told, [(names[1], "soon".to_owned())]);
    }

    #[test]
    fn each_known_name_is_asked_for_once_and_no_other() {
        let mut asked = Vec::new();
        let environment = Environment::from_lookup(|name| {
            asked.push(name.to_owned());
            Some(name.to_lowercase())
        });
        assert_eq!(asked, names().collect::<Vec<_>>());
        let once: BTreeSet<_> = asked.iter().collect();
        assert_eq!(asked.len(), once.len());
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
