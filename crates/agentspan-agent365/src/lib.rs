//! Delivers OpenTelemetry spans to Agent 365: grouped by identity, encoded once, retried, counted.

mod encode;

pub use self::encode::{BodyEncoder, EncodedResource};
