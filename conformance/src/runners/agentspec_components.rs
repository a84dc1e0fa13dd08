//! `agentspec_components.json`: components as they stand in dumps.

use agentspan_model::agentspec::{Component, ComponentValue, JsonObject};
use serde::Deserialize;

use super::agentspec::{Components, SHOWN_SECRETS, agree, is_component, is_free_content, text};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner};

pub(super) struct AgentspecComponents;

impl Runner for AgentspecComponents {
    fn file_stem(&self) -> &'static str {
        "agentspec_components"
    }

    /// Builds the component, reads its dump, and reads its dump with the secrets of the input put in, so
    /// that there is something to hide.
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
        if !has_null_metadata(dump) {
            let built = build(spec, dump, &components)?;
            agree("built and read differ", &Json::parse(built.dump())?, &found)?;
        }

        let mut secrets = Vec::new();
        let mut clear = dump.clone();
        put_secrets(&mut clear, &components, &mut secrets);
        let with_secrets = Component::from_json(&clear.to_string()).map_err(text)?;
        agree(
            "secrets change the dump",
            &found,
            &Json::parse(with_secrets.dump())?,
        )?;
        // What is no secret may read the same: a user called as the component is.
        let harmless = format!("{found} {:?}", [with_secrets.id(), with_secrets.name()]);
        let shown = format!("{} {with_secrets:?}", with_secrets.dump());
        if secrets
            .iter()
            .any(|secret| shown.contains(secret) && !harmless.contains(secret))
        {
            return Err(Failure::from("a secret is shown"));
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

/// The component of a spec. What the spec leaves to the defaults of the reference comes from the dump.
fn build(spec: &Json, dump: &Json, components: &Components) -> Result<Component, Failure> {
    let class = spec.member("$class").and_then(Json::as_str);
    let fields = spec.member("fields").ok_or("a spec has fields")?;
    let Json::Object(members) = dump else {
        return Err("a component is an object".into());
    };
    let text = |name: &str| {
        fields
            .member(name)
            .and_then(Json::as_str)
            .unwrap_or_default()
    };
    let mut builder =
        Component::builder(class.ok_or("a spec has a class")?, text("name")).with_id(text("id"));
    for (name, dumped) in members {
        let value = fields.member(name).unwrap_or(dumped);
        builder = match name.as_str() {
            "id" | "name" | "component_type" => builder,
            "description" => match value.as_str() {
                Some(text) => builder.with_description(text),
                None => builder,
            },
            // Components in free content are as they are dumped.
            "metadata" => builder.with_metadata(metadata(dumped)?),
            name if is_free_content(name) => {
                builder.with_value(name, ComponentValue::Json(json(dumped)?))
            }
            _ => builder.with_value(name, value_of(value, dumped, components)?),
        };
    }
    Ok(builder.build())
}

/// Whether a component in the dump has null for metadata, which the builder has no way to say.
fn has_null_metadata(dump: &Json) -> bool {
    match dump {
        Json::Object(members) => {
            dump.member("metadata") == Some(&Json::Null)
                || members.iter().any(|(_, value)| has_null_metadata(value))
        }
        Json::Array(items) => items.iter().any(has_null_metadata),
        _ => false,
    }
}

fn metadata(value: &Json) -> Result<JsonObject, Failure> {
    JsonObject::parse(&value.to_string()).map_err(text)
}

fn json(value: &Json) -> Result<agentspan_model::agentspec::Json, Failure> {
    agentspan_model::agentspec::Json::parse(&value.to_string()).map_err(text)
}

/// The value of a field of a spec: its components are built, its secrets are as the spec says, and the rest is
/// as the reference's classes made it, which turn an integer into a float, or nothing into an empty list.
fn value_of(
    spec: &Json,
    dumped: &Json,
    components: &Components,
) -> Result<ComponentValue, Failure> {
    let component = match spec.member("$ref").and_then(Json::as_str) {
        Some(name) => Some(components.spec(name)?),
        None => is_component(spec).then_some(spec),
    };
    match (component, spec, dumped) {
        (Some(spec), _, _) if !is_dump_of(spec, dumped) => {
            let same_id = Component::from_json(&dumped.to_string()).map_err(text)?;
            Ok(ComponentValue::Component(same_id))
        }
        (Some(spec), _, _) => build(spec, dumped, components).map(ComponentValue::Component),
        (None, Json::Array(specs), Json::Array(items)) if specs.len() == items.len() => {
            let values = specs.iter().zip(items);
            let values = values.map(|(spec, dumped)| value_of(spec, dumped, components));
            Ok(ComponentValue::List(values.collect::<Result<_, _>>()?))
        }
        _ => {
            let is_secret = dumped.member("$component_ref").is_some();
            let value = if is_secret { spec } else { dumped };
            json(value).map(ComponentValue::Json)
        }
    }
}

/// Whether a dump is that of the spec. Of components with the same id, the reference dumps the first for all.
fn is_dump_of(spec: &Json, dumped: &Json) -> bool {
    let name = spec
        .member("fields")
        .and_then(|fields| fields.member("name"));
    spec.member("$class") == dumped.member("component_type") && name == dumped.member("name")
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
            let members = members.iter_mut();
            for (_, value) in members.filter(|(name, _)| !is_free_content(name)) {
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
