//! Why a hook of a processor failed.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use agentspan_model::ErrorClass;
use agentspan_queue::contain::{self, Foreign, Panicked};

use crate::TraceError;

/// Why a hook of a [`SpanProcessor`](crate::SpanProcessor) failed.
///
/// Wraps any error. Under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate) it also becomes an
/// [`ExceptionRaised`](agentspan_model::agentspec::ExceptionRaised) event, whose `exception_type` is
/// the [type name](Self::type_name).
///
/// ```
/// use agentspan_processor::HookError;
///
/// let error = HookError::new(std::io::Error::other("disk full"));
/// assert_eq!(error.to_string(), "disk full");
/// assert_eq!(error.type_name(), "io::Error");
/// assert_eq!(HookError::message("queue full").to_string(), "queue full");
/// ```
pub struct HookError {
    is_panic: bool,
    type_name: Cow<'static, str>,
    error: Foreign<Box<dyn Error + Send + Sync>>,
}

impl HookError {
    /// Wraps an error and remembers the name of its type.
    #[must_use]
    pub fn new<E: Error + Send + Sync + 'static>(error: E) -> Self {
        Self {
            is_panic: false,
            type_name: ErrorClass::of(&error).name(),
            error: Foreign::new(Box::new(error)),
        }
    }

    /// An error with a message only. Write it in lower case, without a full stop and without
    /// sensitive data.
    #[must_use]
    pub fn message(message: impl Into<String>) -> Self {
        Self {
            is_panic: false,
            type_name: "HookError".into(),
            error: Foreign::new(message.into().into()),
        }
    }

    /// The error of a hook that panicked. It does not show the message of the panic, which may quote
    /// the data that the hook was given, such as a prompt.
    pub(crate) fn panicked(_: Panicked) -> Self {
        Self {
            is_panic: true,
            ..Self::message("the hook panicked").with_type_name("panic")
        }
    }

    /// Whether the hook panicked.
    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// Sets the name of the error's type, for errors whose Rust type is not specific.
    #[must_use]
    pub fn with_type_name(mut self, type_name: impl Into<Cow<'static, str>>) -> Self {
        self.type_name = type_name.into();
        self
    }

    /// The name of the error's type, without its path.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.get().map_or(Ok(()), |error| error.fmt(f))
    }
}

impl fmt::Debug for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookError({}: {self})", self.type_name)
    }
}

/// The source is the source of the wrapped error, whose message this error shows.
impl Error for HookError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.get()?.source()
    }
}

/// For `?` in hooks. The name is the type of the innermost error of a known type, or `_OTHER`, see
/// [`ErrorClass`].
impl From<Box<dyn Error + Send + Sync>> for HookError {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        let class = contain::call(|| ErrorClass::of(&error));
        let class = class.unwrap_or_else(|_| ErrorClass::of_type::<dyn Error>());
        Self {
            is_panic: false,
            type_name: class.name(),
            error: Foreign::new(error),
        }
    }
}

/// For `?` in hooks that use spans and traces themselves.
impl From<TraceError> for HookError {
    fn from(error: TraceError) -> Self {
        Self::new(error)
    }
}

/// For `?` in hooks that write.
impl From<std::io::Error> for HookError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

/// For `?` in hooks that write text.
impl From<fmt::Error> for HookError {
    fn from(error: fmt::Error) -> Self {
        Self::new(error)
    }
}

/// For `?` in hooks that write JSON.
impl From<serde_json::Error> for HookError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error)
    }
}
