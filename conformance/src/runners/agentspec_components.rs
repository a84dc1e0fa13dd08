//! `agentspec_components.json`: components as they stand in dumps.

use agentspan_model::agentspec::Component;
use serde::Deserialize;

use super::agentspec::{Components, SHOWN_SECRETS, agree, text};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner};

pub(super) struct AgentspecComponents;

impl Runner for AgentspecComponents {
    fn file_stem(&self) -> &'static str {
        "agentspec_components"
    }

    /// Puts the secrets of the input into the expected dump, so that there is something to hide, and
    /// reads and dumps that.
    fn run(&self, case: &Case) -> Outcome {
        let Input {
            components,
            component,
        } = case.input()?;
        let dump = case
            .expected
            .member("dump")
            .ok_or("a component has a dump")?;
        let components = Components::read(components, Some(dump))?;
        let spec = components.spec(&component)?;
        if spec.member("fields").and_then(|fields| fields.member("id")) != dump.member("id") {
            return Err("the dump is of another component".into());
        }

        let read = Component::from_json(&dump.to_string()).map_err(text)?;
        let found = Json::parse(read.dump())?;
        let mut secrets = Vec::new();
        let mut clear = dump.clone();
        put_secrets(&mut clear, &components, &mut secrets);
        let with_secrets = Component::from_json(&clear.to_string()).map_err(text)?;
        agree(
            "secrets change the dump",
            &found,
            &Json::parse(with_secrets.dump())?,
        )?;
        for secret in secrets {
            let shown = format!("{} {with_secrets:?}", with_secrets.dump());
            if shown.contains(&secret) {
                return Err(Failure::from("a secret is shown"));
            }
        }
        Ok(Json::Object(vec![("dump".into(), found)]))
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SHOWN_SECRETS]
    }
}

#[derive(Deserialize)]
struct Input {
    components: Json,
    component: String,
}

/// Replaces each `{"$component_ref": "<id>.<field>"}` by what the spec of the component says.
fn put_secrets(dump: &mut Json, components: &Components, secrets: &mut Vec<String>) {
    if let Some(reference) = dump.member("$component_ref").and_then(Json::as_str) {
        let secret = reference.rsplit_once('.').and_then(|(id, field)| {
            let spec = components.spec_with_id(id)?;
            spec.member("fields")?.member(field)
        });
        if let Some(secret) = secret {
            secrets.push(secret.to_string());
            *dump = secret.clone();
        }
        return;
    }
    match dump {
        Json::Object(members) => {
            for (_, value) in members {
                put_secrets(value, components, secrets);
            }
        }
        Json::Array(items) => {
            for item in items {
                put_secrets(item, components, secrets);
            }
        }
        _ => {}
    }
}
