//! Turns errors, panics and cancellations into `ExceptionRaised` events.

use std::any::Any;
use std::fmt::Display;

use agentspan_model::ErrorClass;
use agentspan_model::agentspec::ExceptionRaised;
use agentspan_queue::contain;

use crate::HookError;

/// The code in a span returned this error.
pub(crate) fn from_error<E: Display + 'static>(error: &E) -> ExceptionRaised {
    raised(&class_of(error).name(), text_of(error))
}

/// The class of an error, which may panic when it is asked for its sources.
fn class_of<E: 'static>(error: &E) -> ErrorClass {
    let class = contain::call(|| ErrorClass::of(error));
    class.unwrap_or_else(|_| ErrorClass::of_type::<E>())
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

/// The stack trace is the type and the message, without frames: an error tells of them too late, and
/// to capture a backtrace takes the program's thread longer than a tool may run.
fn raised(type_name: &str, message: String) -> ExceptionRaised {
    let trace = format!("{type_name}: {message}");
    ExceptionRaised::new(type_name, message).with_stacktrace(trace)
}
