//! Converts values of baggage to text.

use agentspan_model::agent365::{AgentId, AgentType, ClientAddress, TenantId, python_float_text};
use serde_json::Value;

use crate::python_text::value_text;

/// A value for a baggage entry.
///
/// Implemented for texts, ids, numbers, booleans and optional values; `None` sets nothing. Other
/// values than texts are written as the reference writes them (`True`, `1.5`, `1e+16`,
/// `{'a': None}`), so that both produce the same attribute.
pub trait BaggageText {
    /// The text, or `None` if there is nothing to set.
    fn into_baggage_text(self) -> Option<String>;
}

macro_rules! baggage_text {
    ($($type:ty, $value:ident => $text:expr;)*) => {
        $(impl BaggageText for $type {
            fn into_baggage_text(self) -> Option<String> {
                let $value = self;
                Some($text)
            }
        })*
    };
}

baggage_text! {
    &str, text => text.to_owned();
    String, text => text;
    &String, text => text.clone();
    TenantId, id => id.into();
    &TenantId, id => id.as_str().to_owned();
    AgentId, id => id.into();
    &AgentId, id => id.as_str().to_owned();
    AgentType, agent_type => agent_type.into();
    &AgentType, agent_type => agent_type.as_str().to_owned();
    ClientAddress, address => address.into();
    &ClientAddress, address => address.as_str().to_owned();
    i32, number => number.to_string();
    u32, number => number.to_string();
    i64, number => number.to_string();
    u64, number => number.to_string();
    f64, number => python_float_text(number);
    bool, flag => if flag { "True" } else { "False" }.to_owned();
}

impl<T: BaggageText> BaggageText for Option<T> {
    fn into_baggage_text(self) -> Option<String> {
        self.and_then(T::into_baggage_text)
    }
}

impl BaggageText for &Value {
    fn into_baggage_text(self) -> Option<String> {
        (!self.is_null()).then(|| value_text(self))
    }
}
