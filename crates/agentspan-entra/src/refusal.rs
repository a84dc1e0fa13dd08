//! The refusals of Entra.

use std::fmt;

use agentspan_agent365::transport::HttpAnswer;
use agentspan_model::received::{ReceivedJson, Withheld};

use crate::aadsts::{self, Explanation};

/// How much of a text of Entra is kept.
const MAX_TEXT: usize = 300;

/// More codes are not kept. Entra names one, seldom two.
const MAX_CODES: usize = 8;

/// A refusal of Entra, and its meaning.
///
/// The texts are Entra's, without any part that repeats a secret of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// The error of OAuth 2.0, such as `invalid_client`. Empty if the answer names none.
    pub error: String,
    /// The numbers after `AADSTS`, the first one first.
    pub codes: Vec<u32>,
    /// Entra's own words.
    pub description: String,
    /// The id of the request, for Microsoft's support.
    pub correlation_id: Option<String>,
}

impl Refusal {
    pub(crate) fn read(answer: &HttpAnswer, withheld: &Withheld<'_>) -> Self {
        let json = ReceivedJson::read(answer.body()).value;
        let text = |name: &str| json[name].as_str().unwrap_or_default();
        let description = text("error_description");
        let listed = json["error_codes"].as_array().into_iter().flatten();
        let listed = listed.filter_map(|code| u32::try_from(code.as_u64()?).ok());
        let mut codes: Vec<_> = listed.take(MAX_CODES).collect();
        if codes.is_empty() {
            codes.extend(code_in(description));
        }
        let id = withheld.show(text("correlation_id"), MAX_TEXT);
        Self {
            status: answer.status().as_u16(),
            error: withheld.show(text("error"), MAX_TEXT),
            codes,
            description: withheld.show(description, MAX_TEXT),
            correlation_id: Some(id).filter(|id| !id.is_empty()),
        }
    }

    /// The meaning of the refusal and its remedy; `None` if its codes are unknown.
    #[must_use]
    pub fn explanation(&self) -> Option<&'static Explanation> {
        self.codes.iter().find_map(|code| aadsts::explain(*code))
    }

    /// Whether Entra says that it cannot answer now, rather than that it will not.
    pub(crate) fn is_temporary(&self) -> bool {
        let is_status = matches!(self.status, 408 | 429 | 500..=599);
        is_status || self.error == "temporarily_unavailable"
    }

    /// Whether an assertion in the request is at fault, so that a new one may help.
    pub(crate) fn is_of_an_assertion(&self) -> bool {
        let is_known = |code: &u32| matches!(code, 50_013 | 500_133 | 700_024 | 700_021);
        self.codes.iter().any(is_known)
    }
}

/// The number after `AADSTS` in a text.
fn code_in(text: &str) -> Option<u32> {
    let (_, after) = text.split_once("AADSTS")?;
    let end = after.find(|c: char| !c.is_ascii_digit());
    after.get(..end.unwrap_or(after.len()))?.parse().ok()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.error.is_empty() {
            write!(f, " {}", self.error)?;
        }
        for code in &self.codes {
            write!(f, " AADSTS{code}")?;
        }
        match self.explanation() {
            Some(known) => write!(f, ": {}; {}", known.cause, known.remedy),
            None if self.description.is_empty() => Ok(()),
            None => write!(f, ": {}", self.description),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_number_in_the_text() {
        assert_eq!(
            code_in("AADSTS7000215: Invalid client secret"),
            Some(7_000_215)
        );
        assert_eq!(code_in("it was AADSTS65001"), Some(65_001));
        for none in ["", "AADSTS", "AADSTSx1", "aadsts1", "AADSTS99999999999"] {
            assert_eq!(code_in(none), None, "{none}");
        }
    }
}
