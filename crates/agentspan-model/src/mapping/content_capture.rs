//! Where sensitive content is shown.

use std::str::FromStr;

use crate::agentspec::Disclosure;

/// Where prompts, answers, inputs and outputs are shown.
///
/// The values are those of the variable `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`
/// of OpenTelemetry's GenAI instrumentations. The default is nowhere.
///
/// ```
/// use agentspan_model::mapping::ContentCapture;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert_eq!("span_only".parse::<ContentCapture>()?, ContentCapture::SpanOnly);
/// assert_eq!("true".parse::<ContentCapture>()?, ContentCapture::SpanAndEvent);
/// assert_eq!("".parse::<ContentCapture>()?, ContentCapture::NoContent);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "content is in attributes of spans, of events, of both, or nowhere"
)]
pub enum ContentCapture {
    /// Nowhere.
    #[default]
    NoContent,
    /// In attributes of spans.
    SpanOnly,
    /// In attributes of events.
    EventOnly,
    /// In both.
    SpanAndEvent,
}

impl ContentCapture {
    /// Whether span attributes show content.
    #[must_use]
    pub const fn on_spans(self) -> bool {
        matches!(self, Self::SpanOnly | Self::SpanAndEvent)
    }

    /// Whether event attributes show content.
    #[must_use]
    pub const fn on_events(self) -> bool {
        matches!(self, Self::EventOnly | Self::SpanAndEvent)
    }

    /// The disclosure that is needed to show this.
    #[must_use]
    pub const fn disclosure(self) -> Disclosure {
        match self {
            Self::NoContent => Disclosure::Masked,
            Self::SpanOnly | Self::EventOnly | Self::SpanAndEvent => Disclosure::Clear,
        }
    }
}

/// Everywhere, or nowhere.
impl From<Disclosure> for ContentCapture {
    fn from(disclosure: Disclosure) -> Self {
        match disclosure {
            Disclosure::Masked => Self::NoContent,
            Disclosure::Clear => Self::SpanAndEvent,
        }
    }
}

/// Reads the value of the variable, in any case. `true` and `false`, which earlier instrumentations have,
/// are everywhere and nowhere; the empty text counts as if the variable was not set.
impl FromStr for ContentCapture {
    type Err = UnknownCaptureError;

    fn from_str(text: &str) -> Result<Self, UnknownCaptureError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "no_content" | "false" => Ok(Self::NoContent),
            "span_only" => Ok(Self::SpanOnly),
            "event_only" => Ok(Self::EventOnly),
            "span_and_event" | "true" => Ok(Self::SpanAndEvent),
            _ => Err(UnknownCaptureError { _private: () }),
        }
    }
}

/// A text is not a valid capture setting. Write `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or
/// `SPAN_AND_EVENT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCaptureError {
    _private: (),
}

impl std::fmt::Display for UnknownCaptureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not one of NO_CONTENT, SPAN_ONLY, EVENT_ONLY and SPAN_AND_EVENT")
    }
}

impl std::error::Error for UnknownCaptureError {}
