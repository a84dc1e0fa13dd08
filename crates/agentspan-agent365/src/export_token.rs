//! The token of one request, handed over within the request.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};

use agentspan_model::agent365::TenantId;
use agentspan_queue::contain::ThreadBound;
use agentspan_queue::lock;
use agentspan_record::RequestToken;
use opentelemetry::trace::{FutureExt as _, WithContext};
use opentelemetry::{Context, ContextGuard};

use crate::access_token::AccessToken;

/// The token that the spans of one request are exported with, for
/// [`with_per_request_export`](crate::DeliveryBuilder::with_per_request_export).
///
/// Put it into the OpenTelemetry context of the request: on this thread until a guard is dropped
/// ([`enter`](Self::enter)), for a future
/// ([`with_export_token`](ExportTokenFutureExt::with_export_token)), or in a context that you pass on
/// ([`to_context`](Self::to_context)). Spans that start in this context are sent with the token, and
/// so are Agent Spec spans below an open span that is entered in it.
///
/// ```
/// use agentspan_agent365::{AccessToken, ExportToken};
/// use agentspan_agent365::token::ExportTokenFutureExt as _;
///
/// # async fn answer() {}
/// # async fn example(from_the_header: String) -> Result<(), agentspan_agent365::token::AccessTokenError> {
/// let token = ExportToken::new(AccessToken::new(from_the_header)?);
/// answer().with_export_token(&token).await;
/// # Ok(())
/// # }
/// ```
///
/// Clones are handles to the same token. Its memory is overwritten when the last handle is dropped.
/// The delivery drops its handles when the request's spans are sent or dropped. `Debug` does not show
/// the token.
#[derive(Clone)]
pub struct ExportToken {
    inner: Arc<Inner>,
}

struct Inner {
    /// The tenant whose token it is, once that is decided. `None` is a decision, too: nobody's.
    tenant: OnceLock<Option<TenantId>>,
    token: Mutex<AccessToken>,
}

impl ExportToken {
    /// A token for the tenant of the request. The first spans that are sent with the token decide
    /// which tenant that is.
    ///
    /// If these spans belong to several tenants, the token is never sent, neither with these spans nor
    /// with later ones: the delivery asks the resolver instead.
    #[must_use]
    pub fn new(token: AccessToken) -> Self {
        Self::of(OnceLock::new(), token)
    }

    /// A token for the spans of `tenant` and of no other, whatever spans the request makes.
    #[must_use]
    pub fn for_tenant(tenant: TenantId, token: AccessToken) -> Self {
        Self::of(OnceLock::from(Some(tenant)), token)
    }

    fn of(tenant: OnceLock<Option<TenantId>>, token: AccessToken) -> Self {
        Self {
            inner: Arc::new(Inner {
                tenant,
                token: Mutex::new(token),
            }),
        }
    }

    /// Replaces the token, for a request that outlasts it. Later requests to the service have the new
    /// token, and a request that is answered with 401 is retried once with it.
    pub fn replace(&self, token: AccessToken) {
        *lock(&self.inner.token) = token;
    }

    /// Adds the token to the current context of this thread until the guard is dropped.
    #[must_use = "the token is there until the guard is dropped"]
    pub fn enter(&self) -> ActiveToken {
        let attach = || Context::map_current(|current| self.to_context(current)).attach();
        ActiveToken(ThreadBound::make(attach).ok())
    }

    /// `context` with the token, in place of one that it had.
    #[must_use]
    pub fn to_context(&self, context: &Context) -> Context {
        context.with_value(self.as_carried())
    }

    /// The token in the form that contexts carry.
    pub(crate) fn as_carried(&self) -> RequestToken {
        RequestToken::new(Arc::clone(&self.inner))
    }

    /// The token that is carried, if any is.
    pub(crate) fn of_carried(token: &RequestToken) -> Option<Self> {
        let inner = token.get()?;
        Some(Self { inner })
    }

    pub(crate) fn current(&self) -> AccessToken {
        lock(&self.inner.token).clone()
    }

    /// Whether it is the token of `tenant`, which is one of the `tenants` whose spans are sent
    /// together.
    ///
    /// The first question decides, for good: it is the token of the only tenant, and nobody's if
    /// there are several. Were that not remembered, it would go to whoever is alone in a later
    /// batch.
    pub(crate) fn belongs_to<'a>(
        &self,
        tenant: &TenantId,
        mut tenants: impl Iterator<Item = &'a TenantId>,
    ) -> bool {
        let owner = self.inner.tenant.get_or_init(|| {
            let is_alone = tenants.all(|other| other == tenant);
            is_alone.then(|| tenant.clone())
        });
        owner.as_ref() == Some(tenant)
    }

    /// Whether both are handles to one token.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

/// Keeps the token of a request in the context of this thread until it is dropped, see
/// [`ExportToken::enter`].
#[derive(Debug)]
#[expect(dead_code, reason = "the guard is kept for its drop")]
#[must_use = "the token is there until the guard is dropped"]
pub struct ActiveToken(Option<ThreadBound<ContextGuard>>);

/// Names the tenant, if there is one.
impl fmt::Debug for ExportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportToken")
            .field("tenant", &self.inner.tenant.get().and_then(Option::as_ref))
            .finish_non_exhaustive()
    }
}

/// Runs futures with the token of a request.
pub trait ExportTokenFutureExt: Future + Sized {
    /// Runs the future with `token` in the context in which this is called.
    ///
    /// A scope that the future runs in has the token too, unless it was given another context.
    fn with_export_token(self, token: &ExportToken) -> WithContext<Self> {
        self.with_context(Context::map_current(|current| token.to_context(current)))
    }
}

impl<F: Future> ExportTokenFutureExt for F {}
