//! Bytes of a request body, written straight from finished spans into a reused buffer.
//!
//! There is no tree of values in between, and in steady state no allocation: constant parts are
//! literals, and what has to be remembered while writing lives in memory that the encoder keeps.

mod ascii;
mod body;
mod cut_json;
mod cuts;
mod fit;
mod hex;
mod json_outline;
mod level;
mod resource;
mod scope_order;
mod sdk_span;
mod span;
mod standard;
mod structured;
mod truncation;
mod unique_keys;
mod value;

pub use self::body::BodyEncoder;
pub use self::resource::EncodedResource;
pub(crate) use self::sdk_span::unix_nanos;
pub use self::truncation::Truncation;
pub(crate) use self::unique_keys::UniqueKeys;
