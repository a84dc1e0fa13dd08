//! A router of axum in the layer.

use agentspan_model::agent365::Identity;
use agentspan_tower::{ServerLayer, Service as _};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;

use crate::recorder::block_on;

async fn whose() -> String {
    let context = Context::current();
    let tenant = context.baggage().get("tenant.id").map(ToString::to_string);
    tenant.unwrap_or_default()
}

#[test]
fn the_layer_fits_a_router_and_a_route() {
    let layer =
        || ServerLayer::new().with_identity(|_| Identity::parse("tenant-1", "agent-1").ok());
    let whole = Router::new().route("/", get(whose)).layer(layer());
    let one = Router::new().route("/", get(whose).layer(layer()));
    for mut app in [whole, one] {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = block_on(app.call(request)).unwrap();
        let body = block_on(axum::body::to_bytes(answer.into_body(), 100)).unwrap();
        assert_eq!(body, "tenant-1");
    }
}
