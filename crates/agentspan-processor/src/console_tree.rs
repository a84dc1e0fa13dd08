//! Prints spans and events to a terminal as they happen.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use agentspan_model::agentspec::Disclosure;
use agentspan_model::terminal::is_steering;

use crate::line_sink::LineSink;
use crate::{HookError, Span, SpanEvent, SpanProcessor};

/// Prints spans and events as they happen, indented by nesting.
///
/// ```text
/// ▶ RootSpan
///   ▶ weather agent (AgentExecutionSpan)
///     · AgentExecutionStart
///   ■ weather agent 1.204 s
/// ■ RootSpan 1.205 s
/// ```
///
/// It prints names, types and durations, but never contents. It uses colours only on terminals.
/// Spans deeper than 64 levels are not indented further.
#[derive(Clone)]
pub struct ConsoleTree {
    sink: Arc<LineSink<Box<dyn Write + Send>>>,
    colours: Colours,
}

/// Whether a [`ConsoleTree`] uses colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are colours or there are none"
)]
pub enum Colours {
    /// No colours.
    Off,
    /// Colours, by ANSI escape sequences.
    On,
}

impl Colours {
    fn on_terminal(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() {
            Self::On
        } else {
            Self::Off
        }
    }
}

impl ConsoleTree {
    /// Writes to the standard output, with colours if it is a terminal.
    #[must_use]
    pub fn stdout() -> Self {
        let colours = Colours::on_terminal(&io::stdout());
        Self::to_writer(io::stdout()).with_colours(colours)
    }

    /// Writes to the standard error, with colours if it is a terminal.
    #[must_use]
    pub fn stderr() -> Self {
        let colours = Colours::on_terminal(&io::stderr());
        Self::to_writer(io::stderr()).with_colours(colours)
    }

    /// Writes to a writer, without colours.
    #[must_use]
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self {
            sink: Arc::new(LineSink::new(Box::new(writer))),
            colours: Colours::Off,
        }
    }

    /// Sets whether to use colours.
    #[must_use]
    pub fn with_colours(mut self, colours: Colours) -> Self {
        self.colours = colours;
        self
    }

    fn line(&self, depth: usize, colour: &str, text: fmt::Arguments<'_>) -> Result<(), HookError> {
        let indent = depth.min(DEEPEST) * 2;
        let line = match self.colours {
            Colours::Off => format!("{:indent$}{text}\n", ""),
            Colours::On => format!("{:indent$}\x1b[{colour}m{text}\x1b[0m\n", ""),
        };
        Ok(self.sink.write(line.as_bytes())?)
    }
}

/// How many levels of nesting an indentation shows. What is deeper would cost more to indent than to say.
pub(crate) const DEEPEST: usize = 64;

const CYAN: &str = "36";
const GREEN: &str = "32";
const RED: &str = "31";
const GREY: &str = "90";

/// Names come from outside: what would move the cursor, or show characters in another order, is left out.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut shown = self.0.chars().filter(|c| !is_steering(*c));
        shown.try_for_each(|c| f.write_char(c))
    }
}

/// How deep `span` is nested, as far as that is shown.
fn depth(span: &Span) -> usize {
    let ancestors = std::iter::successors(span.parent(), Span::parent);
    ancestors.take(DEEPEST).count()
}

impl SpanProcessor for ConsoleTree {
    fn disclosure(&self) -> Disclosure {
        Disclosure::Masked
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let name = Printable(span.name());
        let type_name = Printable(span.type_name());
        if span.name() == span.type_name() {
            self.line(depth(span), CYAN, format_args!("▶ {name}"))
        } else {
            self.line(depth(span), CYAN, format_args!("▶ {name} ({type_name})"))
        }
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        let type_name = event.type_name().unwrap_or_default();
        let colour = if type_name == "ExceptionRaised" {
            RED
        } else {
            GREY
        };
        let name = Printable(&event.name);
        self.line(depth(span) + 1, colour, format_args!("· {name}"))
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        let name = Printable(span.name());
        let times = span.start_time().zip(span.end_time());
        let took = times
            .map(|(start, end)| end.since(start))
            .unwrap_or_default();
        self.line(depth(span), GREEN, format_args!("■ {name} {took:.3?}"))
    }

    fn shutdown(&self) -> Result<(), HookError> {
        Ok(self.sink.flush()?)
    }
}

impl fmt::Debug for ConsoleTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleTree")
            .field("colours", &self.colours)
            .finish_non_exhaustive()
    }
}
