//! Two tools, of which one fails.

use std::convert::Infallible;
use std::io;

use rig_agent::tool::{Tool, ToolContext};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct City {
    city: String,
}

fn parameters() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

#[derive(Clone)]
pub(crate) struct Weather;

impl Tool for Weather {
    const NAME: &'static str = "weather";
    type Args = City;
    type Output = String;
    type Error = Infallible;

    fn description(&self) -> String {
        "The weather in a city".to_owned()
    }

    fn parameters(&self) -> Value {
        parameters()
    }

    async fn call(
        &self,
        _context: &mut ToolContext,
        City { city }: City,
    ) -> Result<String, Infallible> {
        Ok(format!("dry in {city}, CANARY-result"))
    }
}

#[derive(Clone)]
pub(crate) struct Trains;

impl Tool for Trains {
    const NAME: &'static str = "trains";
    type Args = City;
    type Output = String;
    type Error = io::Error;

    fn description(&self) -> String {
        "The trains to a city".to_owned()
    }

    fn parameters(&self) -> Value {
        parameters()
    }

    async fn call(&self, _context: &mut ToolContext, _args: City) -> Result<String, io::Error> {
        Err(io::Error::other("no timetable, CANARY-error"))
    }
}
