//! Judges spans and requests by rules, whoever asks: the files of `check` or the page.

mod found;
mod judged;
mod requests;
mod rules;
mod spans;

pub(crate) use found::{About, Found};
pub(crate) use judged::Judged;
pub(crate) use requests::{Request, RequestJudge, recorded_body};
pub(crate) use rules::{OF_AGENT365, Rules};
pub(crate) use spans::{Sending, findings};
