//! How errors, panics and cancellations become `ExceptionRaised` events.

use std::any::{Any, type_name};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;

use agentspan_model::agentspec::ExceptionRaised;
use agentspan_queue::contain;

use crate::HookError;

/// The name of a type without its path and generic arguments; of a boxed trait that of the trait.
pub(crate) fn short_type_name<E: ?Sized>() -> &'static str {
    shortened(type_name::<E>())
}

fn shortened(name: &str) -> &str {
    let name = name
        .strip_prefix("alloc::boxed::Box<")
        .unwrap_or(name)
        .trim_start_matches("dyn ");
    let end = name.find(['<', '>', ' ', '+']).unwrap_or(name.len());
    let path = name.get(..end).unwrap_or(name);
    path.rsplit("::").next().unwrap_or(path)
}

/// The code in a span returned this error.
pub(crate) fn from_error<E: Display>(error: &E) -> ExceptionRaised {
    raised(short_type_name::<E>(), text_of(error))
}

/// A hook failed while the span started.
pub(crate) fn from_hook_error(error: &HookError) -> ExceptionRaised {
    raised(error.type_name(), text_of(error))
}

/// The text of an error, whose `Display` may panic.
fn text_of(error: &impl Display) -> String {
    let text = contain::call(|| error.to_string());
    text.unwrap_or_else(|_| "an error whose text panics".to_owned())
}

/// The code in a span panicked, with this payload if it is known.
pub(crate) fn from_panic(payload: Option<&(dyn Any + Send)>) -> ExceptionRaised {
    let message = payload.map_or_else(
        || "the thread panicked while the span was open",
        contain::message,
    );
    raised("panic", message.to_owned())
}

/// The future in a span was dropped before it was done.
pub(crate) fn from_cancellation() -> ExceptionRaised {
    let message = "the future was dropped before it was done";
    raised("Cancelled", message.to_owned())
}

/// The stack trace is the type and the message, and the backtrace if the environment asks for one
/// (`RUST_BACKTRACE`).
fn raised(type_name: &str, message: String) -> ExceptionRaised {
    let backtrace = Backtrace::capture();
    let mut trace = format!("{type_name}: {message}");
    if backtrace.status() == BacktraceStatus::Captured {
        trace.push('\n');
        trace.push_str(&backtrace.to_string());
    }
    ExceptionRaised::new(type_name, message).with_stacktrace(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<E: ?Sized>(expected: &str) {
        assert_eq!(short_type_name::<E>(), expected);
    }

    #[test]
    fn a_type_is_named_without_its_path_and_arguments() {
        check::<std::io::Error>("Error");
        check::<HookError>("HookError");
        check::<Option<String>>("Option");
        check::<Box<dyn std::error::Error + Send + Sync>>("Error");
        check::<str>("str");
    }
}
