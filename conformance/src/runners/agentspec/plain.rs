//! Specs as plain JSON, for objects that the reference refuses and Rust's types do not let us make.

use agentspan_model::agentspec::Component;
use serde::{Serialize, Serializer};

use super::Components;
use crate::{Failure, Json};

/// What a spec would look like in a dump that nobody has checked.
pub(in crate::runners) fn plain(spec: &Json, components: &Components) -> Result<Json, Failure> {
    if let Some(name) = spec.member("$ref").and_then(Json::as_str) {
        return plain(components.spec(name)?, components);
    }
    match spec {
        Json::Array(items) => {
            let items = items.iter().map(|item| plain(item, components));
            Ok(Json::Array(items.collect::<Result<_, _>>()?))
        }
        Json::Object(_) if spec.member("$class").is_some() => object(spec, components),
        Json::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(name, value)| Ok((name.clone(), plain(value, components)?)));
            Ok(Json::Object(members.collect::<Result<_, Failure>>()?))
        }
        other => Ok(other.clone()),
    }
}

fn object(spec: &Json, components: &Components) -> Result<Json, Failure> {
    let class = spec
        .member("$class")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let fields = spec.member("fields").ok_or("a spec has fields")?;
    let Json::Object(mut members) = plain(fields, components)? else {
        return Err("the fields of a spec are an object".into());
    };
    if is_component(spec) {
        if fields.member("id").is_none() {
            members.push(("id".into(), Json::String("made up".into())));
        }
        members.push(("component_type".into(), Json::String(class.into())));
    }
    Ok(Json::Object(members))
}

/// Whether the class of a spec is one of components.
pub(in crate::runners) fn is_component(spec: &Json) -> bool {
    let class = spec.member("$class").and_then(Json::as_str);
    class.is_some_and(|class| {
        let sample = Component::builder(class, "").with_id("").build();
        sample.is_a("Component") == Some(true)
    })
}

/// A value in which `{"$float": "nan"}` and the like are numbers.
pub(in crate::runners) struct NotFinite<'a>(pub(in crate::runners) &'a Json);

impl Serialize for NotFinite<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let float = self.0.member("$float").and_then(Json::as_str);
        match (float, self.0) {
            (Some(text), _) => serializer.serialize_f64(text.parse().unwrap_or(f64::NAN)),
            (None, Json::Object(members)) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, NotFinite(value))))
            }
            (None, Json::Array(items)) => serializer.collect_seq(items.iter().map(NotFinite)),
            (None, other) => other.serialize(serializer),
        }
    }
}
