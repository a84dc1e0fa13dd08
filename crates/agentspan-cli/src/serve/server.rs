//! One address that is listened to, and its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::connection;
use super::shared::Shared;
use crate::command_error::CommandError;

/// How many connections are served at a time.
const MAX_CONNECTIONS: usize = 512;

/// How long the kernel's refusal of a connection, for want of files, is waited out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One address.
#[derive(Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    pub(crate) async fn bind(
        shared: &Arc<Shared>,
        address: SocketAddr,
    ) -> Result<Self, CommandError> {
        let bound = TcpListener::bind(address).await;
        let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (bound_to, listener) =
            bound.map_err(|source| CommandError::Listen { address, source })?;
        Ok(Self {
            shared: Arc::clone(shared),
            listener,
            address: bound_to,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&self.shared);
                    connections.spawn(async move {
                        connection::serve(shared, stream).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
    }
}
