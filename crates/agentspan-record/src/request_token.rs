//! The token of a request, as something that contexts carry from crate to crate.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The token for the spans of a request, in the context in which the request is served.
///
/// Code that makes spans passes it on without reading it. Code that exports spans reads it.
#[derive(Clone)]
pub struct RequestToken(Option<Arc<dyn Any + Send + Sync>>);

impl RequestToken {
    /// Carries this token.
    #[must_use]
    pub fn new(token: Arc<impl Any + Send + Sync>) -> Self {
        Self(Some(token))
    }

    /// Carries no token, in place of the token of an enclosing request: for a request that is served
    /// within another one.
    #[must_use]
    pub fn withheld() -> Self {
        Self(None)
    }

    /// Whether it stands for nothing.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.0.is_none()
    }

    /// The value that is carried, if it is of this type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.as_ref()?).downcast().ok()
    }
}

/// Whether both carry the same, and not only an equal one.
impl PartialEq for RequestToken {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other)),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for RequestToken {}

/// Shows nothing of it.
impl fmt::Debug for RequestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestToken").finish_non_exhaustive()
    }
}
