//! Why a document is refused, in the words of the vectors.

use agentspan_model::agentspec::{PathSegment, Problem, ProblemKind, ReadError, YamlFault};

use super::{object, string};
use crate::Json;

/// The reason of an error: the class of its first problem, with all ids of problems of that class.
pub(super) fn of(error: &ReadError) -> Json {
    let problems = error.problems();
    let Some(class) = problems.first().map(class) else {
        return Json::Null;
    };
    let mut members = vec![("class", string(class))];
    let same = problems
        .iter()
        .filter(|problem| self::class(problem) == class);
    let ids: Vec<&str> = same.filter_map(|problem| id(&problem.kind)).collect();
    if !ids.is_empty() {
        members.push(("ids", Json::Array(ids.into_iter().map(string).collect())));
    }
    match problems.first().map(|problem| &problem.kind) {
        Some(ProblemKind::UnknownVersion { version }) => members.push(("value", string(version))),
        Some(ProblemKind::Yaml { position, .. }) => {
            let number = |number: usize| Json::from(serde_json::Value::from(number));
            members.push(("line", number(position.line)));
            members.push(("column", number(position.column)));
        }
        _ => {}
    }
    object(members)
}

fn class(problem: &Problem) -> &'static str {
    match &problem.kind {
        ProblemKind::Syntax { .. } => "not_json",
        ProblemKind::Yaml { fault, .. } => match fault {
            YamlFault::Syntax(_) => "not_yaml",
            YamlFault::SecondDocument => "several_documents",
            YamlFault::Tag | YamlFault::Key | YamlFault::Alias => "yaml_tag_or_alias",
            _ => "too_large",
        },
        ProblemKind::MissingReference { .. } => "missing_reference",
        ProblemKind::ListedLater { .. } => "reference_not_yet_listed",
        ProblemKind::ListedTwice { .. } => "duplicate_id",
        ProblemKind::CircularReference { .. } => "cycle",
        ProblemKind::WrongComponent { .. } => "wrong_component_class",
        ProblemKind::UnknownVersion { .. } => "unknown_version",
        ProblemKind::OnlyAList => "only_a_listing",
        ProblemKind::MoreThanAList => "more_than_a_listing",
        ProblemKind::TooDeep => "too_deep",
        ProblemKind::Missing if is(&problem.path, "$referenced_components") => "no_listing",
        ProblemKind::Missing if is(&problem.path, "component_type") => "not_a_component",
        ProblemKind::Missing => "missing_member",
        ProblemKind::WrongType { expected } if *expected == "a component" => "not_a_component",
        ProblemKind::WrongType { .. } => "wrong_type",
        _ => "invalid_value",
    }
}

fn is(path: &[PathSegment], member: &str) -> bool {
    matches!(path.last(), Some(PathSegment::Member(name)) if name == member)
}

fn id(kind: &ProblemKind) -> Option<&str> {
    match kind {
        ProblemKind::MissingReference { reference }
        | ProblemKind::ListedLater { reference }
        | ProblemKind::ListedTwice { reference, .. }
        | ProblemKind::CircularReference { reference } => Some(reference),
        _ => None,
    }
}

/// Leaves out the reference's own words, and what only its reader of JSON counts.
pub(super) fn normalize(outcome: &mut Json) {
    let Some(Json::Object(members)) = outcome.member_mut("reason") else {
        return;
    };
    let class = members.iter().find(|(name, _)| name == "class");
    let class = class
        .and_then(|(_, class)| class.as_str())
        .unwrap_or_default()
        .to_owned();
    let kept: &[&str] = match class.as_str() {
        "missing_reference" | "reference_not_yet_listed" | "duplicate_id" | "cycle" => {
            &["class", "ids"]
        }
        "unknown_version" => &["class", "value"],
        "not_yaml" | "yaml_tag_or_alias" | "several_documents" => &["class", "line", "column"],
        _ => &["class"],
    };
    members.retain(|(name, _)| kept.contains(&name.as_str()));
    for (name, value) in members {
        match name.as_str() {
            // One notices that the class is wrong, the other that there is none.
            "class" if class == "wrong_component_class" => *value = string("not_a_component"),
            "ids" => {
                if let Some(ids) = value.as_array_mut() {
                    // What stands in the place of an id and is no text has none.
                    ids.retain(|id| !is_no_text(id.as_str().unwrap_or_default()));
                    ids.sort_by_key(ToString::to_string);
                }
            }
            "value" => *value = string(&plain(value.as_str().unwrap_or_default())),
            _ => {}
        }
    }
}

fn is_no_text(id: &str) -> bool {
    ["null", "true", "false"].contains(&id) || id.parse::<f64>().is_ok()
}

/// A value of Python as JSON says it, without quotes.
fn plain(repr: &str) -> String {
    match repr {
        "None" => "null".into(),
        "True" => "true".into(),
        "False" => "false".into(),
        _ => {
            let inner = repr
                .strip_prefix('\'')
                .and_then(|repr| repr.strip_suffix('\''));
            inner.unwrap_or(repr).to_owned()
        }
    }
}
