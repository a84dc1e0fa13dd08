//! What our baggage builder takes.

use serde_json::Value;

use super::Form;
use super::scopes::AGENT_TYPE;
use crate::live_baggage::has_text;
use crate::typed_value::TypedPairs;

/// Whether the arguments of a setter of the reference's builder have forms in Rust.
pub(crate) fn baggage_call_fits(setter: &str, args: &[Value]) -> bool {
    let forms: &[Form] = match setter {
        "set_pairs" => &[Form::Any, Form::Optional(&Form::Where(are_pairs))],
        "custom_attribute" => &[Form::Text, Form::OPTIONAL_TEXT],
        "custom_attributes" => &[Form::Any, Form::Optional(&Form::Where(are_pairs))],
        "agent_type" => &[Form::Optional(&AGENT_TYPE)],
        "invoke_agent_server" => &[Form::OPTIONAL_TEXT, Form::Optional(&Form::Port)],
        _ => &[Form::OPTIONAL_TEXT],
    };
    forms.iter().zip(args).all(|(form, arg)| form.takes(arg))
}

fn are_pairs(value: &Value) -> bool {
    let pairs = serde_json::from_value::<TypedPairs>(value.clone());
    pairs.is_ok_and(|pairs| pairs.iter().all(|(_, value)| has_text(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn setters_take_texts_types_and_ports() {
        assert!(baggage_call_fits("user_id", &[json!(null)]));
        assert!(!baggage_call_fits("user_id", &[json!(5)]));
        assert!(baggage_call_fits(
            "agent_type",
            &[json!({"enum": "FOUNDRY"})]
        ));
        assert!(!baggage_call_fits("agent_type", &[json!(5)]));
        assert!(baggage_call_fits(
            "invoke_agent_server",
            &[json!("h"), json!(1)]
        ));
        assert!(!baggage_call_fits(
            "invoke_agent_server",
            &[json!("h"), json!(65_536)]
        ));
        let big = json!([["k", {"array": [{"bigint": "1"}]}]]);
        assert!(!baggage_call_fits("set_pairs", &[json!("dict"), big]));
        let usual = json!([["k", {"bigint": "1"}]]);
        assert!(baggage_call_fits("set_pairs", &[json!("dict"), usual]));
    }
}
