//! The service's routes, and the layers around them.

use std::sync::Arc;

use agentspan::opentelemetry::Context;
use agentspan::prelude::*;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Directory};
use crate::librarian::{Librarian, LibrarianError};

#[derive(Debug, Deserialize)]
struct Question {
    conversation: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Answer {
    text: String,
}

pub(crate) fn router(directory: Directory, librarian: Librarian) -> Router {
    Router::new()
        .route("/ask", post(ask))
        .with_state(librarian)
        .layer(from_fn(observe))
        // The last layer runs first: nothing is observed of a caller whom nobody knows.
        .layer(from_fn_with_state(Arc::new(directory), authenticate))
}

async fn authenticate(
    State(directory): State<Arc<Directory>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(caller) = directory.caller(request.headers()).cloned() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Runs the handler in the context of the request: its spans are children of the caller's span, and carry
/// tenant, agent and the id that links the logs.
async fn observe(Extension(caller): Extension<Caller>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let baggage = BaggageBuilder::new()
        .with_tenant_id(&caller.tenant.tenant_id)
        .with_agent_id(&caller.agent.agent_id)
        .with_correlation_id(request_id)
        .build();
    let from_caller = Propagation::new().extract_headers(&Context::new(), headers);
    let context = baggage.to_context(&from_caller);
    next.run(request).with_context(context).await
}

async fn ask(
    State(librarian): State<Librarian>,
    Extension(caller): Extension<Caller>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, LibrarianError> {
    let turn = BaggageBuilder::new()
        .with_conversation_id(&question.conversation)
        .build();
    let answer = librarian.answer(&caller, &question.text);
    let text = answer.with_baggage(&turn).await?;
    Ok(Json(Answer { text }))
}

/// The caller learns that it failed; the trace says why.
impl IntoResponse for LibrarianError {
    fn into_response(self) -> Response {
        StatusCode::BAD_GATEWAY.into_response()
    }
}
