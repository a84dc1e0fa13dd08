//! The signals that stop the service.

use tokio::signal::ctrl_c;

/// Until Ctrl-C, or until the platform asks for an end with SIGTERM.
pub(crate) async fn asked_to_stop() {
    tokio::select! {
        // A system without this signal has the other.
        Ok(()) = ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
