//! Faults on demand, to test senders.

use hyper::StatusCode;

/// An answer that requests with spans get in place of a good one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// In seconds.
    pub(crate) retry_after: Option<u32>,
    /// How many requests still get it; all, if it is none.
    left: Option<u32>,
}

impl Fault {
    /// Reads `STATUS[,retry-after=SECONDS][,times=COUNT]`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let status = parts.next().unwrap_or_default();
        let status = status
            .parse()
            .ok()
            .and_then(|code: u16| StatusCode::from_u16(code).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        let mut fault = Self {
            status: status.ok_or("expected a status from 400 to 599 first")?,
            retry_after: None,
            left: None,
        };
        for part in parts {
            let (name, number) = part.split_once('=').unwrap_or((part, ""));
            let number = number
                .parse()
                .map_err(|_| format!("{name}: not a number"))?;
            match name {
                "retry-after" => fault.retry_after = Some(number),
                "times" if number == 0 => {
                    return Err("times: expected at least 1".to_owned());
                }
                "times" => fault.left = Some(number),
                _ => {
                    return Err(
                        "expected retry-after=SECONDS or times=COUNT after the status".to_owned(),
                    );
                }
            }
        }
        Ok(fault)
    }

    /// Whether the next request gets it.
    pub(super) fn strikes(&mut self) -> bool {
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// The status of gRPC that says the same: <https://grpc.io/docs/guides/status-codes/>.
    pub(super) fn grpc_status(&self) -> u8 {
        match self.status.as_u16() {
            400 => 3,
            401 => 16,
            403 => 7,
            404 => 12,
            429 => 8,
            500 => 13,
            502..=504 => 14,
            _ => 2,
        }
    }
}
