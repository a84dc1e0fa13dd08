//! Which inputs have a form in Rust, told from the inputs alone.
//!
//! Our types take less than Python's functions do: a text where a text belongs, ids that are ids, integers of
//! 64 bits. The tables here say so once more, beside the types, so that a rule about refusals does not ask
//! whoever refuses. What is missing, and names that nobody knows, are no matter of form.

mod baggage;
mod scopes;

use serde_json::{Map, Value};

use crate::export_input::has_rust_form;
use crate::live_scope::unix_nanos;
use crate::typed_value::TypedPairs;

pub(crate) use self::baggage::baggage_call_fits;
pub(crate) use self::scopes::{arguments_fit, method_fits};

/// What a value must be like to be a value of Rust.
#[derive(Clone, Copy)]
enum Form {
    Any,
    Text,
    Flag,
    Number,
    Integer,
    Port,
    /// The id of a tenant or an agent.
    Id,
    /// A URL of which only host and port count.
    Url,
    Time,
    /// Pairs of keys and typed values.
    Attributes,
    /// The form, or null.
    Optional(&'static Self),
    List(&'static Self),
    /// An object all of whose values have the form.
    Map(&'static Self),
    /// An object whose members have these forms, if they are there.
    Object(&'static [(&'static str, Self)]),
    /// Any of these.
    OneOf(&'static [Self]),
    /// What no table says.
    Where(fn(&Value) -> bool),
}

impl Form {
    const OPTIONAL_TEXT: Self = Self::Optional(&Self::Text);

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64(),
            Self::Port => value.as_u64().is_some_and(|port| port <= 65_535),
            Self::Id => value.as_str().is_some_and(is_id),
            Self::Url => value.as_str().is_some_and(has_host_if_port),
            Self::Time => value.as_str().is_some_and(is_since_epoch),
            Self::Attributes => are_attributes(value),
            Self::Optional(form) => value.is_null() || form.takes(value),
            Self::List(form) => {
                let items = value.as_array();
                items.is_some_and(|items| items.iter().all(|item| form.takes(item)))
            }
            Self::Map(form) => {
                let members = value.as_object();
                members.is_some_and(|members| members.values().all(|value| form.takes(value)))
            }
            Self::Object(forms) => value.as_object().is_some_and(|members| {
                let mut forms = forms.iter();
                forms.all(|(name, form)| form.takes_member(members, name))
            }),
            Self::OneOf(forms) => forms.iter().any(|form| form.takes(value)),
            Self::Where(holds) => holds(value),
        }
    }

    fn takes_member(self, members: &Map<String, Value>, name: &str) -> bool {
        members.get(name).is_none_or(|value| self.takes(value))
    }
}

/// Whether a text can be the id of a tenant or an agent: it can be seen, and stays in its place in a URL.
pub(crate) fn is_id(text: &str) -> bool {
    let is_invisible = |c: char| {
        let code = u32::from(c);
        c.is_control()
            || (0x200b..=0x200f).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2060..=0x2069).contains(&code)
            || code == 0xfeff
    };
    (1..=256).contains(&text.len())
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !["..", "."].contains(&text)
        && !text
            .chars()
            .any(|c| r"/\?#%".contains(c) || is_invisible(c))
}

/// A URL whose port is one, and that names a host if it names a port.
pub(crate) fn has_host_if_port(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("//") else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let after_literal = place.rsplit(']').next().unwrap_or_default();
    let Some((host, port)) = after_literal.split_once(':') else {
        return true;
    };
    let has_host = !host.is_empty() || place.contains(']');
    let is_port = port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok();
    port.is_empty() || has_host && is_port
}

/// A time that our times reach: unsigned nanoseconds from 1970 on. What is no time at all is not for a rule
/// to excuse.
fn is_since_epoch(text: &str) -> bool {
    let is_beyond = text < "1970-01-02" || ("2554"..":").contains(&text);
    unix_nanos(text).is_some() || !is_beyond
}

fn are_attributes(value: &Value) -> bool {
    let pairs = serde_json::from_value::<TypedPairs>(value.clone());
    pairs.is_ok_and(|pairs| pairs.iter().all(|(_, value)| has_rust_form(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(form: Form, taken: &[Value], refused: &[Value]) {
        let not_taken = taken.iter().find(|value| !form.takes(value));
        assert_eq!(not_taken, None, "is to be taken");
        let not_refused = refused.iter().find(|value| form.takes(value));
        assert_eq!(not_refused, None, "is to be refused");
    }

    #[test]
    fn numbers_are_of_their_kind_and_size() {
        let beyond = json!(9_223_372_036_854_775_808_u64);
        let integers = [json!(0), json!(i64::MIN)];
        check(
            Form::Integer,
            &integers,
            &[json!(1.0), json!(true), json!("1"), json!(null), beyond],
        );
        check(
            Form::Port,
            &[json!(0), json!(65_535)],
            &[json!(-1), json!(65_536), json!("1")],
        );
    }

    #[test]
    fn ids_can_be_seen_and_stay_in_their_place() {
        let usual = ["a", "a b", "tenant.1", "agént", "e3064512-cc6d"].map(|id| json!(id));
        let long = "a".repeat(257);
        let odd = [
            "", " ", " a", "a\u{a0}", ".", "..", "a/b", "a\\b", "a?", "#", "%2e", "a\nb",
            "\u{200b}", "\u{202e}", "\u{2060}", "\u{feff}", "\u{85}", &long,
        ];
        check(Form::Id, &usual, &odd.map(|id| json!(id)));
    }

    #[test]
    fn a_port_is_one_and_has_a_host() {
        let usual = [
            "https://a",
            "https://a:",
            "https://u:p@a:1/x:y",
            "a",
            "//:",
            "//[::1]:1",
            "https://[::1]",
        ];
        let odd = [
            "https://:1",
            "//u@:1",
            "https://a:x",
            "https://a:65536",
            "https://a:+1",
            "https://a:-1",
        ];
        check(
            Form::Url,
            &usual.map(|url| json!(url)),
            &odd.map(|url| json!(url)),
        );
    }

    #[test]
    fn times_are_those_that_nanoseconds_reach() {
        let usual = ["1970-01-01T00:00:00Z", "2025-06-01T12:00:00+00:00", "soon"];
        let odd = [
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "2600-01-01T00:00:00Z",
        ];
        check(
            Form::Time,
            &usual.map(|time| json!(time)),
            &odd.map(|time| json!(time)),
        );
    }

    #[test]
    fn members_have_their_forms_and_others_do_not_matter() {
        const FORM: Form = Form::Object(&[("a", Form::OPTIONAL_TEXT), ("b", Form::Flag)]);
        check(
            FORM,
            &[
                json!({}),
                json!({"a": null, "b": true}),
                json!({"a": "x", "c": 5}),
            ],
            &[json!(null), json!([]), json!({"a": 5}), json!({"b": null})],
        );
    }

    #[test]
    fn attributes_have_values_that_spans_hold() {
        check(
            Form::Attributes,
            &[json!([]), json!([["k", {"int": 1}], ["", {"array": []}]])],
            &[
                json!([["k", {"null": true}]]),
                json!([["k", {"bigint": "9"}]]),
                json!([[5, {"int": 1}]]),
                json!(null),
            ],
        );
    }
}
