//! Generations of a language model: the request, the streamed chunks, and the response.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{
    Id, LlmConfig, LlmGenerationChunkReceived, LlmGenerationConfig, LlmGenerationRequest,
    LlmGenerationResponse, LlmGenerationSpan, Message, Tool, ToolCall,
};
use agentspan_queue::lock;

use super::RecordedStream;
use crate::context::is_observed_here;
use crate::dispatch::report_unheard;
use crate::run_future::{self, Started};
use crate::span::{OpenSpan, SpanBuilder, end_after, started};
use crate::{Span, TraceError, exception};

/// Runs a call of a language model in a span, with the events of Agent Spec.
///
/// The first event is the `LlmGenerationRequest`. Each streamed chunk is an
/// `LlmGenerationChunkReceived`. The last event is the `LlmGenerationResponse`, with the data that
/// was recorded on the [`Generation`]. The text of the response consists of its chunks, unless
/// [`Generation::set_text`] sets another text. The time to the first chunk follows from the times
/// of the events. If the call fails, an `ExceptionRaised` event replaces the response.
///
/// ```
/// use agentspan_model::agentspec::{LlmConfig, Message};
/// use agentspan_processor::TraceError;
/// use agentspan_processor::execution::LlmGeneration;
///
/// # async fn ask(question: &str) -> Result<String, TraceError> { Ok(question.to_owned()) }
/// # fn main() -> Result<(), TraceError> {
/// # futures_executor::block_on(async {
/// let model = LlmConfig::openai("gpt-4o");
/// let answer = LlmGeneration::of(&model)
///     .with_prompt([Message::new("user", "Will it rain?")])
///     .run(|generation| async move {
///         let answer = ask("Will it rain?").await?;
///         generation.set_text(&answer);
///         generation.set_tokens(12, 5);
///         Ok::<_, TraceError>(answer)
///     })
///     .await?;
/// # Ok(())
/// # })
/// # }
/// ```
///
/// For an answer that still streams after the call returns, use [`start`](Self::start) and
/// [`OpenGeneration::record_stream`].
#[must_use = "nothing is asked before `run`, `in_span` or `start`"]
pub struct LlmGeneration {
    model: LlmConfig,
    name: Option<Cow<'static, str>>,
    prompt: Vec<Message>,
    tools: Vec<Tool>,
    config: Option<LlmGenerationConfig>,
    request_id: Option<Id>,
}

impl LlmGeneration {
    /// Creates a generation of this model. The configuration is shared, not copied.
    pub fn of(model: &LlmConfig) -> Self {
        Self {
            model: model.clone(),
            name: None,
            prompt: Vec::new(),
            tools: Vec::new(),
            config: None,
            request_id: None,
        }
    }

    /// Sets the name of the span. The default is the name of the model's configuration.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the prompt. By default, there is none. This call reads it, and only if a processor observes
    /// the current trace: start the trace first.
    pub fn with_prompt(mut self, prompt: impl IntoIterator<Item = Message>) -> Self {
        if is_observed_here() {
            self.prompt = prompt.into_iter().collect();
        }
        self
    }

    /// Sets the tools that the model may call. By default, there are none.
    pub fn with_tools<'a>(mut self, tools: impl IntoIterator<Item = &'a Tool>) -> Self {
        self.tools = tools.into_iter().cloned().collect();
        self
    }

    /// Sets the parameters of the generation, such as the temperature. By default, there are none.
    pub fn with_llm_generation_config(mut self, config: LlmGenerationConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Sets the id that links the events. The default is a random UUID.
    pub fn with_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Runs a closure that returns a `Result` in the span.
    ///
    /// # Errors
    ///
    /// The same as of [`SpanBuilder::in_span`].
    pub fn in_span<T, E>(self, body: impl FnOnce(&Generation) -> Result<T, E>) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
    {
        let span = Span::when_observed(self.builder());
        span.in_span(|span| {
            let (generation, request) = self.generation(span.clone());
            span.add_event_with(|| request)?;
            let value = body(&generation)?;
            span.add_event_with(|| generation.response())?;
            Ok(value)
        })
    }

    /// Runs a future that returns a `Result` in the span.
    ///
    /// # Errors
    ///
    /// The same as of [`SpanBuilder::run`].
    ///
    /// # Cancel safety
    ///
    /// The same as of [`SpanBuilder::run`].
    pub fn run<T, E, F>(
        self,
        body: impl FnOnce(Generation) -> F,
    ) -> impl Future<Output = Result<T, E>>
    where
        E: Display + From<TraceError> + 'static,
        F: Future<Output = Result<T, E>>,
    {
        run_future::run(
            self.start_async(),
            Self::tell_start,
            |generation: &Generation| body(generation.clone()),
            |open, kept, outcome| end_after(open, kept, outcome, Generation::tell_end),
        )
    }

    async fn start_async(self) -> Result<Started<OpenSpan, Self>, TraceError> {
        let open = Span::when_observed(self.builder()).start_async().await?;
        Ok(started(open, self))
    }

    async fn tell_start(self, span: Span) -> Result<Generation, TraceError> {
        let (generation, request) = self.generation(span);
        if generation.is_observed() {
            generation.add_event_async(request).await?;
        }
        Ok(generation)
    }

    /// Starts the span without making it current, for an answer that outlives the call.
    ///
    /// ```
    /// use agentspan_model::agentspec::{LlmConfig, Message};
    /// use agentspan_processor::TraceError;
    /// use agentspan_processor::execution::LlmGeneration;
    ///
    /// # struct Pieces(std::array::IntoIter<&'static str, 2>);
    /// # impl futures_core::Stream for Pieces {
    /// #     type Item = &'static str;
    /// #     fn poll_next(
    /// #         mut self: std::pin::Pin<&mut Self>,
    /// #         _: &mut std::task::Context<'_>,
    /// #     ) -> std::task::Poll<Option<&'static str>> {
    /// #         std::task::Poll::Ready(self.0.next())
    /// #     }
    /// # }
    /// # async fn ask() -> Result<Pieces, TraceError> { Ok(Pieces(["It ", "rains."].into_iter())) }
    /// # fn main() -> Result<(), TraceError> {
    /// # futures_executor::block_on(async {
    /// let model = LlmConfig::openai("gpt-4o");
    /// let generation = LlmGeneration::of(&model)
    ///     .with_prompt([Message::new("user", "Will it rain?")])
    ///     .start()?;
    /// let stream = generation.wrap(ask()).await?;
    /// let stream = generation.record_stream(stream, |generation, piece| generation.add_text(piece));
    /// // Give the stream to whoever reads the answer.
    /// # let mut stream = std::pin::pin!(stream);
    /// # let mut text = String::new();
    /// # while let Some(piece) =
    /// #     std::future::poll_fn(|cx| futures_core::Stream::poll_next(stream.as_mut(), cx)).await
    /// # {
    /// #     text.push_str(piece);
    /// # }
    /// # assert_eq!(text, "It rains.");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as of [`SpanBuilder::start`].
    pub fn start(self) -> Result<OpenGeneration, TraceError> {
        let mut open = Span::when_observed(self.builder()).start_detached()?;
        open.set_covers_future(true);
        let (generation, request) = self.generation(Span::clone(&open));
        if let Err(error) = open.add_event_with(|| request) {
            // It was a hook: nobody has dropped a future.
            open.set_covers_future(false);
            report_unheard(open.add_event(exception::from_error(&error)));
            report_unheard(open.end());
            return Err(error);
        }
        Ok(OpenGeneration { generation, open })
    }

    /// Makes the span, if somebody observes it.
    fn builder(&self) -> impl FnOnce() -> SpanBuilder + use<> {
        let (model, name) = (self.model.clone(), self.name.clone());
        move || {
            let name = name.unwrap_or_else(|| model.name().to_owned().into());
            Span::builder(LlmGenerationSpan::new(model)).with_name(name)
        }
    }

    /// The recorder of the answer, and the first event.
    fn generation(self, span: Span) -> (Generation, LlmGenerationRequest) {
        let request_id = self.request_id.unwrap_or_else(Id::random);
        let request =
            LlmGenerationRequest::new(self.model.clone(), self.prompt, request_id.clone());
        let mut request = request.with_tools(self.tools);
        if let Some(config) = self.config {
            request = request.with_llm_generation_config(config);
        }
        let generation = Generation {
            span,
            model: self.model,
            request_id,
            answer: Arc::default(),
        };
        (generation, request)
    }
}

/// Shows no prompt.
impl fmt::Debug for LlmGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmGeneration")
            .field("model", &self.model)
            .field("messages", &self.prompt.len())
            .finish_non_exhaustive()
    }
}

/// Records the answer of a model. Made by [`LlmGeneration`]; derefs to its [`Span`].
///
/// All clones record the same answer. If no processor observes the trace, nothing is stored.
#[derive(Clone)]
pub struct Generation {
    span: Span,
    model: LlmConfig,
    request_id: Id,
    answer: Arc<Mutex<Answer>>,
}

#[derive(Default)]
struct Answer {
    text: Option<String>,
    tool_calls: Vec<ToolCall>,
    completion_id: Option<Id>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
}

impl Generation {
    /// Records a streamed chunk of the answer's text.
    ///
    /// # Errors
    ///
    /// The same as of [`Span::add_event`].
    pub fn add_text(&self, text: impl AsRef<str>) -> Result<(), TraceError> {
        if !self.span.is_observed() {
            return Ok(());
        }
        let text = text.as_ref();
        lock(&self.answer)
            .text
            .get_or_insert_default()
            .push_str(text);
        let chunk = LlmGenerationChunkReceived::new(self.model.clone(), self.request_id.clone());
        self.span.add_event(chunk.with_content(text))
    }

    /// Records a streamed tool call. Join the chunks of a call first.
    ///
    /// # Errors
    ///
    /// The same as of [`Span::add_event`].
    pub fn add_tool_call(&self, call: ToolCall) -> Result<(), TraceError> {
        if !self.span.is_observed() {
            return Ok(());
        }
        lock(&self.answer).tool_calls.push(call.clone());
        let chunk = LlmGenerationChunkReceived::new(self.model.clone(), self.request_id.clone());
        self.span.add_event(chunk.with_tool_calls(vec![call]))
    }

    /// Sets the whole text of the answer, in place of the streamed chunks.
    pub fn set_text(&self, text: impl AsRef<str>) {
        if self.span.is_observed() {
            lock(&self.answer).text = Some(text.as_ref().to_owned());
        }
    }

    /// Sets the tool calls of the answer, in place of the streamed calls.
    pub fn set_tool_calls(&self, calls: impl IntoIterator<Item = ToolCall>) {
        if self.span.is_observed() {
            lock(&self.answer).tool_calls = calls.into_iter().collect();
        }
    }

    /// Sets the numbers of input and output tokens.
    pub fn set_tokens(&self, input: i64, output: i64) {
        let mut answer = lock(&self.answer);
        answer.input_tokens = Some(input);
        answer.output_tokens = Some(output);
    }

    /// Sets the provider's id of the answer.
    pub fn set_completion_id(&self, id: impl Into<Id>) {
        lock(&self.answer).completion_id = Some(id.into());
    }

    async fn tell_end<T, E: From<TraceError>>(self, value: T) -> Result<T, E> {
        if self.is_observed() {
            self.add_event_async(self.response()).await?;
        }
        Ok(value)
    }

    /// The last event. The answer is spent afterwards.
    fn response(&self) -> LlmGenerationResponse {
        let answer = mem::take(&mut *lock(&self.answer));
        let mut response = LlmGenerationResponse::new(self.model.clone(), self.request_id.clone());
        if let Some(text) = answer.text {
            response = response.with_content(text);
        }
        response = response.with_tool_calls(answer.tool_calls);
        response.completion_id = answer.completion_id;
        response.input_tokens = answer.input_tokens;
        response.output_tokens = answer.output_tokens;
        response
    }
}

impl Deref for Generation {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.span
    }
}

/// Shows no answer.
impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("model", &self.model)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// An open generation, which you end explicitly. Made by [`LlmGeneration::start`]; derefs to its
/// [`Generation`].
///
/// If it is dropped before [`end`](Self::end), it ends as cancelled, with an `ExceptionRaised`
/// event.
#[derive(Debug)]
#[must_use = "the generation ends when this is dropped"]
pub struct OpenGeneration {
    generation: Generation,
    open: OpenSpan,
}

impl OpenGeneration {
    /// Records the answer, and ends the span.
    ///
    /// # Errors
    ///
    /// The same as of [`OpenSpan::end`].
    pub fn end(mut self) -> Result<(), TraceError> {
        self.finish()
    }

    /// Ends the span as failed.
    ///
    /// # Errors
    ///
    /// The same as of [`OpenSpan::end`].
    pub fn fail<E: Display + 'static>(self, error: &E) -> Result<(), TraceError> {
        let told = self.open.record_error(error);
        told.and(self.open.end())
    }

    /// Wraps a stream, and calls `record` with each item.
    ///
    /// The generation ends with the stream. The span is current while the stream is polled. If the
    /// stream is dropped before its end, the generation ends as cancelled. For items that are
    /// errors, call [`record_error`](Span::record_error) in `record`.
    pub fn record_stream<S, F, I>(self, stream: S, record: F) -> RecordedStream<S, F>
    where
        S: futures_core::Stream<Item = I>,
        F: FnMut(&Generation, &I) -> Result<(), TraceError>,
    {
        RecordedStream::new(stream, record, self)
    }

    /// Records the answer and ends the span, unless it has ended.
    fn finish(&mut self) -> Result<(), TraceError> {
        let told = self.open.add_event_with(|| self.generation.response());
        let ended = Span::end(&self.open);
        told.and(ended)
    }

    /// As [`end`](Self::end), where nobody can be told.
    pub(super) fn finish_unheard(mut self) {
        report_unheard(self.finish());
    }
}

impl Deref for OpenGeneration {
    type Target = Generation;

    fn deref(&self) -> &Generation {
        &self.generation
    }
}
