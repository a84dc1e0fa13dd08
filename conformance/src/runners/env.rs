//! `env_v3.json`: what variables of the environment, and settings in code, make of a program.

mod components;
mod sent;

use std::collections::BTreeMap;

use agentspan_discovery::{Environment, Switches, runtime_v3};
use agentspan_model::agent365::{Profile, environment as names};
use serde::Deserialize;
use serde_json::{Value, json};

use self::components::Components;
use self::sent::Sent;
use super::token_scope::SCOPE_IS_SPELLED_AS_FOR_NODE;
use crate::{Allowance, Case, Failure, Json, Outcome, Predicate, Runner, VectorSpan};

pub(super) struct Env;

impl Runner for Env {
    fn file_stem(&self) -> &'static str {
        "env_v3"
    }

    fn run(&self, case: &Case) -> Outcome {
        outcome(case.input()?)
    }

    /// Of the components that the package makes, we compare whether spans are sent, on which route, and whether
    /// with the input of agents. The rest is parts and numbers of its own.
    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        components::reduce(outcome);
        Ok(())
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SCOPE_IS_SPELLED_AS_FOR_NODE]
    }

    fn allowances(&self) -> Vec<Allowance> {
        vec![
            Allowance {
                name: "setting_of_the_package",
                applies: |case| case.input().is_ok_and(|input: Input| input.is_of_package()),
                places: &["**"],
            },
            Allowance {
                name: "exporter_switch_has_blanks",
                applies: |case| case.input().is_ok_and(|input: Input| input.pads_exporter()),
                places: &["result", "sends", "route", "has_input"],
            },
        ]
    }
}

/// The variables that are set; all others are unset.
type Variables = BTreeMap<String, Option<String>>;

fn environment(variables: &Variables) -> Environment {
    let set = variables.iter();
    set.filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .collect()
}

// `Case::input` cannot look into an enum with a tag, hence `deny_unknown_fields`.
#[derive(Deserialize)]
#[serde(tag = "function", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    IsAgent365ExporterEnabled {
        env: Variables,
    },
    EnvBool {
        variable: String,
        default: bool,
        env: Variables,
    },
    ScopeTelemetryEnabled {
        enabled_by_distro: bool,
        env: Variables,
    },
    AuthenticationScope {
        env: Variables,
    },
    IsDevelopmentEnvironment {
        env: Variables,
    },
    BatchOptions {
        #[serde(rename = "args")]
        _args: Value,
        #[serde(rename = "env")]
        _env: Variables,
    },
    StorageDirectory {
        #[serde(rename = "value")]
        _value: Value,
    },
    ExporterOptions {
        #[serde(rename = "args")]
        _args: Value,
    },
    Suppress {
        suppress_invoke_agent_input: bool,
        spans: Vec<VectorSpan>,
    },
    DistroComponents {
        kwargs: Value,
        env: Variables,
        #[serde(default)]
        disable_tracing: bool,
    },
    CreateA365Components {
        kwargs: Value,
        env: Variables,
    },
}

impl Input {
    /// Whether it asks for a queue on disk, or for batches as the package makes them.
    fn is_of_package(&self) -> bool {
        match self {
            Self::BatchOptions { .. }
            | Self::StorageDirectory { .. }
            | Self::ExporterOptions { .. } => true,
            Self::DistroComponents { kwargs, env, .. }
            | Self::CreateA365Components { kwargs, env } => {
                components::NOT_OURS
                    .iter()
                    .any(|name| kwargs.get(name).is_some())
                    || env.keys().any(|name| name.starts_with("OTEL_BSP_"))
            }
            _ => false,
        }
    }

    fn variables(&self) -> Option<&Variables> {
        match self {
            Self::IsAgent365ExporterEnabled { env }
            | Self::EnvBool { env, .. }
            | Self::ScopeTelemetryEnabled { env, .. }
            | Self::AuthenticationScope { env }
            | Self::IsDevelopmentEnvironment { env }
            | Self::BatchOptions { _env: env, .. }
            | Self::DistroComponents { env, .. }
            | Self::CreateA365Components { env, .. } => Some(env),
            Self::StorageDirectory { .. }
            | Self::ExporterOptions { .. }
            | Self::Suppress { .. } => None,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.variables()?.get(name)?.as_deref()
    }

    /// The two ways of the package to read this switch differ in blanks.
    fn pads_exporter(&self) -> bool {
        let value = self.value(names::ENABLE_A365_OBSERVABILITY_EXPORTER);
        value.is_some_and(|value| value.trim() != value)
    }
}

fn outcome(input: Input) -> Outcome {
    let result = |result: Value| Ok(json!({ "result": result }).into());
    match input {
        Input::IsAgent365ExporterEnabled { env } => {
            result(Switches::read(&environment(&env)).exporter_enabled().into())
        }
        Input::EnvBool {
            variable,
            default,
            env,
        } => {
            let switches = Switches::read(&environment(&env));
            result(named_switch(&switches, &variable, default)?.into())
        }
        Input::ScopeTelemetryEnabled {
            enabled_by_distro,
            env,
        } => {
            let switches = Switches::read(&environment(&env));
            result(
                switches
                    .scopes_enabled(Profile::V3, enabled_by_distro)
                    .into(),
            )
        }
        Input::AuthenticationScope { env } => result(json!([runtime_v3::authentication_scope(
            &environment(&env)
        )])),
        Input::IsDevelopmentEnvironment { env } => {
            result(Switches::read(&environment(&env)).is_development().into())
        }
        Input::BatchOptions { .. }
        | Input::StorageDirectory { .. }
        | Input::ExporterOptions { .. } => {
            Ok(json!({"refused": "our delivery has other bounds, and no files"}).into())
        }
        Input::Suppress {
            suppress_invoke_agent_input,
            spans,
        } => {
            let sent = Sent::of(&spans, suppress_invoke_agent_input)?;
            Ok(json!({ "spans": sent.spans }).into())
        }
        Input::DistroComponents {
            kwargs,
            env,
            disable_tracing,
        } => Components {
            kwargs: &kwargs,
            environment: environment(&env),
            disable_tracing,
        }
        .outcome(),
        Input::CreateA365Components { kwargs, env } => Components {
            kwargs: &kwargs,
            environment: environment(&env),
            disable_tracing: false,
        }
        .outcome(),
    }
}

fn named_switch(switches: &Switches, variable: &str, default: bool) -> Result<bool, Failure> {
    match variable {
        names::A365_USE_S2S_ENDPOINT => Ok(switches.service_to_service().unwrap_or(default)),
        names::A365_SUPPRESS_INVOKE_AGENT_INPUT if !default => {
            Ok(switches.without_invoke_agent_input())
        }
        names::ENABLE_A365_OBSERVABILITY_EXPORTER if !default => Ok(switches.exporter_enabled()),
        _ => Err(format!("nobody knows the switch {variable}, by default {default}").into()),
    }
}
