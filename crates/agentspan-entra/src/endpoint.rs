//! The token endpoint of a tenant.

use std::time::{Duration, SystemTime};

use agentspan_agent365::transport::{HttpAnswer, Transport};
use agentspan_model::received::Withheld;
use agentspan_queue::PerProcess;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::cache::Fresh;
use crate::error::EntraError;
use crate::form::Form;
use crate::grant;
use crate::hop::Hop;
use crate::log;
use crate::refusal::Refusal;

/// The characters that a segment of a path cannot hold as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The authority, and the way to it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Scheme and host, without a slash at the end.
    pub(crate) authority: String,
    /// A forked child has connections of its own.
    pub(crate) transport: PerProcess<Transport>,
    /// For one question.
    pub(crate) timeout: Duration,
}

impl Endpoint {
    /// The URL of the token endpoint of a tenant.
    pub(crate) fn url(&self, tenant: &str) -> Result<String, EntraError> {
        if tenant.chars().all(|c| c == '.') {
            return Err(EntraError::Tenant);
        }
        let tenant = utf8_percent_encode(tenant, SEGMENT);
        Ok(format!("{}/{tenant}/oauth2/v2.0/token", self.authority))
    }

    /// Posts a form, and reads the token in the answer.
    pub(crate) async fn ask(
        &self,
        hop: Hop,
        tenant: &str,
        form: &Form,
    ) -> Result<Fresh, EntraError> {
        let url: Uri = self.url(tenant)?.parse().map_err(|_| EntraError::Tenant)?;
        let mut headers = HeaderMap::with_capacity(2);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form_type);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let transport = self.transport.get(Transport::unconnected);
        let answer = transport.post(&url, headers, form.body(), self.timeout);
        let result = match answer.await {
            Ok(answer) => judged(hop, form, answer),
            Err(source) => Err(EntraError::Unreachable { hop, source }),
        };
        match &result {
            Ok(fresh) => log::answered(hop, tenant, fresh),
            Err(error) => log::failed(hop, tenant, error),
        }
        result
    }
}

fn judged(hop: Hop, form: &Form, answer: HttpAnswer) -> Result<Fresh, EntraError> {
    if answer.status().is_success() {
        let is_whole = answer.is_whole();
        let body = Zeroizing::new(answer.into_body());
        let read = match is_whole {
            true => grant::read(&body, SystemTime::now()),
            false => Err("no end"),
        };
        return read.map_err(|what| EntraError::Malformed { hop, what });
    }
    let withheld = Withheld::new();
    let withheld = form.secrets().fold(withheld, |all, one| {
        all.with_secret(one.as_str().as_bytes())
    });
    let refusal = Refusal::read(&answer, &withheld);
    if refusal.is_temporary() {
        let retry_after = answer.retry_after(SystemTime::now());
        return Err(EntraError::Busy {
            hop,
            refusal,
            retry_after,
        });
    }
    Err(EntraError::Refused { hop, refusal })
}
