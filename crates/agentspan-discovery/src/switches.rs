//! The switches of the environment.

use std::fmt;

use agentspan_model::agent365::{Profile, SwitchRules, environment as names};

use crate::python_text::strip;
use crate::{Environment, ShownValue};

const PRODUCTION: &str = "production";
const DEVELOPMENT: &str = "development";

/// The switches of the environment, read once from an [`Environment`].
///
/// A switch is on if its variable is `true`, `1`, `yes` or `on`, in any case. With any other value,
/// even ` true` with a blank, it is off. All switches are off in an empty environment.
///
/// ```
/// use agentspan_discovery::{Environment, Switches};
///
/// let switches = Switches::read(&Environment::from_iter([
///     ("ENABLE_A365_OBSERVABILITY", "on"),
///     ("PYTHON_ENVIRONMENT", "DEVELOPMENT"),
/// ]));
/// assert!(switches.observability_enabled());
/// assert!(!switches.exporter_enabled());
/// assert!(switches.is_development());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    observability: bool,
    without_observability: bool,
    exporter: bool,
    per_request_export: bool,
    sidecar: bool,
    otlp_exporter: bool,
    without_invoke_agent_input: bool,
    service_to_service: Option<bool>,
    environment_name: Name,
}

/// A name that the environment gives itself.
#[derive(Clone, PartialEq, Eq)]
struct Name(Box<str>);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ShownValue(&self.0).fmt(f)
    }
}

impl Switches {
    /// Reads the switches.
    #[must_use]
    pub fn read(environment: &Environment) -> Self {
        let observability = environment
            .non_empty(names::ENABLE_OBSERVABILITY)
            .or_else(|| environment.non_empty(names::ENABLE_A365_OBSERVABILITY));
        Self {
            observability: observability.is_some_and(is_on),
            without_observability: [
                names::ENABLE_OBSERVABILITY,
                names::ENABLE_A365_OBSERVABILITY,
            ]
            .iter()
            .any(|name| environment.value(name).is_some_and(is_off)),
            exporter: environment
                .value(names::ENABLE_A365_OBSERVABILITY_EXPORTER)
                .is_some_and(is_on),
            per_request_export: environment
                .value(names::ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT)
                .is_some_and(is_on),
            sidecar: environment
                .value(names::ENABLE_A365_OBSERVABILITY_SIDECAR)
                .is_some_and(is_on),
            otlp_exporter: environment
                .value(names::ENABLE_OTLP_EXPORTER)
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
            without_invoke_agent_input: environment
                .value(names::A365_SUPPRESS_INVOKE_AGENT_INPUT)
                .is_some_and(|value| is_on(strip(value))),
            service_to_service: environment
                .value(names::A365_USE_S2S_ENDPOINT)
                .map(strip)
                .filter(|value| !value.is_empty())
                .map(is_on),
            environment_name: Name(
                environment
                    .non_empty(names::PYTHON_ENVIRONMENT)
                    .unwrap_or(PRODUCTION)
                    .into(),
            ),
        }
    }

    /// The switches whose values are unknown words, each with the words that it understands. Such a
    /// switch is off, perhaps by mistake, so log a warning.
    ///
    /// ```
    /// use agentspan_discovery::{Environment, Switches};
    ///
    /// let environment = Environment::from_iter([("A365_SUPPRESS_INVOKE_AGENT_INPUT", "enabled")]);
    /// let (variable, known) = Switches::unknown_words(&environment).next().unwrap();
    /// assert_eq!(variable, "A365_SUPPRESS_INVOKE_AGENT_INPUT");
    /// assert_eq!(known, "true, 1, yes, on, false, 0, no, off");
    /// ```
    pub fn unknown_words(
        environment: &Environment,
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        let unknown = move |(variable, blanks, words): Switch| {
            let value = environment.non_empty(variable)?;
            let value = match blanks {
                Blanks::Count => value,
                Blanks::Ignored => strip(value),
            };
            let mut known = words.iter().chain(&OFF).chain(&[""]);
            let is_known = known.any(|word| value.eq_ignore_ascii_case(word));
            let text = match words.len() {
                1 => "true, false, 0, no, off",
                _ => "true, 1, yes, on, false, 0, no, off",
            };
            (!is_known).then_some((variable, text))
        };
        SWITCHES.into_iter().filter_map(unknown)
    }

    /// Whether scopes record spans: `ENABLE_OBSERVABILITY`, or, if it is unset or empty,
    /// `ENABLE_A365_OBSERVABILITY`. The first variable that is set decides, so the second cannot
    /// override a `false`.
    #[must_use]
    pub fn observability_enabled(&self) -> bool {
        self.observability
    }

    /// Whether `ENABLE_OBSERVABILITY` or `ENABLE_A365_OBSERVABILITY` says `false`, `0`, `no` or `off`,
    /// so that scopes which are off are off on purpose. If neither says anything, this is false,
    /// and so is [`observability_enabled`](Self::observability_enabled).
    #[must_use]
    pub fn observability_refused(&self) -> bool {
        self.without_observability
    }

    /// Whether scopes record spans under the rules of a generation, for a program that configures
    /// Agent 365 itself (`is_asked_for`) or does not.
    ///
    /// For 0.1.0 and 2.0.0, this is [`observability_enabled`](Self::observability_enabled). With
    /// `microsoft-opentelemetry` 1.5.0, `false`, `0`, `no` or `off` in either variable switches
    /// scopes off. If neither has a known value, they are on in a program that configures Agent
    /// 365.
    #[must_use]
    pub fn scopes_enabled(&self, profile: Profile, is_asked_for: bool) -> bool {
        match profile.switch_rules() {
            SwitchRules::NoWins => {
                !self.without_observability && (self.observability || is_asked_for)
            }
            _ => self.observability,
        }
    }

    /// Whether spans go to Agent 365 instead of the console: `ENABLE_A365_OBSERVABILITY_EXPORTER`.
    #[must_use]
    pub fn exporter_enabled(&self) -> bool {
        self.exporter
    }

    /// Whether the spans of each request are sent with the token of the request:
    /// `ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT`, as in the reference for Node.
    #[must_use]
    pub fn per_request_export_enabled(&self) -> bool {
        self.per_request_export
    }

    /// Whether spans go to a sidecar instead of the service: `ENABLE_A365_OBSERVABILITY_SIDECAR`,
    /// which is ours.
    #[must_use]
    pub fn sidecar_enabled(&self) -> bool {
        self.sidecar
    }

    /// Whether spans also go to an OTLP receiver: `ENABLE_OTLP_EXPORTER`, as in observability
    /// 2.0.0. Only `true`, in any case, switches it on.
    #[must_use]
    pub fn otlp_exporter_enabled(&self) -> bool {
        self.otlp_exporter
    }

    /// Whether the input messages of invoked agents are removed from their spans:
    /// `A365_SUPPRESS_INVOKE_AGENT_INPUT`, as in `microsoft-opentelemetry` 1.5.0. Surrounding
    /// blanks are ignored.
    #[must_use]
    pub fn without_invoke_agent_input(&self) -> bool {
        self.without_invoke_agent_input
    }

    /// Whether requests use the route for service-to-service calls: `A365_USE_S2S_ENDPOINT`, as in
    /// `microsoft-opentelemetry` 1.5.0. Surrounding blanks are ignored, and any unknown value means
    /// no. `None` if it is unset.
    #[must_use]
    pub fn service_to_service(&self) -> Option<bool> {
        self.service_to_service
    }

    /// The unchanged name of the environment in `PYTHON_ENVIRONMENT`; `production` if it is unset
    /// or empty.
    #[must_use]
    pub fn environment_name(&self) -> &str {
        &self.environment_name.0
    }

    /// Whether the [name of the environment](Self::environment_name) is `development`, in any case.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.environment_name.0.eq_ignore_ascii_case(DEVELOPMENT)
    }
}

/// Whether blanks around a word count.
#[derive(Clone, Copy)]
enum Blanks {
    Count,
    Ignored,
}

/// A variable, and the words that switch it on.
type Switch = (&'static str, Blanks, &'static [&'static str]);

const ON: [&str; 4] = ["true", "1", "yes", "on"];
const OFF: [&str; 4] = ["false", "0", "no", "off"];

/// The variables of all switches.
const SWITCHES: [Switch; 8] = [
    (names::ENABLE_OBSERVABILITY, Blanks::Count, &ON),
    (names::ENABLE_A365_OBSERVABILITY, Blanks::Count, &ON),
    (
        names::ENABLE_A365_OBSERVABILITY_EXPORTER,
        Blanks::Count,
        &ON,
    ),
    (
        names::ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT,
        Blanks::Count,
        &ON,
    ),
    (names::ENABLE_A365_OBSERVABILITY_SIDECAR, Blanks::Count, &ON),
    (names::ENABLE_OTLP_EXPORTER, Blanks::Count, &["true"]),
    (
        names::A365_SUPPRESS_INVOKE_AGENT_INPUT,
        Blanks::Ignored,
        &ON,
    ),
    (names::A365_USE_S2S_ENDPOINT, Blanks::Ignored, &ON),
];

/// No letter outside ASCII has one of these letters as its lower case, so that comparing ASCII is
/// the same as the reference's lower-casing.
fn is_on(value: &str) -> bool {
    ON.iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// The words that say no. Other words say nothing.
fn is_off(value: &str) -> bool {
    OFF.iter().any(|off| value.eq_ignore_ascii_case(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switches(pairs: &[(&str, &str)]) -> Switches {
        Switches::read(&pairs.iter().copied().collect())
    }

    #[test]
    fn a_no_anywhere_wins_and_the_program_decides_where_nothing_is_said() {
        const BOTH: [&str; 2] = [
            names::ENABLE_OBSERVABILITY,
            names::ENABLE_A365_OBSERVABILITY,
        ];
        for (first, second, [is_asked_for, is_not]) in [
            ("", "", [true, false]),
            ("maybe", "on", [true, false]),
            ("", "on", [true, true]),
            ("YES", "maybe", [true, true]),
            ("true", "Off", [false, false]),
            ("no", "true", [false, false]),
            (" no", "", [true, false]),
        ] {
            let switches = switches(&[(BOTH[0], first), (BOTH[1], second)]);
            for profile in [Profile::V3, Profile::Direct] {
                let found = [true, false].map(|asked| switches.scopes_enabled(profile, asked));
                assert_eq!(
                    found,
                    [is_asked_for, is_not],
                    "{profile:?} {first:?} {second:?}"
                );
            }
            let older = switches.scopes_enabled(Profile::V2, true);
            assert_eq!(older, switches.observability_enabled());
        }
    }

    #[test]
    fn a_word_that_no_switch_knows_is_told_with_those_that_it_knows() {
        let unknown = |variable: &'static str, value: &str| {
            let environment = Environment::from_iter([(variable, value)]);
            let mut unknown = Switches::unknown_words(&environment).collect::<Vec<_>>();
            let found = unknown.pop();
            assert!(unknown.is_empty(), "{variable}");
            assert!(found.is_none_or(|(found, _)| found == variable));
            found.map(|(_, known)| known)
        };
        for (variable, blanks, words) in SWITCHES {
            for word in words.iter().chain(&OFF).chain(&["", "TRUE", "Off"]) {
                assert_eq!(unknown(variable, word), None, "{variable} {word:?}");
            }
            for word in ["enabled", "y", "2", "disabled"] {
                let known = unknown(variable, word).unwrap();
                let mut told = known.split(", ");
                assert!(
                    told.all(|word| unknown(variable, word).is_none()),
                    "{known}"
                );
                assert_eq!(known.split(", ").count(), words.len() + OFF.len());
            }
            let is_told = unknown(variable, " true").is_some();
            assert_eq!(is_told, matches!(blanks, Blanks::Count), "{variable}");
        }
        assert!(unknown(names::ENABLE_OTLP_EXPORTER, "1").is_some());
        assert_eq!(unknown(names::PYTHON_ENVIRONMENT, "maybe"), None);
    }

    #[test]
    fn four_words_switch_on_in_any_case() {
        for (value, on) in [
            ("true", true),
            ("TRUE", true),
            ("1", true),
            ("Yes", true),
            ("oN", true),
            ("", false),
            (" true", false),
            ("true\n", false),
            ("0", false),
            ("y", false),
            ("enabled", false),
        ] {
            let exporter = switches(&[("ENABLE_A365_OBSERVABILITY_EXPORTER", value)]);
            assert_eq!(exporter.exporter_enabled(), on, "{value:?}");
            let scopes = switches(&[("ENABLE_OBSERVABILITY", value)]);
            assert_eq!(scopes.observability_enabled(), on, "{value:?}");
            let requests = switches(&[("ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT", value)]);
            assert_eq!(requests.per_request_export_enabled(), on, "{value:?}");
            let sidecar = switches(&[("ENABLE_A365_OBSERVABILITY_SIDECAR", value)]);
            assert_eq!(sidecar.sidecar_enabled(), on, "{value:?}");
            let otlp = switches(&[("ENABLE_OTLP_EXPORTER", value)]);
            let is_true = value.eq_ignore_ascii_case("true");
            assert_eq!(otlp.otlp_exporter_enabled(), is_true, "{value:?}");
            let fallback = switches(&[("ENABLE_A365_OBSERVABILITY", value)]);
            assert_eq!(fallback.observability_enabled(), on, "{value:?}");
        }
    }

    #[test]
    fn blanks_around_the_switch_for_inputs_do_not_count() {
        for (value, on) in [
            ("true", true),
            (" YES\t", true),
            ("1", true),
            ("", false),
            (" ", false),
            ("0", false),
            ("off", false),
            ("y", false),
            ("maybe", false),
        ] {
            let found = switches(&[("A365_SUPPRESS_INVOKE_AGENT_INPUT", value)]);
            assert_eq!(found.without_invoke_agent_input(), on, "{value:?}");
        }
    }

    #[test]
    fn the_first_variable_that_says_anything_decides() {
        for (first, second, on) in [
            ("", "true", true),
            ("false", "true", false),
            (" ", "true", false),
            ("true", "false", true),
        ] {
            let found = switches(&[
                ("ENABLE_OBSERVABILITY", first),
                ("ENABLE_A365_OBSERVABILITY", second),
            ]);
            assert_eq!(
                found.observability_enabled(),
                on,
                "{first:?} then {second:?}"
            );
        }
    }

    #[test]
    fn one_switch_does_not_move_the_other() {
        let scopes = switches(&[("ENABLE_OBSERVABILITY", "1")]);
        assert!(!scopes.exporter_enabled());
        let exporter = switches(&[("ENABLE_A365_OBSERVABILITY_EXPORTER", "1")]);
        assert!(!exporter.observability_enabled());
        assert!(!exporter.per_request_export_enabled());
    }

    #[test]
    fn an_unnamed_environment_is_production() {
        for found in [switches(&[]), switches(&[("PYTHON_ENVIRONMENT", "")])] {
            assert_eq!(found.environment_name(), "production");
            assert!(!found.is_development());
        }
    }

    #[test]
    fn the_name_of_the_environment_keeps_its_case() {
        let found = switches(&[("PYTHON_ENVIRONMENT", "DevelopMent")]);
        assert_eq!(found.environment_name(), "DevelopMent");
        assert!(found.is_development());
        assert!(!switches(&[("PYTHON_ENVIRONMENT", "Development ")]).is_development());
    }
}
