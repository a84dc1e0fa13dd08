//! Calls of the reference's baggage builder, made to ours.

use agentspan_otel::BaggageBuilder;
use agentspan_otel::baggage::{BaggageText, CustomKeyError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::TypedValue;
use crate::live_scope::{Stop, agent_type, keep_last_values};
use crate::typed_value::TypedPairs;

/// A setter of the reference's builder, in either generation, with its arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaggageCall {
    op: String,
    args: Vec<Value>,
}

impl BaggageCall {
    /// Calls the setter.
    ///
    /// # Errors
    ///
    /// [`Stop`] if our builder has no such setter, or no form for an argument.
    pub fn apply(&self, builder: BaggageBuilder) -> Result<BaggageBuilder, Stop> {
        let argument = |at: usize| self.args.get(at).cloned().unwrap_or_default();
        let text = |at| serde_json::from_value::<Option<String>>(argument(at));
        macro_rules! setters {
            ([$($name:ident)*] $($op:literal => $setter:ident,)*) => {
                match format!("with_{}", self.op).as_str() {
                    $(stringify!($name) => builder.$name(text(0)?),)*
                    $(concat!("with_", $op) => builder.$setter(text(0)?),)*
                    op => return Err(Stop::Failed(format!("nobody knows {op:?}").into())),
                }
            };
        }
        let custom = |builder: BaggageBuilder, key: &str, value: Option<String>| {
            let builder = builder.with_custom_attribute(key, value);
            builder.map_err(|error| Stop::Raised {
                class: "ValueError",
                message: match error {
                    CustomKeyError::Blank => "custom baggage key must not be blank",
                    CustomKeyError::Comma => "custom baggage key must not contain commas",
                    _ => "_internal.custom_keys is reserved",
                },
            })
        };
        Ok(match self.op.as_str() {
            "custom_attribute" => {
                let key: String = serde_json::from_value(argument(0))?;
                custom(builder, &key, text(1)?)?
            }
            "custom_attributes" => {
                let mut builder = builder;
                for (key, value) in self.pairs()? {
                    builder = custom(builder, &key, Typed(value).into_baggage_text())?;
                }
                builder
            }
            "set_pairs" => {
                let pairs = self.pairs()?;
                if let Some((_, value)) = pairs.iter().find(|(_, value)| !has_text(value)) {
                    return Err(Stop::Refused(format!("no value of Rust: {value:?}")));
                }
                let pairs = pairs.into_iter();
                builder.with_pairs(pairs.map(|(key, value)| (key, Typed(value))))
            }
            "agent_type" => match argument(0) {
                Value::Null => builder,
                given => builder.with_agent_type(agent_type(given)?),
            },
            "user_client_ip" => builder.with_user_client_ip(text(0)?.as_deref()),
            "invoke_agent_server" => {
                let port: Option<u16> = serde_json::from_value(argument(1))?;
                builder.with_invoke_agent_server(text(0)?, port)
            }
            _ => setters!(
                [
                    with_operation_source with_tenant_id with_agent_id with_agent_auid
                    with_agent_upn with_agent_blueprint_id with_correlation_id with_caller_id
                    with_hiring_manager_id with_agent_name with_agent_description with_agent_version
                    with_caller_name with_caller_upn with_user_id with_user_name with_user_email
                    with_conversation_id with_conversation_item_link with_session_id
                    with_session_description with_channel_name with_source_metadata_id
                    with_source_metadata_name with_source_metadata_description
                ]
                "agentic_user_id" => with_agent_auid,
                "agentic_user_email" => with_agent_user_email,
                "channel_links" => with_channel_link,
            ),
        })
    }
}

impl BaggageCall {
    /// The pairs that the setter is given as a dictionary or as a list.
    fn pairs(&self) -> Result<TypedPairs, Stop> {
        let pairs = self.args.get(1).cloned().unwrap_or_default();
        let pairs: Option<TypedPairs> = serde_json::from_value(pairs)?;
        let mut pairs = pairs.unwrap_or_default();
        if self.args.first().is_some_and(|form| form == "dict") {
            keep_last_values(&mut pairs);
        }
        Ok(pairs)
    }
}

/// Whether there is a value of Rust for it. Containers are JSON, which has no large integers, and no
/// floats that are not finite.
fn has_text(value: &TypedValue) -> bool {
    fn is_json(value: &TypedValue) -> bool {
        match value {
            TypedValue::Bigint(_) => false,
            TypedValue::Double(number) => number.0.is_finite(),
            TypedValue::DoubleArray(items) => items.iter().all(|item| item.0.is_finite()),
            TypedValue::Array(items) => items.iter().all(is_json),
            TypedValue::Map(members) => members.iter().all(|(_, value)| is_json(value)),
            _ => true,
        }
    }
    match value {
        TypedValue::Bigint(_) | TypedValue::Double(_) => true,
        other => is_json(other),
    }
}

/// A typed value, given to the builder as the Rust value that it stands for.
struct Typed(TypedValue);

impl BaggageText for Typed {
    fn into_baggage_text(self) -> Option<String> {
        match self.0 {
            TypedValue::Null(_) => None,
            TypedValue::String(text) | TypedValue::Bigint(text) => text.into_baggage_text(),
            TypedValue::Bool(flag) => flag.into_baggage_text(),
            TypedValue::Int(number) => number.into_baggage_text(),
            TypedValue::Double(number) => number.0.into_baggage_text(),
            container => plain(&container).into_baggage_text(),
        }
    }
}

impl BaggageText for PlainJson {
    fn into_baggage_text(self) -> Option<String> {
        (&self.0).into_baggage_text()
    }
}

struct PlainJson(Value);

/// The JSON that a typed value stands for.
fn plain(value: &TypedValue) -> PlainJson {
    let list = |items: &[TypedValue]| Value::Array(items.iter().map(|i| plain(i).0).collect());
    PlainJson(match value {
        TypedValue::Null(_) => Value::Null,
        TypedValue::String(text) | TypedValue::Bigint(text) => json!(text),
        TypedValue::Bool(flag) => json!(flag),
        TypedValue::Int(number) => json!(number),
        TypedValue::Double(number) => json!(number.0),
        TypedValue::StringArray(items) => json!(items),
        TypedValue::BoolArray(items) => json!(items),
        TypedValue::IntArray(items) => json!(items),
        TypedValue::DoubleArray(items) => {
            Value::Array(items.iter().map(|item| json!(item.0)).collect())
        }
        TypedValue::Array(items) => list(items),
        TypedValue::Map(members) => {
            let members = members.iter();
            Value::Object(members.map(|(k, v)| (k.clone(), plain(v).0)).collect())
        }
    })
}
