//! The test kit through its public API, each fault as a plain TCP client sees it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod agent365;
mod agent365_direct;
mod client;
mod faults;
mod http2;
mod logs;
mod oracle;
mod requests;
mod tls;
