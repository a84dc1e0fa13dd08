//! The public interface, checked capability by capability.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod certificates;
mod connection;
mod handshake;
mod installed;
mod key_exchange;
mod records;
mod roots;
