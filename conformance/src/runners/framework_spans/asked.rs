//! The facts of a scenario that its spans are asked for.

use serde_json::Value;

/// One fact: where it stands, and what it is.
pub(super) struct Fact {
    /// `["calls", "0", "usage", "input"]`.
    pub(super) place: Vec<String>,
    pub(super) value: Value,
}

/// Of what the endpoint knows and no convention has a place for.
const NOT_OF_SPANS: &[&str] = &[
    "api",
    "output_type",
    "content_recorded",
    "tools_have_spans",
    "caller_span",
    "sub_agent",
    // Other members say the same: `uri`, `arguments`, `response`.
    "type",
    "modality",
];

/// All facts but those that the spans do not contain.
pub(super) fn facts(told: &Value, not_in_spans: &[String]) -> Vec<Fact> {
    if not_in_spans
        .iter()
        .any(|path| path.starts_with("everything"))
    {
        return Vec::new();
    }
    let mut facts = Vec::new();
    collect(told, &mut Vec::new(), &mut facts);
    facts.retain(|fact| {
        let is_of_spans = |member: &String| !NOT_OF_SPANS.contains(&&**member);
        // What was not sent says nothing of what a source makes of it.
        !fact.value.is_null()
            && fact.place.iter().all(is_of_spans)
            && !not_in_spans.contains(&fact.path())
    });
    // Of a message that is lost, nobody is asked who said it.
    let is_lost = |message: &str| not_in_spans.iter().any(|path| path.starts_with(message));
    facts.retain(|fact| match fact.path().strip_suffix("role") {
        Some(message) => !is_lost(message),
        None => true,
    });
    facts
}

fn collect(value: &Value, place: &mut Vec<String>, facts: &mut Vec<Fact>) {
    let mut member = |name: String, value: &Value| {
        place.push(name);
        collect(value, place, facts);
        place.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, v)| member(name.clone(), v)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| member(index.to_string(), item));
        }
        value => facts.push(Fact {
            place: place.clone(),
            value: value.clone(),
        }),
    }
}

impl Fact {
    /// `calls[0].usage.input`, as `not_in_spans` has it.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for member in &self.place {
            if member.bytes().all(|byte| byte.is_ascii_digit()) {
                path += &format!("[{member}]");
            } else {
                if !path.is_empty() {
                    path.push('.');
                }
                path += member;
            }
        }
        path
    }

    pub(super) fn name(&self) -> &str {
        self.place.last().map(String::as_str).unwrap_or_default()
    }

    pub(super) fn is_in(&self, member: &str) -> bool {
        self.place.iter().any(|found| found == member)
    }

    /// JSON in texts is compared as JSON; an error's text may have more around it.
    pub(super) fn agrees_with(&self, found: &Value) -> bool {
        if self.is_in("error") {
            return found
                .as_str()
                .is_some_and(|text| text.contains(&plain(&self.value)))
                || *found == self.value;
        }
        match (number(found), number(&self.value)) {
            (Some(a), Some(b)) => a == b,
            _ => unwrapped(found) == unwrapped(&self.value),
        }
    }

    /// Whether a span that does not say it says the same.
    pub(super) fn is_told_by_absence(&self) -> bool {
        let is_small = number(&self.value).is_some_and(|number| number.abs() < 10.0);
        is_small || self.name() == "role" || self.value.is_boolean()
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

/// A text without quotes around it, any other value as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn unwrapped(value: &Value) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
            _ => value.clone(),
        },
        value => value.clone(),
    }
}
