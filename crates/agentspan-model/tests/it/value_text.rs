//! What an attribute says, with its contents, which its `Debug` hides.

use agentspan_model::attribute::AttributeValue;

pub(crate) fn value_text(value: AttributeValue<'_>) -> String {
    match value {
        AttributeValue::Str(text) => format!("Str({text:?})"),
        AttributeValue::JsonArrayText(texts) => format!("JsonArrayText({texts:?})"),
        AttributeValue::JsonArrayOfStrs(texts) => format!("JsonArrayOfStrs({texts:?})"),
        AttributeValue::StrList(texts) => format!("StrList({texts:?})"),
        AttributeValue::JsonObjectText(object) => format!("JsonObjectText({object:?})"),
        other => format!("{other:?}"),
    }
}
