//! Serves until it is asked to stop, and then delivers all spans.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use agentspan::{Telemetry, TelemetryReport};
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::AnyError;

/// How long requests in flight may take to end once the service is asked to stop.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the spans may take to arrive after that. Together less than what the platform grants.
const FLUSH: Duration = Duration::from_secs(5);

/// Serves `app` until `stop`, lets the requests in flight end, and delivers their spans.
pub(crate) async fn run(
    listener: TcpListener,
    app: Router,
    telemetry: Telemetry,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<TelemetryReport, AnyError> {
    let (stopping, has_stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        // Nobody listens if the server is gone already.
        let _ = stopping.send(());
    });
    let too_late = async {
        let _ = has_stopped.await;
        sleep(DRAIN).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        () = too_late => tracing::warn!("requests are cut off that took too long to end"),
    }
    // The spans of all requests have ended.
    if let Err(error) = telemetry.shutdown_async(FLUSH).await {
        tracing::error!(%error, "spans were lost");
    }
    Ok(telemetry.report())
}
