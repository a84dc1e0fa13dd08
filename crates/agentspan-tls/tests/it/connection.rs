//! A client with the linked provider and a server with one of rustls's, joined in memory.

use std::io::{Read, Write};
use std::sync::Arc;

use agentspan_tls::{TrustRoots, client_config};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ConnectionCommon, Error, ServerConfig, ServerConnection};

use crate::certificates::{Certified, NAME};

pub(crate) struct Connection {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

/// What a server supports.
pub(crate) fn server_provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

impl Connection {
    /// Before the first byte of the handshake.
    pub(crate) fn new(server: &Certified, provider: CryptoProvider) -> Self {
        let roots = TrustRoots::given([server.authority.clone()]).unwrap();
        Self::trusting(&roots, server, provider)
    }

    fn trusting(roots: &TrustRoots, server: &Certified, provider: CryptoProvider) -> Self {
        let config = client_config(roots).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let certificates = vec![server.certificate.clone()];
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, server.key.clone_key())
            .unwrap();
        let server = ServerConnection::new(Arc::new(config)).unwrap();
        Self { client, server }
    }

    /// After the handshake.
    pub(crate) fn open(server: &Certified, provider: CryptoProvider) -> Result<Self, Error> {
        let mut connection = Self::new(server, provider);
        connection.shake_hands()?;
        Ok(connection)
    }

    /// After the handshake with a server that `roots` may or may not know.
    pub(crate) fn open_trusting(roots: &TrustRoots, server: &Certified) -> Result<Self, Error> {
        let mut connection = Self::trusting(roots, server, server_provider());
        connection.shake_hands()?;
        Ok(connection)
    }

    fn shake_hands(&mut self) -> Result<(), Error> {
        while self.client.is_handshaking() || self.server.is_handshaking() {
            deliver(&bytes_of(&mut self.client), &mut self.server)?;
            deliver(&bytes_of(&mut self.server), &mut self.client)?;
        }
        Ok(())
    }

    /// Sends `text` to the server and back.
    pub(crate) fn echo(&mut self, text: &[u8]) {
        self.client.writer().write_all(text).unwrap();
        let received = receive(&bytes_of(&mut self.client), &mut self.server);
        assert!(received == text, "to the server");
        self.server.writer().write_all(text).unwrap();
        let received = receive(&bytes_of(&mut self.server), &mut self.client);
        assert!(received == text, "to the client");
    }
}

/// What one side has to send now.
pub(crate) fn bytes_of<S>(from: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// Gives bytes to the other side.
pub(crate) fn deliver<S>(mut bytes: &[u8], to: &mut ConnectionCommon<S>) -> Result<(), Error> {
    while !bytes.is_empty() {
        to.read_tls(&mut bytes).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

/// Gives bytes to the other side, which reads all the time: it keeps no more than a record.
fn receive<S>(mut bytes: &[u8], to: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut text = Vec::new();
    while !bytes.is_empty() {
        to.read_tls(&mut bytes).unwrap();
        to.process_new_packets().unwrap();
        text.append(&mut read(to));
    }
    text
}

/// What one side has received.
pub(crate) fn read<S>(from: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut text = Vec::new();
    // It ends with "would block", since the connection stays open.
    let _ = from.reader().read_to_end(&mut text);
    text
}
