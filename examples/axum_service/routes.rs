//! The service's routes, and the layers around them.

use std::sync::Arc;

use agentspan::prelude::*;
use agentspan::tower::ServerLayer;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
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
    // A request's spans are below the caller's span. They belong to the tenant and the agent that
    // `authenticate` found.
    let observe = ServerLayer::new()
        .with_identity(|request| request.extensions.get().map(Caller::identity))
        .with_correlation_header("x-request-id");
    Router::new()
        .route("/ask", post(ask))
        .with_state(librarian)
        .layer(observe)
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
