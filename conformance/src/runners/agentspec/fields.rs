//! The constructor arguments of a spec.

use agentspan_model::agentspec::{
    Component, Id, JsonObject, LlmGenerationConfig, Message, Timestamp, ToolCall,
};

use super::{Components, NotFinite, lax, text};
use crate::{Failure, Json};

/// The arguments of a spec, each to be taken once.
pub(in crate::runners) struct Fields<'a> {
    class: String,
    fields: Vec<(String, Json)>,
    components: &'a Components,
    /// What the reference made of the spec.
    dump: Option<&'a Json>,
}

impl<'a> Fields<'a> {
    pub(in crate::runners) fn of(spec: &Json, components: &'a Components) -> Result<Self, Failure> {
        Self::of_class("", spec, components)
    }

    /// The fields of a spec that may leave out its class, as pydantic allows where a class is declared: it takes a
    /// dictionary of the fields, too.
    pub(in crate::runners) fn of_class(
        declared: &str,
        spec: &Json,
        components: &'a Components,
    ) -> Result<Self, Failure> {
        let class = spec.member("$class").and_then(Json::as_str);
        let fields = class.map_or(Some(spec), |_| spec.member("fields"));
        let Some(Json::Object(fields)) = fields else {
            return Err("a spec has fields".into());
        };
        Ok(Self {
            class: class.unwrap_or(declared).to_owned(),
            fields: fields.clone(),
            components,
            dump: None,
        })
    }

    /// The same fields, with the id and the time that the reference makes up where a spec leaves them out: nobody can
    /// make up the same.
    pub(in crate::runners) fn made_up_in(self, dump: Option<&'a Json>) -> Self {
        Self { dump, ..self }
    }

    pub(in crate::runners) fn class(&self) -> &str {
        &self.class
    }

    /// Fails if a field was not taken that the reference has taken, as its dump shows: what a runner overlooks, it
    /// does not test. Pydantic ignores arguments that the class does not declare.
    pub(in crate::runners) fn finish(self) -> Result<(), Failure> {
        let rest = self.fields.into_iter().map(|(name, _)| name);
        let rest: Vec<_> = rest
            .filter(|name| name != "type" && self.components.is_in_dump(name))
            .collect();
        if rest.is_empty() {
            Ok(())
        } else {
            Err(Failure::Overlooked(rest.join(", ")))
        }
    }

    pub(in crate::runners) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.remove(at).1)
    }

    fn required(&mut self, name: &str) -> Result<Json, Failure> {
        Ok(self.take(name).ok_or_else(|| format!("no field {name}"))?)
    }

    /// A field that is not there, or null, is none.
    fn optional(&mut self, name: &str) -> Option<Json> {
        self.take(name).filter(|value| *value != Json::Null)
    }

    pub(in crate::runners) fn string(&mut self, name: &str) -> Result<String, Failure> {
        string(&self.required(name)?)
    }

    /// The name, unless it is empty, which the reference takes for none.
    pub(in crate::runners) fn name(&mut self) -> Result<Option<String>, Failure> {
        let name = self.optional_string("name")?;
        Ok(name.filter(|name| !name.is_empty()))
    }

    pub(in crate::runners) fn optional_string(
        &mut self,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        self.optional(name).as_ref().map(string).transpose()
    }

    pub(in crate::runners) fn integer(&mut self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        let integer = lax::integer(&value).and_then(|integer| integer.try_into().ok());
        Ok(Some(
            integer.ok_or_else(|| format!("{name} is an integer"))?,
        ))
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>, Failure> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        let number = lax::number(&value).ok_or_else(|| format!("{name} is a number"))?;
        Ok(Some(number))
    }

    pub(in crate::runners) fn boolean(&mut self, name: &str) -> Result<bool, Failure> {
        let value = lax::boolean(&self.required(name)?);
        Ok(value.ok_or_else(|| format!("{name} is true or false"))?)
    }

    pub(in crate::runners) fn id(&mut self) -> Result<Id, Failure> {
        if self.is_left_out("id") {
            let made_up = self.made_up("id").and_then(Json::as_str);
            let made_up = made_up.filter(|id| is_uuid(id));
            return Ok(Id::from(made_up.ok_or("no field id, and no random one")?));
        }
        Ok(Id::from(self.string("id")?))
    }

    /// When an event happened.
    pub(in crate::runners) fn time_of_event(&mut self) -> Result<Timestamp, Failure> {
        let time = if self.is_left_out("timestamp") {
            let made_up = self.made_up("timestamp").and_then(lax::integer);
            made_up.and_then(|time| i64::try_from(time).ok().filter(|time| *time > 0))
        } else {
            self.integer("timestamp")?
        };
        Ok(Timestamp::from_unix_nanos(
            time.ok_or("an event has a timestamp")?,
        ))
    }

    fn is_left_out(&self, name: &str) -> bool {
        self.fields.iter().all(|(field, _)| field != name)
    }

    fn made_up(&self, name: &str) -> Option<&'a Json> {
        self.dump?.member(name)
    }

    pub(in crate::runners) fn timestamp(
        &mut self,
        name: &str,
    ) -> Result<Option<Timestamp>, Failure> {
        Ok(self.integer(name)?.map(Timestamp::from_unix_nanos))
    }

    /// An object; the empty one if it is not there.
    pub(in crate::runners) fn object(&mut self, name: &str) -> Result<JsonObject, Failure> {
        Ok(self.optional_object(name)?.unwrap_or_default())
    }

    pub(in crate::runners) fn optional_object(
        &mut self,
        name: &str,
    ) -> Result<Option<JsonObject>, Failure> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        let value = self.components.dumped(&value)?;
        let object = JsonObject::from_serialize(&NotFinite(&value));
        object.map(Some).map_err(text)
    }

    pub(in crate::runners) fn component<T>(&mut self, name: &str) -> Result<T, Failure>
    where
        T: TryFrom<Component, Error: std::error::Error>,
    {
        let reference = self.required(name)?;
        T::try_from(self.components.built(&reference)?).map_err(text)
    }

    pub(in crate::runners) fn component_list<T>(&mut self, name: &str) -> Result<Vec<T>, Failure>
    where
        T: TryFrom<Component, Error: std::error::Error>,
    {
        let components = self.components;
        self.list(name)?
            .iter()
            .map(|reference| T::try_from(components.built(reference)?).map_err(text))
            .collect()
    }

    pub(in crate::runners) fn list(&mut self, name: &str) -> Result<Vec<Json>, Failure> {
        match self.optional(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => Ok(items),
            Some(_) => Err(format!("{name} is a list").into()),
        }
    }

    pub(in crate::runners) fn messages(&mut self, name: &str) -> Result<Vec<Message>, Failure> {
        let components = self.components;
        let message = |spec: &Json| {
            let mut fields = Fields::of_class("Message", spec, components)?;
            let mut message = Message::new(fields.string("role")?, fields.string("content")?);
            message.id = fields.optional_string("id")?;
            message.sender = fields.optional_string("sender")?;
            fields.finish()?;
            Ok(message)
        };
        self.list(name)?.iter().map(message).collect()
    }

    pub(in crate::runners) fn tool_calls(&mut self, name: &str) -> Result<Vec<ToolCall>, Failure> {
        let components = self.components;
        let call = |spec: &Json| {
            let mut fields = Fields::of_class("ToolCall", spec, components)?;
            let call = ToolCall::new(
                fields.string("call_id")?,
                fields.string("tool_name")?,
                fields.string("arguments")?,
            );
            fields.finish()?;
            Ok(call)
        };
        self.list(name)?.iter().map(call).collect()
    }

    pub(in crate::runners) fn generation_config(
        &mut self,
        name: &str,
    ) -> Result<Option<LlmGenerationConfig>, Failure> {
        let Some(spec) = self.optional(name) else {
            return Ok(None);
        };
        let mut fields = Fields::of_class("LlmGenerationConfig", &spec, self.components)?;
        let mut config = LlmGenerationConfig::new();
        config.max_tokens = fields.integer("max_tokens")?;
        config.temperature = fields.number("temperature")?;
        config.top_p = fields.number("top_p")?;
        for (name, value) in fields.fields {
            let value = self.components.dumped(&value)?;
            let value = agentspan_model::agentspec::Json::from_serialize(&NotFinite(&value));
            config = config.with_parameter(&name, value.map_err(text)?);
        }
        Ok(Some(config))
    }
}

fn string(value: &Json) -> Result<String, Failure> {
    Ok(value.as_str().ok_or("the field is a string")?.to_owned())
}

/// Whether a text looks like Python's `str(uuid4())`.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
