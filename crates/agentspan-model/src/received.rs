//! Answers of receivers: untrusted bytes, parsed and made safe to show.
//!
//! Answers come from services, or from proxies in front of them, and report the outcome of spans.
//! For Agent 365 and OTLP, [`ReceivedJson`] reads JSON leniently, and [`Withheld`] shows the
//! receiver's message without secrets and contents.

mod echo;
mod json;
mod refusal;
mod unescape;
mod withheld;

pub use self::json::{ReceivedJson, span_count};
pub use self::refusal::words_of_body;
pub use self::withheld::{Withheld, enough_of};
