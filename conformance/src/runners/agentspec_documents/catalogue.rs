//! The classes of the reference: their members in the order of a dump, with types and defaults.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Json;

/// A member of a class.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What it is in a dump if a document does not say it.
    pub(super) default: Json,
}

/// What of a type matters to a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Integer,
    Float,
    List(Box<Self>),
    Dict(Box<Self>),
    /// A plain model, by its name.
    Model(String),
    /// Text, schemas, components, anything.
    Other,
}

/// The members of each class, and of each plain model, in the order of a dump.
static CATALOGUE: LazyLock<HashMap<String, Vec<Member>>> = LazyLock::new(|| {
    const VECTOR: &str = include_str!("../../../vectors/agentspec_sensitive_fields.json");
    read(VECTOR).unwrap_or_default()
});

/// The members of a class or a plain model, if the reference has it.
pub(super) fn members(class: &str) -> Option<&'static [Member]> {
    CATALOGUE.get(class).map(Vec::as_slice)
}

pub(super) fn has(class: &str, member: &str) -> bool {
    members(class).is_some_and(|members| members.iter().any(|known| known.name == member))
}

fn read(vector: &str) -> Option<HashMap<String, Vec<Member>>> {
    let file = Json::parse(vector).ok()?;
    let expected = file
        .member("cases")?
        .as_array()?
        .first()?
        .member("expected")?;
    let list = |name: &str| expected.member(name)?.as_array();
    let classes = list("components")?.iter().chain(list("plain_models")?);
    let classes = classes.map(|class| {
        let name = class.member("class")?.as_str()?.to_owned();
        let dumped = class.member("dump_fields").and_then(Json::as_array);
        let is_dumped = |field: &Json| {
            // Plain models do not say.
            dumped.is_none_or(|dumped| {
                field
                    .member("name")
                    .is_some_and(|name| dumped.contains(name))
            })
        };
        let fields = class.member("fields")?.as_array()?.iter();
        let fields = fields.filter(|field| is_dumped(field));
        Some((name, fields.map(member).collect::<Option<_>>()?))
    });
    classes.collect()
}

fn member(field: &Json) -> Option<Member> {
    let kind = kind(field.member("type")?.as_str()?);
    let default = match (field.member("default"), &kind) {
        (Some(default), _) => default.clone(),
        // A model of defaults.
        (None, Kind::Model(_)) => Json::Object(Vec::new()),
        (None, _) => Json::Null,
    };
    Some(Member {
        name: field.member("name")?.as_str()?.to_owned(),
        kind,
        default,
    })
}

/// The kind of an annotation of Python.
fn kind(annotation: &str) -> Kind {
    let inside = |name: &str| {
        let inner = annotation.strip_prefix(name)?.strip_prefix('[')?;
        inner.strip_suffix(']')
    };
    if let Some(inner) = inside("Optional") {
        return kind(inner);
    }
    if let Some(inner) = inside("List") {
        return Kind::List(Box::new(kind(inner)));
    }
    if let Some(inner) = inside("Dict") {
        let (_, value) = inner.split_once(", ").unwrap_or_default();
        return Kind::Dict(Box::new(kind(value)));
    }
    match annotation {
        "bool" => Kind::Bool,
        "int" => Kind::Integer,
        "float" => Kind::Float,
        _ => {
            let models = [
                "LlmGenerationConfig",
                "RetryPolicy",
                "SessionParameters",
                "OAuthEndpoints",
                "PKCEPolicy",
                "A2ASessionParameters",
            ];
            let (_, class) = annotation.rsplit_once('.').unwrap_or_default();
            let model = models.into_iter().find(|model| *model == class);
            model.map_or(Kind::Other, |model| Kind::Model(model.to_owned()))
        }
    }
}
