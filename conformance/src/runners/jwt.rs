//! `jwt.json`: claims of tokens, agent identity, environment, user agent and application name.

use std::collections::BTreeMap;

use agentspan_discovery::{
    Activity, Environment, Switches, UnverifiedId, authentication_scope, resolve_agent_identity,
    runtime_v2, unverified_app_id,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use super::token_scope::SCOPE_IS_SPELLED_AS_FOR_NODE;
use crate::{Allowance, Case, Failure, Json, Outcome, Predicate, Runner};

pub(super) struct Jwt;

impl Runner for Jwt {
    fn file_stem(&self) -> &'static str {
        "jwt"
    }

    fn run(&self, case: &Case) -> Outcome {
        outcome(case.input()?)
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SCOPE_IS_SPELLED_AS_FOR_NODE]
    }

    fn allowances(&self) -> Vec<Allowance> {
        vec![Allowance {
            name: "token_is_not_utf_8",
            applies: |case| match case.input() {
                Ok(
                    Input::GetAppIdFromToken { token, .. }
                    | Input::GetAgentIdFromToken { token, .. }
                    | Input::ResolveAgentIdentity { token, .. },
                ) => token.is_some_and(|token| token.split('.').take(2).any(is_wide_text)),
                _ => false,
            },
            places: &["result"],
        }]
    }
}

/// Whether Python's reader of JSON takes the bytes for UTF-16 or UTF-32: they begin with a mark that
/// says so, or with a zero among the first four.
fn is_wide_text(segment: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(segment.trim_end_matches('='));
    bytes.is_ok_and(|bytes| {
        let is_marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        is_marked || bytes.iter().take(4).any(|byte| *byte == 0)
    })
}

fn outcome(input: Input) -> Outcome {
    match input {
        Input::GetAppIdFromToken { token, .. } => id(&unverified_app_id(token.as_deref())),
        Input::GetAgentIdFromToken {
            runtime_version,
            token,
        } => {
            runtime_version.only_v2()?;
            id(&runtime_v2::unverified_agent_id(token.as_deref()))
        }
        Input::ResolveAgentIdentity { context, token, .. } => {
            let activity = context.and_then(|context| context.activity);
            let activity = activity.as_ref().and_then(ActivityInput::read);
            id(&resolve_agent_identity(activity, token.as_deref()))
        }
        Input::GetObservabilityAuthenticationScope {
            runtime_version,
            env,
        } => {
            let environment = environment(env);
            let scope = match runtime_version {
                RuntimeVersion::V0_1 => authentication_scope(),
                RuntimeVersion::V2 => runtime_v2::authentication_scope(&environment),
            };
            Ok(json!({"result": [scope]}).into())
        }
        Input::IsDevelopmentEnvironment { env, .. } => {
            let switches = Switches::read(&environment(env));
            Ok(json!({"result": switches.is_development()}).into())
        }
        Input::GetUserAgentHeader {
            runtime_version,
            orchestrator,
        } => {
            runtime_version.only_v2()?;
            let agent = runtime_v2::UserAgent::new("2.0.0", "{os}", "Python {python_version}")
                .with_orchestrator(orchestrator.as_deref().unwrap_or_default());
            Ok(json!({"result_template": agent.to_string()}).into())
        }
        Input::GetApplicationName {
            runtime_version,
            pyproject,
            env,
        } => {
            runtime_version.only_v2()?;
            let environment = environment(env);
            let name = runtime_v2::application_name(&environment, pyproject.as_deref());
            Ok(json!({"result": name}).into())
        }
    }
}

/// The environment variables of a case; a null is a variable that is unset.
type Env = Option<BTreeMap<String, Option<String>>>;

// `Case::input` cannot look into an enum with a tag, hence `deny_unknown_fields`.
#[derive(Deserialize)]
#[serde(tag = "function", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    GetAppIdFromToken {
        #[serde(rename = "runtime_version")]
        _runtime_version: RuntimeVersion,
        token: Option<String>,
    },
    GetAgentIdFromToken {
        runtime_version: RuntimeVersion,
        token: Option<String>,
    },
    ResolveAgentIdentity {
        #[serde(rename = "runtime_version")]
        _runtime_version: RuntimeVersion,
        context: Option<ContextInput>,
        token: Option<String>,
    },
    GetObservabilityAuthenticationScope {
        runtime_version: RuntimeVersion,
        env: Env,
    },
    IsDevelopmentEnvironment {
        #[serde(rename = "runtime_version")]
        _runtime_version: RuntimeVersion,
        env: Env,
    },
    GetUserAgentHeader {
        runtime_version: RuntimeVersion,
        orchestrator: Option<String>,
    },
    GetApplicationName {
        runtime_version: RuntimeVersion,
        pyproject: Option<String>,
        env: Env,
    },
}

#[derive(Clone, Copy, Deserialize)]
enum RuntimeVersion {
    #[serde(rename = "0.1.0")]
    V0_1,
    #[serde(rename = "2.0.0")]
    V2,
}

impl RuntimeVersion {
    fn only_v2(self) -> Result<(), Failure> {
        match self {
            Self::V2 => Ok(()),
            Self::V0_1 => Err("runtime 0.1.0 does not have this function".into()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContextInput {
    activity: Option<ActivityInput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivityInput {
    is_agentic: Accessor<bool>,
    instance_id: Accessor<Option<String>>,
}

impl ActivityInput {
    /// The activity as a caller of ours sees it: one that cannot be asked is none.
    fn read(&self) -> Option<Activity<'_>> {
        if !*self.is_agentic.ask()? {
            return Some(Activity::not_agentic());
        }
        Some(Activity::agentic(self.instance_id.ask()?.as_deref()))
    }
}

/// What an accessor of the activity answers, unless it throws.
#[derive(Deserialize)]
#[serde(untagged)]
enum Accessor<T> {
    Raises(Raises),
    Answers(T),
}

#[derive(Deserialize)]
enum Raises {
    #[serde(rename = "raises")]
    Raises,
}

impl<T> Accessor<T> {
    fn ask(&self) -> Option<&T> {
        match self {
            Self::Raises(Raises::Raises) => None,
            Self::Answers(answer) => Some(answer),
        }
    }
}

fn id(id: &UnverifiedId) -> Outcome {
    let mut claim = Json::parse(&id.to_json())?;
    as_read(&mut claim);
    Ok(Json::Object(vec![("result".into(), claim)]))
}

/// The claim as a reader sees it: of members with the same name, the first place and the last value.
fn as_read(claim: &mut Json) {
    match claim {
        Json::Array(items) => items.iter_mut().for_each(as_read),
        Json::Object(members) => {
            let mut read: Vec<(String, Json)> = Vec::new();
            for (name, mut value) in members.drain(..) {
                as_read(&mut value);
                match read.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, old)) => *old = value,
                    None => read.push((name, value)),
                }
            }
            *members = read;
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn environment(env: Env) -> Environment {
    env.unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
