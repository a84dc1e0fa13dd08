//! A client of the service, simple enough to go away in the middle.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::AnyError;

/// One caller's way to the service.
pub(crate) struct Client {
    address: SocketAddr,
    key: &'static str,
}

/// A question that was sent. Dropping it closes the connection.
pub(crate) struct Sent(TcpStream);

impl Client {
    pub(crate) fn new(address: SocketAddr, key: &'static str) -> Self {
        Self { address, key }
    }

    pub(crate) async fn send(
        &self,
        conversation: &str,
        question: &str,
        headers: &[(&str, &str)],
    ) -> Result<Sent, AnyError> {
        let (address, key) = (self.address, self.key);
        let body = json!({"conversation": conversation, "text": question}).to_string();
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let head = format!(
            "POST /ask HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n{}\r\n",
            body.len(),
            headers.collect::<String>()
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all((head + &body).as_bytes()).await?;
        Ok(Sent(stream))
    }
}

impl Sent {
    /// Status and body, as a line of text.
    pub(crate) async fn answer(mut self) -> Result<String, AnyError> {
        let mut response = String::new();
        self.0.read_to_string(&mut response).await?;
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.lines().next().unwrap_or_default();
        Ok(format!("{status} {body}").trim_end().to_owned())
    }
}
