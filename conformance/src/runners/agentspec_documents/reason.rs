//! Why a document is refused, in the words of the vectors.

use agentspan_model::agentspec::{PathSegment, Problem, ProblemKind, ReadError, YamlFault};

use super::{object, string};
use crate::Json;

/// The class of the reason why an outcome is a refusal, as it says it.
pub(super) fn said_class(outcome: &Json) -> Option<&str> {
    outcome.member("reason")?.member("class")?.as_str()
}

/// The class of the reason why an outcome is a refusal.
pub(super) fn class_of(outcome: &Json) -> Option<&str> {
    match said_class(outcome)? {
        "wrong_component_class" => Some("not_a_component"),
        class => Some(class),
    }
}

/// The reason of an error: the class of its first problem, with all ids of problems of that class. The
/// reference stops at the first problem that it finds, so that of several the expected one counts.
pub(super) fn of(error: &ReadError, expected: &Json) -> Json {
    let problems = error.problems();
    let expected_class = class_of(expected);
    let is_expected = |problem: &&Problem| expected_class == Some(class_of_problem(problem));
    let counted = problems.iter().find(is_expected).or(problems.first());
    let Some(class) = counted.map(class_of_problem) else {
        return Json::Null;
    };
    let mut members = vec![("class", string(class))];
    let same = problems
        .iter()
        .filter(|problem| class_of_problem(problem) == class);
    let mut ids: Vec<&str> = same.filter_map(|problem| id(&problem.kind)).collect();
    if ["cycle", "duplicate_id", "reference_not_yet_listed"].contains(&class) {
        let named = ids_of(expected);
        if !named.is_empty() && named.iter().all(|id| ids.contains(id)) {
            ids = named;
        }
    }
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

fn ids_of(outcome: &Json) -> Vec<&str> {
    let reason = outcome.member("reason");
    let ids = reason.and_then(|reason| reason.member("ids")?.as_array());
    let ids = ids.unwrap_or_default().iter();
    ids.filter_map(Json::as_str).collect()
}

fn class_of_problem(problem: &Problem) -> &'static str {
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
        // One notices that the class is wrong, the other that there is none.
        ProblemKind::WrongComponent { .. } => "not_a_component",
        ProblemKind::UnknownVersion { .. } => "unknown_version",
        ProblemKind::OnlyAList => "only_a_listing",
        ProblemKind::MoreThanAList => "more_than_a_listing",
        ProblemKind::TooDeep => "too_deep",
        ProblemKind::Missing if is(&problem.path, "$referenced_components") => "no_listing",
        ProblemKind::Missing | ProblemKind::WrongType { .. }
            if is(&problem.path, "component_type") =>
        {
            "not_a_component"
        }
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
            "class" if class == "wrong_component_class" => *value = string("not_a_component"),
            "ids" => {
                if let Some(ids) = value.as_array_mut() {
                    // What stands in the place of an id and is no text has none.
                    ids.retain(|id| !is_no_text(id.as_str().unwrap_or_default()));
                    ids.sort_by_key(ToString::to_string);
                    ids.dedup();
                }
            }
            "value" => *value = string(&plain(value.as_str().unwrap_or_default())),
            _ => {}
        }
    }
}

/// Whether the text of an id could be that of a value of another type.
pub(super) fn is_no_text(id: &str) -> bool {
    ["null", "true", "false"].contains(&id) || id.parse::<f64>().is_ok()
}

/// A value of Python as JSON says it, without quotes, and nothing of one that is not simple.
fn plain(repr: &str) -> String {
    let inner = repr
        .strip_prefix('\'')
        .and_then(|repr| repr.strip_suffix('\''));
    let text = inner.unwrap_or(repr);
    let is_simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    match text {
        "None" => "null".into(),
        "True" => "true".into(),
        "False" => "false".into(),
        "inf" => "Infinity".into(),
        "-inf" => "-Infinity".into(),
        "nan" => "NaN".into(),
        _ if text.contains(|c| !is_simple(c)) => "a value".into(),
        _ => text.into(),
    }
}
