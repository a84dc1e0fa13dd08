//! The test kit through its public API, each fault as a plain TCP client sees it.

mod client;
mod faults;
mod requests;
