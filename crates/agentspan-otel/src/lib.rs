//! Agent 365 scopes, baggage and turn context on OpenTelemetry.

mod console;

pub use console::{ConsoleDetail, ConsoleExporter};
