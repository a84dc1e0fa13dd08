//! Functions with `#[agentspan::agent]` and `#[agentspan::tool]`: what they trace, and that they do
//! what they would do without.

use std::error::Error;
use std::num::ParseIntError;

use agentspan::model::agentspec::{Component, Disclosure, SpanDetails, Tool};
use agentspan::processor::{InMemory, Trace, TraceError, active_span_stack};
use futures_executor::block_on;
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// The weather of a city,
/// in words.
///
/// Not part of the description.
#[agentspan::tool]
async fn forecast(city: &str, days: u32) -> Result<String, Failure> {
    if city.is_empty() {
        return Err("no city".into());
    }
    Ok(format!("{days} days of sun in {city}"))
}

#[agentspan::agent(name = "weather agent")]
async fn answer(question: String) -> Result<String, Failure> {
    let weather = forecast("Bern", 3).await?;
    Ok(format!("{question} {weather}"))
}

#[agentspan::tool(skip(secret), name = "digits")]
fn r#digits<'a, T>(
    text: &'a T,
    mut times: u64,
    secret: &'a str,
    (a, b): (u8, u8),
) -> Result<u64, Failure>
where
    T: AsRef<str> + serde::Serialize + ?Sized,
{
    times += secret.len() as u64;
    let number: u64 = text
        .as_ref()
        .parse()
        .map_err(|error: ParseIntError| error.to_string())?;
    Ok(number * times + u64::from(a + b))
}

/// `agentspan` by another name.
mod spans {
    pub(crate) use agentspan::{model, processor};
}

#[agentspan::tool(crate = "self::spans")]
fn twice(number: u64) -> Result<u64, Failure> {
    Ok(2 * number)
}

#[test]
fn a_path_leads_to_a_crate_that_is_renamed() {
    assert_eq!(twice(2).unwrap(), 4);
}

struct Desk {
    tool: Tool,
    prefix: String,
}

impl Desk {
    #[agentspan::tool(component = self.tool, skip_all)]
    async fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.prefix.push_str(text);
        Ok(())
    }
}

fn seen<T>(run: impl FnOnce() -> T) -> (T, InMemory) {
    let seen = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = Trace::builder().with_processor(seen.clone());
    let trace = trace.start().unwrap();
    let returned = run();
    trace.end().unwrap();
    (returned, seen)
}

/// What the event of this number says under a key.
fn said(seen: &InMemory, span: &str, event: usize, key: &str) -> Value {
    let events = seen.span(span).unwrap().span.events;
    let dump = serde_json::to_value(events[event].dump(Disclosure::Clear)).unwrap();
    dump[key].clone()
}

#[test]
fn an_agent_and_its_tool_are_spans_with_inputs_and_outputs() {
    let (returned, seen) = seen(|| block_on(answer("Rain?".to_owned())));
    assert_eq!(returned.unwrap(), "Rain? 3 days of sun in Bern");
    seen.expect_tree(
        "RootSpan
└─ weather agent (AgentExecutionSpan)
   └─ forecast (ToolExecutionSpan)",
    )
    .unwrap();
    assert_eq!(
        said(&seen, "weather agent", 0, "inputs"),
        json!({ "question": "Rain?" })
    );
    assert_eq!(
        said(&seen, "forecast", 0, "inputs"),
        json!({ "city": "Bern", "days": 3 })
    );
    assert_eq!(
        said(&seen, "forecast", 1, "outputs"),
        json!({ "output": "3 days of sun in Bern" })
    );
}

#[test]
fn a_tool_has_the_first_paragraph_of_the_documentation_as_its_description() {
    let (_, seen) = seen(|| block_on(forecast("Bern", 1)).unwrap());
    let span = seen.span("forecast").unwrap().span;
    let SpanDetails::ToolExecutionSpan(tool) = &span.details else {
        panic!("{:?}", span.details);
    };
    let component: &Component = &tool.tool;
    assert_eq!(
        component.description(),
        Some("The weather of a city, in words.")
    );
}

#[test]
fn an_error_that_is_returned_early_is_recorded() {
    let (returned, seen) = seen(|| block_on(forecast("", 1)));
    assert_eq!(returned.unwrap_err().to_string(), "no city");
    assert_eq!(said(&seen, "forecast", 1, "type"), "ExceptionRaised");
}

#[test]
fn generics_patterns_and_skipped_arguments_are_as_without_the_attribute() {
    let (returned, seen) = seen(|| r#digits("20", 1, "x", (1, 1)));
    assert_eq!(returned.unwrap(), 42);
    assert_eq!(
        said(&seen, "digits", 0, "inputs"),
        json!({ "text": "20", "times": 1 })
    );
}

#[test]
fn a_method_may_bring_its_component() {
    let mut desk = Desk {
        tool: Tool::new("notes"),
        prefix: String::new(),
    };
    let (returned, seen) = seen(|| block_on(desk.note("secret")));
    returned.unwrap();
    assert_eq!(desk.prefix, "secret");
    assert_eq!(said(&seen, "notes", 0, "inputs"), json!({}));
}

#[test]
fn outside_a_trace_the_function_runs_all_the_same() {
    assert_eq!(
        block_on(forecast("Bern", 2)).unwrap(),
        "2 days of sun in Bern"
    );
}

/// An error type of the program's own.
#[derive(Debug)]
struct Own;

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("own")
    }
}

impl From<TraceError> for Own {
    fn from(_: TraceError) -> Self {
        Self
    }
}

impl From<ParseIntError> for Own {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}

#[agentspan::tool]
async fn parse(text: &str) -> Result<i32, Own> {
    Ok(text.parse::<i32>()?)
}

#[test]
fn a_question_mark_converts_into_the_error_of_the_function() {
    let (returned, _) = seen(|| block_on(parse("x")));
    assert_eq!(returned.unwrap_err().to_string(), "own");
}

/// What a function returns may have no name.
#[agentspan::tool]
fn words(text: &str) -> Result<impl serde::Serialize + Iterable, Own> {
    let count: usize = text.parse()?;
    if count > 9 {
        return Err(Own);
    }
    Ok(vec!["word"; count])
}

#[agentspan::tool]
async fn words_later(text: &str) -> Result<impl serde::Serialize + Iterable, Own> {
    let count: usize = text.parse()?;
    Ok(vec!["word"; count])
}

trait Iterable {
    fn count(&self) -> usize;
}

impl Iterable for Vec<&str> {
    fn count(&self) -> usize {
        self.len()
    }
}

#[test]
fn a_function_may_return_a_type_without_a_name() {
    let (returned, seen) = seen(|| (words("2"), words("x"), words("10")));
    assert_eq!(returned.0.unwrap().count(), 2);
    assert!(returned.1.is_err() && returned.2.is_err());
    let expected = json!({ "output": ["word", "word"] });
    assert_eq!(said(&seen, "words", 1, "outputs"), expected);
    assert_eq!(block_on(words_later("1")).unwrap().count(), 1);
}

fn named<A: Default, B>(_: A) -> Tool {
    Tool::new(std::any::type_name::<B>())
}

#[agentspan::tool(component = named::<u8, u16>(Default::default()), skip_all)]
fn typed() -> Result<(), Failure> {
    Ok(())
}

#[test]
fn a_component_may_have_arguments_of_types() {
    let (_, seen) = seen(|| typed().unwrap());
    assert!(seen.span("u16").is_some());
}

#[agentspan::tool]
fn conditional(
    #[cfg(test)] there: u8,
    #[cfg(any())] gone: u8,
    #[cfg(any())] secret: NoSuchType,
    #[cfg(not(any()))] also: u8,
) -> Result<u8, Failure> {
    Ok(there + also)
}

#[test]
fn an_argument_that_is_compiled_out_is_not_recorded() {
    let (returned, seen) = seen(|| conditional(1, 2));
    assert_eq!(returned.unwrap(), 3);
    let expected = json!({ "there": 1, "also": 2 });
    assert_eq!(said(&seen, "conditional", 0, "inputs"), expected);
}

/// Asynchronous functions, each of which calls the next one.
macro_rules! nested {
    ($($kind:ident $name:ident calls $next:ident;)*) => {$(
        #[agentspan::$kind]
        async fn $name(question: &str) -> Result<usize, TraceError> {
            $next(question).await
        }
    )*};
}

nested! {
    agent first calls second;
    agent second calls third;
    tool third calls fourth;
    agent fourth calls fifth;
    tool fifth calls sixth;
    agent sixth calls seventh;
    tool seventh calls eighth;
    agent eighth calls ninth;
    tool ninth calls tenth;
    tool tenth calls depth;
}

async fn depth(_: &str) -> Result<usize, TraceError> {
    tokio::task::yield_now().await;
    Ok(active_span_stack().len())
}

#[tokio::test]
async fn ten_functions_that_call_each_other_are_a_task_within_the_usual_recursion_limit() {
    let trace = Trace::builder().with_processor(InMemory::new());
    let run = trace.run(|_| first("How deep?"));
    #[expect(
        clippy::disallowed_methods,
        reason = "a task needs a future that is `Send`"
    )]
    let task = tokio::spawn(run);
    assert_eq!(task.await.unwrap().unwrap(), 11);
}
