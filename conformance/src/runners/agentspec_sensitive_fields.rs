//! `agentspec_sensitive_fields.json`: the classes of the reference, their fields, and which are sensitive.

use agentspan_model::agentspec::{
    Component, Disclosure, Event, MASK, ProblemKind, ReadError, Span, is_secret_field,
};
use serde::Deserialize;

use super::agentspec::text;
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct AgentspecSensitiveFields;

impl Runner for AgentspecSensitiveFields {
    fn file_stem(&self) -> &'static str {
        "agentspec_sensitive_fields"
    }

    fn run(&self, case: &Case) -> Outcome {
        let Input {} = case.input()?;
        let list = |name: &str| {
            case.expected
                .member(name)
                .and_then(Json::as_array)
                .unwrap_or_default()
        };
        let all = list("components");
        let components = all.iter().map(|class| component(&Class::read(class)?, all));
        let events = list("events")
            .iter()
            .map(|class| traced::<Event>(&Class::read(class)?));
        let spans = list("spans")
            .iter()
            .map(|class| traced::<Span>(&Class::read(class)?));
        Ok(Json::Object(vec![
            (
                "components".into(),
                Json::Array(components.collect::<Result<_, Failure>>()?),
            ),
            (
                "events".into(),
                Json::Array(events.collect::<Result<_, Failure>>()?),
            ),
            (
                "spans".into(),
                Json::Array(spans.collect::<Result<_, Failure>>()?),
            ),
            ("pii_mask".into(), Json::String(MASK.into())),
        ]))
    }

    /// What our types have no counterpart for, because it is about Python: what components are made of
    /// beyond their secrets, and how classes are declared.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            ignored: &[
                "plain_models",
                "current_agentspec_version",
                "*.*.abstract",
                "*.*.in_builtin_class_map",
                "*.*.dump_fields",
                "events.*.bases",
                "spans.*.bases",
                "components.*.fields.*.required",
                "*.*.fields.*.type",
                "*.*.fields.*.marker_in_annotation",
                "*.*.fields.*.excluded",
                "*.*.fields.*.frozen",
                "components.*.fields.*.default",
                "*.*.fields.*.default_factory",
                "*.*.fields.*.default_repr",
            ],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[Predicate {
            name: "sensitive_mark_inside_of_an_optional",
            applies: |case| mark_all(&mut case.expected.clone()),
            instead: |_, expected| {
                mark_all(expected);
            },
        }]
    }
}

/// Makes each field sensitive that is declared as such, and says whether there were any that were not.
fn mark_all(expected: &mut Json) -> bool {
    let mut found = false;
    let components = expected
        .member_mut("components")
        .and_then(Json::as_array_mut);
    for class in components.into_iter().flatten() {
        let fields = class.member_mut("fields").and_then(Json::as_array_mut);
        for field in fields.into_iter().flatten() {
            let is_marked = field.member("marker_in_annotation") == Some(&Json::Bool(true));
            let sensitive = field.member_mut("sensitive").filter(|_| is_marked);
            if let Some(sensitive @ Json::Bool(false)) = sensitive {
                *sensitive = Json::Bool(true);
                found = true;
            }
        }
    }
    found
}

/// The case has no input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {}

struct Class {
    name: String,
    bases: Vec<String>,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    /// The Python annotation.
    annotation: String,
}

impl Class {
    fn read(class: &Json) -> Result<Self, Failure> {
        let text = |json: &Json, name: &str| {
            let text = json.member(name).and_then(Json::as_str);
            text.map(str::to_owned)
                .ok_or_else(|| Failure::from(format!("no {name}")))
        };
        let list = |name: &str| {
            class
                .member(name)
                .and_then(Json::as_array)
                .unwrap_or_default()
        };
        let field = |field: &Json| {
            Ok(Field {
                name: text(field, "name")?,
                annotation: text(field, "type")?,
            })
        };
        Ok(Self {
            name: text(class, "class")?,
            bases: list("bases")
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            fields: list("fields")
                .iter()
                .map(field)
                .collect::<Result<_, Failure>>()?,
        })
    }
}

/// What we know of a component class: what it derives from, and its secrets.
fn component(class: &Class, all: &[Json]) -> Outcome {
    let sample = Component::builder(class.name.as_str(), "")
        .with_id("")
        .build();
    let derives = |base: &str| base != class.name && sample.is_a(base) == Some(true);
    let mut bases: Vec<&str> = class.bases.iter().map(String::as_str).collect();
    bases.retain(|base| derives(base));
    // Bases that the reference does not have would show as surplus.
    let names = all
        .iter()
        .filter_map(|class| class.member("class")?.as_str());
    let surplus =
        names.filter(|name| derives(name) && !class.bases.iter().any(|base| base == name));
    bases.extend(surplus);
    let fields = class.fields.iter().map(|field| {
        serde_json::json!({
            "name": field.name,
            "sensitive": is_secret_field(&class.name, &field.name),
        })
    });
    let fields: Vec<_> = fields.collect();
    Ok(serde_json::json!({"class": class.name, "bases": bases, "fields": fields}).into())
}

/// An event or a span.
trait Traced: Sized {
    fn from_json(text: &str) -> Result<Self, ReadError>;
    fn dump(&self, disclosure: Disclosure) -> Result<Json, Failure>;
    /// Whether it has details of a type that the model knows.
    fn is_known(&self) -> bool;
}

impl Traced for Event {
    fn from_json(text: &str) -> Result<Self, ReadError> {
        Self::from_json(text)
    }

    fn dump(&self, disclosure: Disclosure) -> Result<Json, Failure> {
        Ok(Json::of(&self.dump(disclosure))?)
    }

    fn is_known(&self) -> bool {
        !matches!(
            self.details,
            agentspan_model::agentspec::EventDetails::Other(_)
        )
    }
}

impl Traced for Span {
    fn from_json(text: &str) -> Result<Self, ReadError> {
        Self::from_json(text)
    }

    fn dump(&self, disclosure: Disclosure) -> Result<Json, Failure> {
        Ok(Json::of(&self.dump(disclosure))?)
    }

    fn is_known(&self) -> bool {
        !matches!(
            self.details,
            agentspan_model::agentspec::SpanDetails::Other(_)
        )
    }
}

/// What we know of a class of events or spans, found out with a sample: its fields in the order of the
/// dump, which of them are masked, and which must be there.
fn traced<T: Traced>(class: &Class) -> Outcome {
    let sample: Vec<_> = class
        .fields
        .iter()
        .map(|field| Ok((field.name.clone(), sample_of(&field.annotation)?)))
        .collect::<Result<_, Failure>>()?;
    let read = read_sample::<T>(class, sample.clone()).map_err(text)?;
    if !read.is_known() {
        return Err(format!("the model does not know {}", class.name).into());
    }
    let masked = read.dump(Disclosure::Masked)?;
    let Json::Object(members) = read.dump(Disclosure::Clear)? else {
        return Err("a dump is an object".into());
    };
    let mut fields = Vec::new();
    for (name, _) in members.iter().filter(|(name, _)| name != "type") {
        let without = sample.iter().filter(|(other, _)| other != name).cloned();
        let without = read_sample::<T>(class, without.collect());
        let mut field = vec![
            ("name".into(), Json::String(name.clone())),
            (
                "sensitive".into(),
                Json::Bool(masked.member(name).and_then(Json::as_str) == Some(MASK)),
            ),
        ];
        // Ids and timestamps are made by whoever makes the event; in a dump they are there.
        let is_made = matches!(name.as_str(), "id" | "timestamp");
        let is_required = !is_made && without.as_ref().is_err_and(misses_something);
        field.push(("required".into(), Json::Bool(is_required)));
        if !is_required && !is_made {
            let mut default = without.map_err(text)?.dump(Disclosure::Clear)?;
            let default = default.take_member(name).unwrap_or(Json::Null);
            // The reference has no default for the name, and fills in that of the class later.
            let is_class = name == "name" && default.as_str() == Some(&class.name);
            field.push((
                "default".into(),
                if is_class { Json::Null } else { default },
            ));
        }
        fields.push(Json::Object(field));
    }
    let class = ("class".into(), Json::String(class.name.clone()));
    Ok(Json::Object(vec![
        class,
        ("fields".into(), Json::Array(fields)),
    ]))
}

fn read_sample<T: Traced>(class: &Class, mut members: Vec<(String, Json)>) -> Result<T, ReadError> {
    members.push(("type".into(), Json::String(class.name.clone())));
    T::from_json(&Json::Object(members).to_string())
}

fn misses_something(error: &ReadError) -> bool {
    let mut problems = error.problems().iter();
    problems.any(|problem| problem.kind == ProblemKind::Missing)
}

/// A value that a Python annotation allows.
fn sample_of(annotation: &str) -> Result<Json, Failure> {
    let value = match annotation {
        "str" => serde_json::json!("text"),
        "int" => serde_json::json!(1),
        "bool" => serde_json::json!(true),
        // Not null: one of the states of a snapshot must be there.
        "Optional[Dict[str, Any]]" => serde_json::json!({"k": "v"}),
        optional if optional.starts_with("Optional[") => serde_json::Value::Null,
        list if list.starts_with("List[") => serde_json::json!([]),
        dict if dict.to_lowercase().starts_with("dict[") => serde_json::json!({}),
        component => {
            let class = component.rsplit('.').next().unwrap_or_default();
            serde_json::json!({"id": "c", "name": "c", "component_type": class})
        }
    };
    Ok(value.into())
}
